"""``segwatch topics``: the topics in Kafka."""

import json

import click

from segwatch.cli.topics_access import acls, user


@click.group(name="topics")
def command() -> None:
    r"""Make, check and describe the topics in Kafka, and who may use them.

    Which Kafka is meant is a setting (SEGWATCH_KAFKA), by default the local broker.

    \b
    Examples:
      segwatch topics create
      SEGWATCH_KAFKA=kafka1:9092,kafka2:9092 segwatch topics create
      segwatch topics check
      segwatch topics describe --json | jq '.topics[] | {name, messages}'

    Exit codes: 0 done, 6 Kafka cannot be reached or refuses.
    """


command.add_command(acls)
command.add_command(user)


@command.command()
@click.option(
    "--partitions",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Into how many parts traffic is divided: as many processors may share it [8, or as it is already].",
)
@click.option("--replication", type=click.IntRange(1, 100), default=1, metavar="N", help="Copies of every message [1].")
def create(partitions: int | None, replication: int) -> None:
    r"""Make the topics that are missing; the others stay as they are.

    \b
    Examples:
      segwatch topics create
      segwatch topics create --partitions 32 --replication 3
    """
    from segwatch.kafka.admin import check_topics, create_topics
    from segwatch.kafka.location import kafka_address

    address = kafka_address()
    made = create_topics(address, partitions, replication)
    for name in made:
        click.echo(f"Made {name}.")
    if not made:
        click.echo("All topics were there already.")
    check_topics(address)


@command.command()
def check() -> int:
    r"""Say what is missing or not as it must be, a line for each.

    \b
    Example:
      segwatch topics check || segwatch topics create

    Exit codes: 0 everything is as it must be, 1 something is not, 6 Kafka cannot be reached or refuses.
    """
    from segwatch.kafka.admin import find_differences
    from segwatch.kafka.location import kafka_address

    address = kafka_address()
    differences = find_differences(address)
    for difference in differences:
        click.echo(str(difference))
    if not differences:
        click.echo(f"The topics in Kafka at {address.bootstrap} are as they must be.")
    return 1 if differences else 0


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def describe(as_json: bool) -> None:
    r"""Show the topics: partitions, copies, how long messages stay.

    \b
    Example:
      segwatch topics describe --json | jq '.topics[] | {name, messages}'
    """
    from segwatch.kafka.admin import describe_topics
    from segwatch.kafka.location import kafka_address

    address = kafka_address()
    topics = describe_topics(address)
    if as_json:
        answer = {"kafka": address.bootstrap, "topics": [topic._asdict() for topic in topics]}
        click.echo(json.dumps(answer, indent=2))
        return
    rows = [("topic", "partitions", "copies", "kept", "messages")]
    for topic in topics:
        kept = _kept(topic.cleanup_policy, topic.retention_ms)
        rows.append((topic.name, str(topic.partitions), str(topic.replication), kept, f"{topic.messages:,}"))
    name_width, *widths = (max(len(row[column]) for row in rows) for column in range(5))
    for name, *numbers in rows:
        click.echo("  ".join([f"{name:{name_width}}", *map(str.rjust, numbers, widths)]))


def _kept(cleanup_policy: str, retention_ms: int | None) -> str:
    if cleanup_policy == "compact":
        return "last per key"
    return f"{retention_ms / 3_600_000:,.0f} h" if retention_ms is not None else "for ever"
