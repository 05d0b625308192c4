"""``segwatch db``: the local store's server."""

import json
from pathlib import Path

import click


@click.group(name="db")
def command() -> None:
    r"""Start, stop and locate the local store; print what users of another server may do.

    Commands that need the store start its server by themselves, and it ends by itself when nobody has used it for 15
    minutes (SEGWATCH_STORE_IDLE_MINUTES).

    \b
    Examples:
      segwatch db status
      segwatch db stop
      du -sh "$(segwatch db path)"
      segwatch db grants
    """


@command.command()
def start() -> None:
    r"""Start the server, if it does not run; make the store's tables.

    \b
    Example:
      segwatch db start
    """
    from sinks.local_server import LocalServer
    from sinks.store import Store

    server = LocalServer()
    with Store(server.wait_ready()):
        status = server.status()
    click.echo(
        f"The local store runs (process {status.pid}, native port {status.tcp_port}, HTTP port {status.http_port})."
    )


@command.command()
def stop() -> None:
    r"""Stop the server, if it runs; what is stored stays.

    \b
    Example:
      segwatch db stop
    """
    from sinks.local_server import LocalServer

    stopped = LocalServer().stop()
    click.echo("The local store is stopped." if stopped else "The local store did not run.")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def status(as_json: bool) -> int:
    r"""Say whether the server runs, and how to reach it.

    \b
    Examples:
      segwatch db status
      segwatch db status --json | jq .http_port

    Exit codes: 0 it runs, 1 it does not.
    """
    from sinks.local_server import LocalServer
    from sinks.local_server_files import USER

    server = LocalServer()
    found = server.status()
    if as_json:
        answer = {
            "running": found.running, "directory": str(found.directory), "pid": found.pid, "user": USER,
            "password_file": str(server.files.password_file), "tcp_port": found.tcp_port, "http_port": found.http_port,
        }  # fmt: skip
        click.echo(json.dumps(answer, indent=2))
    elif found.running:
        click.echo(f"The local store runs (process {found.pid}).")
        click.echo(f"native port  {found.tcp_port}")
        click.echo(f"HTTP port    {found.http_port}")
        click.echo(f"user         {USER}, password in {server.files.password_file}")
        click.echo(f"folder       {found.directory}")
    else:
        click.echo(f"The local store does not run; its folder is {found.directory}.")
    return 0 if found.running else 1


@command.command()
def path() -> None:
    r"""Print the store's folder.

    \b
    Example:
      du -sh "$(segwatch db path)"
    """
    from sinks.local_server import LocalServer

    click.echo(LocalServer().files.directory)


@command.command()
@click.option(
    "--password-file",
    "passwords",
    multiple=True,
    metavar="ROLE=FILE",
    help="Make the user segwatch_ROLE too, with the password in FILE (its SHA-256 is printed); may be repeated.",
)
@click.option("--database", default="segwatch", metavar="NAME", help="The database [segwatch].")
@click.option("--xml", "as_xml", is_flag=True, help="Print a file for users.d of the server, for access without SQL.")
def grants(passwords: tuple[str, ...], database: str, as_xml: bool) -> None:
    r"""Print what gives users of a ClickHouse server their rights: roles, profiles with limits, users.

    Roles are migrate, write, read and grafana; docs/security.md has the table. Nothing is changed: run what
    is printed as a user who may manage access.

    \b
    Examples:
      segwatch db grants | clickhouse-client --multiquery
      segwatch db grants --password-file write=sink.password
      segwatch db grants --xml > /etc/clickhouse-server/users.d/segwatch.xml
    """
    import re

    from segwatch.errors import UsageError
    from sinks import roles

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", database):
        raise UsageError(f"the database {database!r} has a name of other characters than letters, digits and _.")
    if as_xml and passwords:
        raise UsageError("--xml takes no --password-file: the file names variables of the server's environment.")
    text = roles.as_xml(database) if as_xml else roles.as_sql(dict(map(_password_of, passwords)), database)
    click.echo(text, nl=False)


def _password_of(text: str) -> tuple[str, str]:
    """Return role and password that ``ROLE=FILE`` means."""
    from segwatch.errors import UsageError
    from segwatch.passwords import read_password
    from sinks.roles import STORE_ROLES

    role, _, path = text.partition("=")
    names = [one.name for one in STORE_ROLES]
    if role not in names or not path:
        raise UsageError(
            f"--password-file takes ROLE=FILE, where ROLE is one of {', '.join(names)}; {text!r} is not that."
        )
    password = read_password(Path(path))
    if not password:
        raise UsageError(f"The password file {path} is empty.")
    return role, password
