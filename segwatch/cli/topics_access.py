"""``segwatch topics acls`` and ``segwatch topics user``: who may do what in Kafka."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from segwatch.kafka.roles import Member


@click.command()
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="ROLE=NAME",
    help="A user and its role: sensor, processor, sink or operator; may be repeated [segwatch-ROLE for each role].",
)
@click.option("--apply", is_flag=True, help="Grant the rights in Kafka, instead of printing the commands that do it.")
def acls(users: tuple[str, ...], apply: bool) -> None:
    r"""Print or grant what each role may do in Kafka.

    Without --apply it prints commands of Kafka's own tool. Each role has the least that its programs need;
    docs/security.md has the table. Granting takes a user who may do everything in Kafka (super.users).

    \b
    Examples:
      segwatch topics acls
      segwatch topics acls --user sensor=edge-1 --user sensor=edge-2 --apply

    Exit codes: 0 done, 2 wrong use, 6 Kafka cannot be reached or refuses.
    """
    from segwatch.kafka.roles import usual_members
    from segwatch.settings import settings

    members = tuple(map(_member, users)) or usual_members()
    if apply:
        from segwatch.kafka.access import grant_rights
        from segwatch.kafka.location import kafka_address

        address = kafka_address()
        count = grant_rights(address, members, with_segments=settings().segments)
        click.echo(
            f"Granted {count} rights to {', '.join(one.user for one in members)} in Kafka at {address.bootstrap}."
        )
        return
    _print_commands(members)


def _print_commands(members: "tuple[Member, ...]") -> None:
    from segwatch.kafka.address import LOCAL, parse_address
    from segwatch.kafka.roles import acl_commands
    from segwatch.settings import settings

    bootstrap = "localhost:9092" if settings().kafka == LOCAL else parse_address(settings().kafka).bootstrap
    for member in members:
        click.echo(f"# {member.role}: {member.user}")
        for line in acl_commands(member, bootstrap, with_segments=settings().segments):
            click.echo(line)


def _member(text: str) -> "Member":
    from segwatch.errors import UsageError
    from segwatch.kafka.roles import ROLES, Member

    role, _, user = text.partition("=")
    if role not in ROLES or not user or not user.isprintable() or any(map(str.isspace, user)):
        raise UsageError(f"--user takes ROLE=NAME, where ROLE is one of {', '.join(ROLES)}; {text!r} is not that.")
    if user == "*":
        raise UsageError(f"--user {text} would give everybody the rights of a {role}: name the users.")
    return Member(role, user)


@click.command()
@click.argument("name")
@click.option(
    "--password-file", type=click.Path(path_type=Path), metavar="FILE", help="File that holds the user's new password."
)
@click.option("--remove", is_flag=True, help="Let the user log in no more.")
def user(name: str, password_file: Path | None, remove: bool) -> None:
    r"""Make a user of Kafka, or give it another password (SCRAM-SHA-512).

    The password comes from a file, so that it stands in no list of processes and in no shell's history. It takes a user
    who may do everything in Kafka (super.users).

    \b
    Examples:
      openssl rand -hex 24 > edge-1.password
      segwatch topics user edge-1 --password-file edge-1.password
      segwatch topics user edge-1 --remove

    Exit codes: 0 done, 2 wrong use, 6 Kafka cannot be reached or refuses.
    """
    from segwatch.errors import UsageError
    from segwatch.kafka.access import remove_login, set_login
    from segwatch.kafka.location import kafka_address
    from segwatch.passwords import read_password

    if (password_file is None) != remove:
        raise UsageError("segwatch topics user needs --password-file FILE or --remove, and not both.")
    if password_file is None:
        remove_login(kafka_address(), name)
        click.echo(f"The user {name} can log in no more.")
        return
    set_login(kafka_address(), name, read_password(password_file))
    click.echo(f"The user {name} can log in with the password in {password_file}.")
