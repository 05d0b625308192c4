"""``segwatch dead-letters``: what could not be read."""

from pathlib import Path

import click

from segwatch.cli.options import kafka_option
from segwatch.messages.errors import Reason

_REASONS = [reason.name.lower() for reason in Reason]
_reason_option = click.option(
    "--reason",
    type=click.Choice(_REASONS),
    metavar="REASON",
    help=f"Only those with this reason: {', '.join(_REASONS)}.",
)


@click.group(name="dead-letters", invoke_without_command=True)
@kafka_option
@_reason_option
@click.option("--limit", type=click.IntRange(min=1), default=50, metavar="N", help="Show the newest N [50].")
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Write their messages as files."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(context: click.Context, reason: str | None, limit: int, save: Path | None, as_json: bool) -> None:
    r"""List messages that processors and sinks could not read, and why.

    A line for each message, also where several readers refused it, or one did so twice. The number is what resend
    takes. Nothing in Kafka changes; letters leave after 30 days, or when a GiB of newer ones has come.

    \b
    Examples:
      segwatch dead-letters
      segwatch dead-letters --reason newer_schema --json | jq .count
      segwatch dead-letters --limit 5 --save /tmp/messages
      segwatch dead-letters resend --help

    Exit codes: 0 fine, 2 wrong use, 6 Kafka failed, 7 DIR cannot be written.
    """
    if context.invoked_subcommand is not None:
        return
    from segwatch.jobs.dead_letters import ListJob
    from segwatch.kafka.location import kafka_address

    ListJob(address=kafka_address(), reason=reason, limit=limit, save=save, as_json=as_json).run()


@command.command(no_args_is_help=True)
@click.argument("numbers", nargs=-1, type=click.IntRange(min=0), metavar="[NUMBER]...")
@_reason_option
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@kafka_option
def resend(numbers: tuple[int, ...], reason: str | None, everything: bool, yes: bool, as_json: bool) -> int:
    r"""Send messages again to where they came from.

    Each goes to its topic and partition and gets a new offset, behind everything that came since. It is read if its
    reason is gone: one refused as newer_schema after an upgrade of the reader. A damaged one is refused again, which
    makes another dead letter.

    Nothing is counted twice. Segments carry their sensor's batch number: where processors have since applied a later
    message of that session in that partition, the message is a repetition and skipped, for its segments would come
    out of order. Findings carry their positions: a sink drops what lies behind its mark.

    So segments help only where nothing of their session was applied since. To see what a refused message would have
    given, replay the range instead (segwatch replay --source kafka), which reads it in its old place.

    \b
    Examples:
      segwatch dead-letters resend 17 18
      segwatch dead-letters resend --reason newer_schema --yes

    Exit codes: 0 sent, 1 not confirmed, 2 wrong use, 6 Kafka failed.
    """
    from segwatch.errors import UsageError
    from segwatch.jobs.dead_letters import ResendJob
    from segwatch.kafka.location import kafka_address

    if (bool(numbers), reason is not None, everything).count(True) != 1:
        raise UsageError("say which: numbers of dead letters, or --reason, or --all.")
    return ResendJob(
        address=kafka_address(), numbers=frozenset(numbers), reason=reason, confirmed=yes, as_json=as_json
    ).run()
