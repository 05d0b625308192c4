"""``segwatch db``: the local store's server; tables, size and age of any store."""

import json
from pathlib import Path

import click

from segwatch.cli.options import session_digits
from sinks.retention import MOST_DAYS, SETTING_OF

_TABLES = tuple(SETTING_OF)


@click.group(name="db")
def command() -> None:
    r"""Start, stop and locate the local store; upgrade, measure and prune a store; print what its users may do.

    Commands that need the store start its server by themselves, and it ends by itself when nobody has used it for 15
    minutes (SEGWATCH_STORE_IDLE_MINUTES).

    \b
    Examples:
      segwatch db status
      segwatch db stop
      segwatch db size
      segwatch db prune --older-than 30d --dry-run
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


_store_option = click.option("--store", metavar="local|URL", help="Which store [local].")


@command.command()
@_store_option
@click.option("--cluster", metavar="NAME", help="Make the tables on all servers of this ClickHouse cluster.")
@click.option("--print", "only_print", is_flag=True, help="Print the statements for --cluster, and do nothing.")
def migrate(store: str | None, cluster: str | None, only_print: bool) -> None:
    r"""Make or upgrade the tables; set how long they keep rows.

    Rows are kept as many days as the settings say. With --cluster the tables are replicated and divided among the
    shards of a cluster that the servers' configuration names; the store's URL is one of the servers. NAME may be a
    macro, as '{cluster}'.

    \b
    Examples:
      segwatch db migrate
      SEGWATCH_KEEP_ANOMALIES_DAYS=30 segwatch db migrate
      segwatch db migrate --store clickhouse://admin@db.example --cluster main
      segwatch db migrate --cluster main --print > schema.sql

    Exit codes: 0 done, 2 wrong use, 5 the store failed, or is of a newer version.
    """
    from segwatch.errors import UsageError
    from segwatch.jobs.store_migration import migrate_store, print_statements
    from segwatch.settings import settings

    chosen = store or settings().store
    if not only_print:
        migrate_store(chosen, cluster)
    elif cluster:
        print_statements(chosen, cluster)
    else:
        raise UsageError("--print has a meaning with --cluster only; the statements for one server are in the source.")


@command.command()
@_store_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def size(store: str | None, as_json: bool) -> None:
    r"""Show how much room the tables take.

    Beside it how long rows are kept, and what goes next. Days are those of storing, in UTC. On a cluster one server of
    each shard is counted.

    \b
    Examples:
      segwatch db size
      segwatch db size --json | jq '.tables[] | {table, bytes_per_row}'

    Exit codes: 0 done, 5 the store failed.
    """
    from segwatch.jobs.store_size import show_sizes
    from segwatch.settings import settings

    show_sizes(store or settings().store, as_json=as_json)


@command.command(no_args_is_help=True)
@click.option("--older-than", metavar="DURATION", help="What was stored so long ago: whole days, as 30d or 4w.")
@click.option("--session", metavar="ID", callback=session_digits, help="All of this capture session.")
@click.option(
    "--table",
    "tables",
    type=click.Choice(_TABLES),
    metavar="TABLE",
    multiple=True,
    help=f"Only from this table; may come several times: {', '.join(_TABLES)}.",
)
@_store_option
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def prune(
    older_than: str | None,
    session: str | None,
    tables: tuple[str, ...],
    store: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    r"""Remove rows from the store before their time.

    Captures whose rows are removed can be analysed and stored again. With --table they stay listed, and what the other
    tables have of them stays: remove the --session to store one again.

    \b
    Examples:
      segwatch db prune --older-than 30d --dry-run
      segwatch db prune --older-than 7d --table segments --yes
      segwatch db prune --session 0123456789abcdef0123456789abcdef

    Exit codes: 0 done, 1 not confirmed, 2 wrong use, 5 the store failed.
    """
    from segwatch.errors import UsageError
    from segwatch.jobs.pruning import PruneJob
    from segwatch.settings import settings

    if (older_than is None) == (session is None):
        raise UsageError("say which: rows that were stored --older-than a number of days, or those of a --session.")
    return PruneJob(
        store=store or settings().store,
        days=None if older_than is None else _whole_days(older_than),
        session=session or "",
        tables=tables,
        dry_run=dry_run,
        confirmed=yes,
        as_json=as_json,
    ).run()


def _whole_days(text: str) -> int:
    from segwatch.errors import UsageError
    from segwatch.times import NANOSECONDS, parse_duration

    days, rest = divmod(parse_duration(text), 86_400 * NANOSECONDS)
    if rest or not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--older-than {text} must be whole days, at least one: the store keeps rows by the day.")
    return days


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
    return role, read_password(Path(path))
