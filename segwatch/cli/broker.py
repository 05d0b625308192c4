"""``segwatch broker``: a local Kafka."""

import json

import click


@click.group(name="broker")
def command() -> None:
    r"""Start, stop and locate the local Kafka broker, for trying and testing.

    It is Apache Kafka, one node on the loopback interface. It needs Java 17 or newer; Maven fetches Kafka itself at the
    first start (43 MB), and later starts need no network. The broker runs until it is stopped, and comes back to the
    same port.

    \b
    Examples:
      segwatch broker start && segwatch topics create
      segwatch broker status --json | jq -r .bootstrap
      segwatch broker stop

    Exit codes: 0 done, 6 it could not be started or stopped.
    """


@command.command()
def start() -> None:
    r"""Start the broker, if it does not run, and wait until it answers.

    \b
    Example:
      segwatch broker start
    """
    from segwatch.kafka.broker.jars import FETCHING, are_fetched
    from segwatch.kafka.broker.local import LocalBroker

    broker = LocalBroker()
    if not broker.status().running and not are_fetched():
        click.echo(FETCHING, err=True)
    address = broker.start()
    click.echo(f"The local broker runs (process {broker.status().pid}, {address.bootstrap}).")


@command.command()
def stop() -> None:
    r"""Stop the broker, if it runs; its topics and messages stay.

    \b
    Example:
      segwatch broker stop
    """
    from segwatch.kafka.broker.local import LocalBroker

    stopped = LocalBroker().stop()
    click.echo("The local broker is stopped." if stopped else "The local broker did not run.")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def status(as_json: bool) -> int:
    r"""Say whether the broker runs, and where.

    \b
    Example:
      segwatch broker status --json | jq -r .bootstrap

    Exit codes: 0 it runs, 1 it does not.
    """
    from segwatch.kafka.broker.local import LocalBroker

    broker = LocalBroker()
    found = broker.status()
    bootstrap = broker.address.bootstrap if found.port else None
    if as_json:
        answer = {
            "running": found.running, "directory": str(found.directory), "pid": found.pid, "bootstrap": bootstrap,
            "log": str(broker.files.log),
        }  # fmt: skip
        click.echo(json.dumps(answer, indent=2))
    elif found.running:
        click.echo(f"The local broker runs (process {found.pid}).")
        click.echo(f"address  {bootstrap}")
        click.echo(f"folder   {found.directory}")
        click.echo(f"log      {broker.files.log}")
    else:
        click.echo(f"The local broker does not run; its folder is {found.directory}.")
    return 0 if found.running else 1
