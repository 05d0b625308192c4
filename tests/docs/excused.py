"""Commands of the documents that are run in another form, or not at all, and why."""

INSTEAD = {
    "segwatch up --read segwatch/data/demo.pcap.gz --name demo": "segwatch up --read $DEMO --name demo",
}
"""What is run in place of a command."""

EXCUSED: dict[str, str] = {}
"""Why a command that matches the pattern is not run."""
