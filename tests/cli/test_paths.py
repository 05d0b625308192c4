"""``segwatch paths`` as a user runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from segwatch.cli.main import root, run
from tests.cli.captures import handshake_and_repeat, pcap
from tests.lab.store import STORED

HOPS = STORED / "hops-default-1"
NAMES = [str(HOPS / f"{name}.pcap.gz") for name in ("receiver", "middle2", "sender", "middle1")]


def paths(*arguments: str) -> str:
    """Return what the command prints."""
    done = CliRunner().invoke(root, ["paths", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_table_and_the_object_say_the_same() -> None:
    found = json.loads(paths(*NAMES, "--json"))
    assert (found["order"], found["not_judged"]) == ("found", 0)
    assert [Path(one["name"]).name for one in found["captures"]] == [
        "receiver.pcap.gz", "middle2.pcap.gz", "middle1.pcap.gz", "sender.pcap.gz",
    ]  # fmt: skip
    assert [hop["lost"] for hop in found["hops"]] == [1, 0, 2, 3, 1, 4]
    assert sum(hop["duplicated"] for hop in found["hops"]) == found["events"]["duplicated"] == 6
    assert all(hop["delay_is_absolute"] and hop["delay_ms"]["min"] > 0 for hop in found["hops"])
    table = paths(*NAMES)
    assert "found from both directions" in table
    assert "maybe lost" in table
    assert f"{sum(found['events'].values())} events, each counted once" in table


def test_a_line_for_each_event() -> None:
    header, *lines = (line.split("\t") for line in paths(*NAMES, "--events").splitlines())
    assert header[:4] == ["time", "event", "from", "to"]
    lost = [dict(zip(header, line, strict=True)) for line in lines if line[1] == "lost"]
    assert len(lost) == 11
    first = lost[0]
    assert [first[f"frame {name}"] for name in NAMES] == ["", "37", "36", "36"]
    assert (first["from"], first["to"], first["payload_len"]) == (NAMES[1], NAMES[0], "1448")


def test_captures_that_do_not_meet_are_not_judged(tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    other.write_bytes(pcap(handshake_and_repeat()))
    found = json.loads(paths(NAMES[0], str(other), "--json"))
    assert (found["order"], found["captures"][1]["clock_known"]) == ("as given", False)
    assert {kind: found["events"][kind] for kind in ("lost", "appeared")} == {"lost": 0, "appeared": 0}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((NAMES[0],), 2, "name two or more"),
        ((NAMES[0], NAMES[0]), 3, "fewer than two can be read"),
        ((NAMES[0], "nowhere.pcap"), 3, "fewer than two can be read"),
        ((*NAMES, "--json", "--events"), 2, "exclude each other"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], code: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paths", *arguments]) == code
    assert sentence in capsys.readouterr().err
