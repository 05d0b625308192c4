"""The store tells the same stories as the capture, as far as it has kept what they are made from."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segwatch.jobs.pipeline import CapturePipeline
from segwatch.records.findings import take_findings
from segwatch.records.segments import take_segments
from sinks.store import open_store
from sinks.writer import Origin, Writer
from tests.explain.evidence import labels_and_frames
from tests.explain.frames import ACK, SYN, frame, written
from tests.explain.stores import explained_in, sessions, store_with
from tests.explain.telling import explained, said, sentences
from tests.replay.commands import DEMONSTRATION, WHOLE, environment_of, segwatch
from tests.support import CASES

ALL = ("--worst", "100")
SOURCE = {"sensor", "session"}
NUMBERS = 512
"""Step between the numbers that one shard of a processor gives."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment of a store that has the demonstration with its segments."""
    with store_with(tmp_path_factory.mktemp("kept"), DEMONSTRATION, segments=True) as environment:
        yield environment


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment of a store that has of the demonstration what has a label, and counters."""
    with store_with(tmp_path_factory.mktemp("labelled"), DEMONSTRATION, segments=False) as environment:
        yield environment


def stories(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the stories without the sensor and the session that they are from."""
    return [{name: value for name, value in story.items() if name not in SOURCE} for story in document["explained"]]


def test_the_same_stories_in_the_same_order(kept: dict[str, str]) -> None:
    captured, stored = explained(DEMONSTRATION, *ALL), explained_in(kept, *WHOLE, *ALL)
    assert len(captured["explained"]) == 18
    assert stories(stored) == stories(captured)
    assert stored["conversations"] == captured["conversations"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_same_text(kept: dict[str, str], form: str) -> None:
    captured = segwatch("explain", DEMONSTRATION, "--format", form).stdout
    stored = segwatch("explain", *WHOLE, "--format", form, **kept).stdout
    source, rest = stored.split("\n", 2)[0], stored.split("\n", 2)[2]
    assert source.startswith("Of sensor ")
    assert rest == captured


@pytest.mark.parametrize("stream", ["0", "18", "64"])
def test_a_conversation_by_its_number(kept: dict[str, str], stream: str) -> None:
    (session,) = sessions(kept).values()
    stored = explained_in(kept, "--session", session, "--stream", stream)
    assert stories(stored) == stories(explained(DEMONSTRATION, "--stream", stream))
    assert stored["explained"][0]["session"] == session


def test_a_number_that_no_conversation_has(kept: dict[str, str]) -> None:
    done = segwatch("explain", *WHOLE, "--stream", "4711", **kept)
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no such conversation among its" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--between", "10.20.1.14", "10.20.0.12:10000"),
        ("--at", "09:01:00"),
        ("--at", "+30"),
        ("--between", "10.20.1.14", "10.20.0.12", "--at", "2026-01-01T09:00:20Z"),
    ],
)
def test_conversations_by_ends_and_by_time(kept: dict[str, str], options: tuple[str, ...]) -> None:
    found = explained_in(kept, *WHOLE, *options)
    assert stories(found) == stories(explained(DEMONSTRATION, *options))
    assert len(found["explained"]) == 1


def test_a_range_chooses_and_the_whole_story_is_told(kept: dict[str, str]) -> None:
    minute = ("--from", "2026-01-01T09:01:10Z", "--to", "2026-01-01T09:01:20Z")
    found = explained_in(kept, *minute, "--worst", "1")
    (story,) = stories(found)
    assert 0 < found["conversations"] < 65
    assert story == stories(explained(DEMONSTRATION, "--stream", str(story["stream"])))[0]


def test_all_cases_with_their_odd_conversations(tmp_path: Path) -> None:
    captures = sorted(CASES.glob("*.pcap"))
    with store_with(tmp_path, *captures, segments=True) as environment:
        by_name = sessions(environment)
        told = 0
        for capture in captures:
            if capture.name in by_name and (wanted := stories(explained(capture, *ALL))):
                assert stories(explained_in(environment, "--session", by_name[capture.name], *ALL)) == wanted, capture
                told += len(wanted)
    assert told > len(captures) // 2


def test_counters_tell_answers_and_directions(labelled: dict[str, str], tmp_path: Path) -> None:
    """A refusal is no answer that is missing; a side alone says that it was answered."""
    wholes = {story["stream"]: story for story in explained(DEMONSTRATION, *ALL)["explained"]}
    for story in explained_in(labelled, *WHOLE, *ALL)["explained"]:
        assert _answered(story) == _answered(wholes[story["stream"]]), story["client"]
    alone = written(tmp_path, frame("client", 0, SYN), *[frame("client", 1, ACK, b"data")] * 2)
    with store_with(tmp_path / "data", alone, segments=False) as environment:
        (stored,) = explained_in(environment, "--session", *sessions(environment).values())["explained"]
    assert _answered(stored) == _answered(explained(alone)["explained"][0]) == (True, False, True)


def _answered(story: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Return whether a story says that an answer was not captured, that there was none, and that a side is missing."""
    texts = " ".join(sentence["text"] for sentence in sentences(story))
    return "but there was an answer" in texts, "Nobody ever answered" in texts, bool(said(story, "one_way"))


def test_what_labels_and_counters_prove(labelled: dict[str, str]) -> None:
    counts, frames = labels_and_frames(DEMONSTRATION)
    document = explained_in(labelled, *WHOLE, *ALL)
    wholes = {story["stream"]: story for story in explained(DEMONSTRATION, *ALL)["explained"]}
    assert [story["stream"] for story in document["explained"]] == list(wholes)
    for story in document["explained"]:
        told = sentences(story)
        for sentence in told:
            assert sentence["frames"] or sentence["minutes"], sentence
            assert sentence["frames"] == sorted(sentence["frames"]), sentence
            assert set(sentence["frames"]) <= frames[story["stream"]], sentence
            assert all(minute.endswith(":00Z") for minute in sentence.get("minutes", ())), sentence
        for label, count in counts[story["stream"]].items():
            assert sum(one["numbers"]["segments"] for one in told if one["topic"] == label) == count, label
        assert [one["topic"] for one in told].count("not_kept") == 1
        _assert_no_number_differs(told, sentences(wholes[story["stream"]]))


def _assert_no_number_differs(told: list[dict[str, Any]], whole: list[dict[str, Any]]) -> None:
    """Check the numbers of sentences that both stories have."""
    for topic, names in (("size", ("segments", "span")), ("volume", ("bytes", "data_segments", "repeated_bytes"))):
        found, wanted = (
            [[sentence["numbers"][name] for name in names] for sentence in story if sentence["topic"] == topic]
            for story in (told, whole)
        )
        assert found == wanted, topic
    resets = [[one["text"] for one in story if one["topic"] == "reset"] for story in (told, whole)]
    assert resets[0] == resets[1]
    closers = [{one["text"][:10] for one in story if one["topic"] == "close"} for story in (told, whole)]
    assert closers[0] == closers[1]


def test_a_conversation_without_any_label(labelled: dict[str, str]) -> None:
    clean = next(
        story
        for story in (explained_in(labelled, *WHOLE, "--stream", str(stream))["explained"][0] for stream in range(65))
        if any(sentence["topic"] == "clean" for sentence in sentences(story))
    )
    counted = [sentence for sentence in sentences(clean) if not sentence["topic"].startswith("why_")]
    assert all(sentence["minutes"] and not sentence["frames"] for sentence in counted)
    shown = segwatch("explain", *WHOLE, "--stream", str(clean["stream"]), **labelled).stdout
    assert "has kept none, but" in " ".join(shown.split())


def test_the_picture_says_that_it_is_not_all(labelled: dict[str, str]) -> None:
    assert ", only where a label was given" in segwatch("explain", *WHOLE, **labelled).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (*WHOLE, "--sensor", "nobody"),
        ("--from", "2020-01-01", "--to", "2020-01-02"),
        ("--session", "0" * 32),
    ],
)
def test_what_the_store_does_not_have(labelled: dict[str, str], arguments: tuple[str, ...]) -> None:
    done = segwatch("explain", *arguments, **labelled)
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no TCP conversations" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (DEMONSTRATION, "--from", "-1h"),
        ("--to", "now"),
        ("--sensor", "office"),
        ("--from", "-1h", "--to", "-2h"),
        ("--from", "tomorrow"),
        ("--session", "x"),
        ("--from", "-1h", "--store", "none"),
    ],
)
@pytest.mark.parametrize("command", ["explain", "report"])
def test_wrong_use(command: str, arguments: tuple[str | Path, ...], tmp_path: Path) -> None:
    done = segwatch(command, *arguments, SEGWATCH_DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert not list(tmp_path.iterdir())


def test_a_session_that_came_through_kafka(tmp_path: Path) -> None:
    """It is listed nowhere, its conversations have other numbers, and the sink may store a message twice."""
    origin = Origin("office", "3c" * 16, datetime.now(UTC).date())
    with store_with(tmp_path, CASES / "rto.pcap", segments=True) as environment:
        with environment_of(environment), open_store("local") as store:
            writer = Writer(store.client, store.address)
            with CapturePipeline(str(DEMONSTRATION), "wireshark-4.0") as pipeline:
                for place, (segments, findings, closed, _) in enumerate(pipeline):
                    for again in ("", " again"):
                        writer.write_segments(segments, origin, f"segments {place}{again}")
                    rows = np.flatnonzero((findings.labels != 0) | (findings.reset != 0))
                    findings.stream[:] = NUMBERS * findings.stream + 5
                    labelled = take_segments(segments, rows), take_findings(findings, rows)
                    writer.write_anomalies(*labelled, origin, f"anomalies {place}")
                    _write_intervals(writer, closed, origin, f"intervals {place}")
                for place, closed in enumerate(pipeline.remaining_intervals()):
                    _write_intervals(writer, closed, origin, f"last {place}")
        found = explained_in(environment, *WHOLE, "--sensor", "office", *ALL)
    wanted = explained(DEMONSTRATION, *ALL)["explained"]
    assert [story.pop("stream") for story in found["explained"]] == [
        NUMBERS * story.pop("stream") + 5 for story in wanted
    ]
    assert stories(found) == wanted


def _write_intervals(writer: Writer, closed: np.ndarray, origin: Origin, token: str) -> None:
    copy = closed.copy()
    copy["stream"] = NUMBERS * copy["stream"] + 5
    writer.write_intervals(copy, origin, token)


def test_a_conversation_of_which_a_segment_is_gone(tmp_path: Path) -> None:
    """What was kept of it in part would look like a gap or a silence."""
    with store_with(tmp_path, CASES / "seed-article.pcap", segments=True) as environment:
        (whole,) = explained_in(environment, "--from", "2023-11-14", "--to", "2023-11-15")["explained"]
        with environment_of(environment), open_store("local") as store:
            store.client.execute("DELETE FROM segments WHERE frame = 4", settings={"lightweight_deletes_sync": 2})
        (part,) = explained_in(environment, "--from", "2023-11-14", "--to", "2023-11-15")["explained"]
    assert "What is not known" not in [chapter["title"] for chapter in whole["chapters"]]
    assert part["chapters"][-1]["title"] == "What is not known"
    (kept,) = part["chapters"][-1]["sentences"]
    assert kept["numbers"]["segments"] == 40
    assert kept["minutes"] == ["2023-11-14T22:13:00Z"]


def test_verdicts_that_were_stored_tell_why(labelled: dict[str, str]) -> None:
    """The chapter is that of the capture, though the segments are gone."""
    wholes = {story["stream"]: _why(story) for story in explained(DEMONSTRATION, *ALL)["explained"]}
    found = explained_in(labelled, *WHOLE, *ALL)["explained"]
    assert {story["stream"]: _why(story) for story in found} == wholes
    assert sum(map(len, wholes.values())) > len(wholes)


def _why(story: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the sentences on causes."""
    found = [one["sentences"] for one in story["chapters"] if one["title"] == "Why, as far as it shows"]
    return [sentence for sentences_of in found for sentence in sentences_of]
