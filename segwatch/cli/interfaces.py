"""``segwatch interfaces``: what a sensor can capture."""

import click


@click.command(name="interfaces")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(as_json: bool) -> None:
    r"""List the network interfaces: state, link type, MTU, addresses. Needs no rights.

    \b
    Examples:
      segwatch interfaces
      segwatch interfaces --json | jq -r '.interfaces[].name'

    Exit codes: 0 fine, 3 the interfaces cannot be listed.
    """
    from segwatch.jobs.interfaces import interfaces_json, interfaces_table

    click.echo(interfaces_json() if as_json else interfaces_table())
