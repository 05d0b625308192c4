"""Every command that README.md and docs/ show is run on a host: as it stands, in another form, or not for a reason."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.excused import EXCUSED, INSTEAD
from tests.docs.host import Host
from tests.docs.shown import DOCUMENTS, Shown, commands
from tests.live.namespaces import skip_unless_possible, skip_without

SHOWN = [shown for path in DOCUMENTS for shown in commands(path)]
LIVE = re.compile(r"segwatch (sensor|watch|up) .*--interface")
"""What goes on until it is interrupted."""
INTERRUPTED = 130
PREPARED = (
    "segwatch broker start",
    "segwatch topics create --partitions 2",
    "segwatch analyze --segments capture.pcap",
    "segwatch sensor --read capture.pcap --name office",
)


def reason(shown: Shown) -> str | None:
    """Return why a command is not run."""
    return next((why for pattern, why in EXCUSED.items() if re.fullmatch(pattern, shown.text)), None)


def fault(host: Host, shown: Shown) -> str | None:
    """Run a command; return what is wrong with it, None if nothing is."""
    line = INSTEAD.get(shown.text, shown.text)
    if LIVE.search(line) and "--seconds" not in line:
        code, said = host.interrupt(line)
        fine = code in {0, INTERRUPTED}
    else:
        done = host.type(line)
        code, said, fine = done.returncode, done.stdout[-300:] + done.stderr[-600:], done.returncode == 0
    return None if fine else f"{shown.document}:{shown.line}: {line}\n  {code}: {said}"


@pytest.fixture
def host(kafka_installed: None, tmp_path: Path) -> Iterator[Host]:
    """Give a host on which a pipeline has seen a capture, and end what runs there."""
    skip_unless_possible()
    skip_without("tcpdump", "ethtool", "jq")
    made = Host(tmp_path)
    try:
        made.make()
        for line in PREPARED:
            done = made.type(line)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
        yield made
    finally:
        for line in ("segwatch broker stop", "segwatch db stop"):
            made.type(line)
        made.remove()


def test_commands_are_found() -> None:
    texts = [shown.text for shown in SHOWN]
    assert len(texts) > 50
    assert "make demo" in texts
    assert "segwatch explain capture.pcap --worst 3" in texts
    assert "segwatch status" in texts


def test_no_excuse_is_left_over() -> None:
    texts = [shown.text for shown in SHOWN]
    assert [pattern for pattern in EXCUSED if not any(re.fullmatch(pattern, text) for text in texts)] == []
    assert [text for text in INSTEAD if text not in texts] == []


def test_every_command_runs(host: Host) -> None:
    """In the order of the documents; all that failed are named."""
    faults = [fault(host, shown) for shown in SHOWN if reason(shown) is None]
    assert not any(faults), "\n".join(filter(None, faults))
