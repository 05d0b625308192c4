"""``segwatch doctor``: what is there, and what is missing."""

import json

import click


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def command(as_json: bool) -> int:
    r"""Say what is installed, what is missing, and what to do about it.

    \b
    Examples:
      segwatch doctor
      segwatch doctor --json | jq '.checks[] | select(.state != "ok")'

    Exit codes: 0 nothing is missing that segwatch needs, 1 something is.
    """
    from segwatch.jobs.doctor import BROKEN, examine

    findings = examine()
    if as_json:
        click.echo(json.dumps({"checks": [finding._asdict() for finding in findings]}, indent=2))
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            click.echo(f"{finding.state:7} {finding.subject:{width}}  {finding.detail}")
            if finding.advice:
                click.echo(f"{'':7} {'':{width}}  -> {finding.advice}")
    return 1 if any(finding.state == BROKEN for finding in findings) else 0
