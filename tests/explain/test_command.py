"""What the command does with what it is asked for."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from segwatch.cli.explain import command
from segwatch.errors import InputError, UsageError
from segwatch.explain.sentences import frames_text
from segwatch.jobs.explain.harm import Harm
from segwatch.jobs.explain.selection import parse_end, parse_moment
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause
from tests.explain.frames import ACK, SYN, frame, written
from tests.explain.telling import explained, said
from tests.support import CASES, REPOSITORY

ARTICLE = CASES / "seed-article.pcap"
DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
NOON = 1_700_000_000_000_000_000 - 1_700_000_000_000_000_000 % 86_400_000_000_000 + 43_200_000_000_000


def told(*arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_text_for_people() -> None:
    text = told(str(ARTICLE))
    assert text.startswith("Conversation 0: 10.60.45.187:17932 → 131.25.61.68:443\n")
    assert "[frames 1-3]" in text.replace("\n  ", " ")
    assert "Bytes of the server over time" in text
    assert all(len(line) <= 100 and line == line.rstrip() for line in text.splitlines())


def test_markdown_has_the_same_sentences() -> None:
    text = told(str(ARTICLE), "--format", "markdown", "--no-picture")
    assert text.startswith("## Conversation 0: ")
    assert "### What happened" in text
    assert "```" not in text


def test_a_capture_without_anomalies_is_said_to_be_one() -> None:
    assert told(str(CASES / "handshake-basic.pcap"), "--no-picture").startswith("Nothing is wrong with ")


@pytest.mark.parametrize(
    "options",
    [
        ("--stream", "0"),
        ("--between", "131.25.61.68", "10.60.45.187"),
        ("--between", "10.60.45.187:17932", "131.25.61.68:443"),
        ("--at", "+1.0"),
        ("--at", "22:13:20.5"),
        ("--at", "2023-11-14T22:13:21Z"),
    ],
)
def test_ways_to_name_a_conversation(options: tuple[str, ...]) -> None:
    assert [story["stream"] for story in explained(ARTICLE, *options)["explained"]] == [0]


@pytest.mark.parametrize(
    "options", [("--stream", "1"), ("--between", "131.25.61.68:80", "10.60.45.187"), ("--at", "+2.5")]
)
def test_conversations_that_are_not_there(options: tuple[str, ...]) -> None:
    for form in ("text", "json"):
        with pytest.raises(InputError, match="no such conversation"):
            told(str(ARTICLE), *options, "--format", form)


def test_the_worst_come_first() -> None:
    found = explained(DEMO, "--worst", "3")
    assert len(found["explained"]) == 3
    assert found["explained"][0]["stream"] == explained(DEMO)["explained"][0]["stream"]


@pytest.mark.parametrize("text", ["10.0.0.300", "10.0.0.1:70000", "host:80", "[::1", ""])
def test_ends_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        parse_end(text)


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [("10.0.0.1", "10.0.0.1", None), ("10.0.0.1:80", "10.0.0.1", 80), ("::1", "::1", None), ("[::1]:80", "::1", 80)],
)
def test_ends(text: str, address: str, port: int | None) -> None:
    end = parse_end(text)
    assert (str(end.address), end.port) == (address, port)


def test_moments() -> None:
    assert parse_moment("12:00:01.5", NOON) == NOON + 1_500_000_000
    assert parse_moment("11:59:00", NOON) == NOON + 86_340_000_000_000
    assert parse_moment("+2", NOON) == NOON + 2_000_000_000
    for text in ("25:00:00", "noon", "+x"):
        with pytest.raises(UsageError, match="is no time"):
            parse_moment(text, NOON)


def test_standard_input_and_several_captures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="twice"):
        told("-")
    for name in ("a.pcap", "b.pcap"):
        (tmp_path / name).write_bytes(ARTICLE.read_bytes())
    with pytest.raises(UsageError, match="2 captures"):
        told(str(tmp_path))


def test_frames_are_named_as_ranges() -> None:
    assert frames_text((3,)) == "frame 3"
    assert frames_text((1, 2, 3, 7)) == "frames 1-3, 7"
    assert frames_text(tuple(range(0, 40, 2))) == "frames 0, 2, 4, 6, 8, 10, 12, 14 and 12 more"


def test_a_capture_that_is_not_there() -> None:
    with pytest.raises(InputError, match="does not exist"):
        told("no-such.pcap")


def test_a_loss_that_no_label_shows_is_something_wrong(tmp_path: Path) -> None:
    """A late SYN/ACK: the first one was lost before the sensor."""
    capture = written(tmp_path, frame("client", 0, SYN), frame("server", 0, SYN | ACK), gap=1.2)
    (story,) = explained(capture)["explained"]
    assert said(story, "why_syn_retry")


def test_an_application_that_sends_nothing_is_nothing_wrong() -> None:
    verdicts = np.zeros(3, VERDICT)
    verdicts["stream"] = verdicts["frame"] = [1, 2, 3]
    verdicts["stalled"] = 10**9
    verdicts["cause"] = [Cause.APPLICATION_IDLE, Cause.WINDOW_CLOSED, Cause.RTO]
    taken_back = verdicts[2:].copy()
    taken_back["revision"], taken_back["stalled"] = 1, 0
    harm = Harm()
    harm.add(verdicts)
    harm.add(taken_back)
    assert harm.is_in(np.arange(5)).tolist() == [False, False, True, False, False]
