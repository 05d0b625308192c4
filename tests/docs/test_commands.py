"""Every command that README.md and docs/ show is run on a host, in one of three ways: as it stands, in another form, or not at all for a reason."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.excused import EXCUSED, INSTEAD
from tests.docs.host import Host
from tests.docs.shown import DOCUMENTS, Shown, commands
from tests.live.namespaces import skip_unless_possible, skip_without

SHOWN = [shown for path in DOCUMENTS for shown in commands(path)]
LIVE = re.compile(r"(?<!--user )\bsegwatch (sensor|watch|up) .*--interface")
LIVE_SECONDS = 4
INTERRUPTED = 130
PREPARED = (
    "segwatch broker start",
    "segwatch topics create --partitions 2",
    "segwatch analyze --segments capture.pcap",
)


def reason(shown: Shown) -> str | None:
    """Return why a command is not run."""
    return next((why for pattern, why in EXCUSED.items() if re.fullmatch(pattern, shown.text)), None)


def line_for(shown: Shown) -> str:
    """Return what is run for a command; what is live is interrupted after some seconds."""
    line = INSTEAD.get(shown.text, shown.text)
    if LIVE.search(line):
        return f"timeout --signal=INT {LIVE_SECONDS} {line.removeprefix('sudo ')}"
    return line


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
    failed = []
    for shown in SHOWN:
        if reason(shown) is not None:
            continue
        line = line_for(shown)
        done = host.type(line)
        fine = (0, INTERRUPTED) if line != shown.text else (0,)
        if done.returncode not in fine:
            failed.append(
                f"{shown.document}:{shown.line}: {line}\n  {done.returncode}: {done.stdout[-300:]}{done.stderr[-600:]}"
            )
    assert failed == [], "\n".join(failed)
