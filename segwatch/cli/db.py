"""``segwatch db``: the local store's server."""

import json

import click


@click.group(name="db")
def command() -> None:
    r"""Start, stop and locate the local store.

    Commands that need the store start its server by themselves, and it ends by itself when nobody has used it for 15
    minutes (SEGWATCH_STORE_IDLE_MINUTES).

    \b
    Examples:
      segwatch db status
      segwatch db stop
      du -sh "$(segwatch db path)"
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
@click.option("--store", metavar="local|URL", help="Which store [local].")
def migrate(store: str | None) -> None:
    r"""Make the tables of a store, or bring them to this version's schema; those that are as they must be stay.

    What writes to a store does it by itself. This is for a deployment, before anything else of a new version starts.

    \b
    Examples:
      segwatch db migrate
      segwatch db migrate --store clickhouse://segwatch@db.example/segwatch

    Exit codes: 0 done, 5 the store failed or is of a newer version.
    """
    from segwatch.settings import settings
    from sinks.store import open_store

    with open_store(store or settings().store) as opened:
        click.echo(f"The tables of the store {opened.address} are those of this version.")


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
