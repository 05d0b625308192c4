"""The SQL of a report gives its figures out of the store."""

import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from segwatch.jobs.captures import Captures
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.report.captured import captured_report
from segwatch.jobs.report.stored import stored_report
from segwatch.report.content import Report
from segwatch.report.queries import queries
from segwatch.report.words import statements
from segwatch.scope import Scope
from segwatch.times import parse_time
from tests.explain.stores import sessions, store_with
from tests.replay.commands import DEMONSTRATION, WHOLE, environment_of, segwatch

RULES = "wireshark-4.0"
WORST = Wanted(most=5)
OF_CAPTURE = {"name", "format", "digest", "bytes", "damage", "link_types", "frames"}
Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment of a store that has the demonstration with its segments."""
    with store_with(tmp_path_factory.mktemp("store"), DEMONSTRATION, segments=True) as environment:
        yield environment


@pytest.fixture(scope="module")
def ask(environment: dict[str, str]) -> Ask:
    def asked(query: str) -> list[dict[str, Any]]:
        done = segwatch("query", "--format", "jsonl", query, **environment)
        assert done.returncode == 0, (done.stderr, query)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return asked


def captured() -> Report:
    with CapturePipeline(str(DEMONSTRATION), RULES, named=True) as pipeline:
        report = captured_report(Captures((str(DEMONSTRATION),)), pipeline, RULES, WORST)
    assert report is not None
    return report


@pytest.fixture(scope="module", params=["capture", "session", "range"])
def report(request: pytest.FixtureRequest, environment: dict[str, str]) -> Report:
    """Give the report on the demonstration: on the file, and on what the store has of it."""
    if request.param == "capture":
        return captured()
    (session,) = sessions(environment).values()
    day = Scope.of_range(*(parse_time(text, 0) for text in WHOLE[1::2]))
    with environment_of(environment):
        return stored_report("local", Scope(session=session) if request.param == "session" else day, RULES, WORST)


def answers(report: Report, ask: Ask, figure: str) -> list[list[dict[str, Any]]]:
    return [ask(query) for query in queries(figure, report.scope, minutes=report.minutes)]


def test_sizes(report: Report, ask: Ask) -> None:
    summary = report.summary
    (sizes,), (hosts,) = answers(report, ask, "size")
    for name in ("segments", "conversations", "payload_bytes"):
        assert sizes[name] == summary[name], name
    assert hosts["hosts"] == summary["hosts"]
    assert sizes["earliest"].replace(" ", "T") + "Z" == summary["first"]
    assert sizes["latest"].replace(" ", "T") + "Z" == summary["last"]
    ((capture,),) = answers(report, ask, "captures")
    assert (capture["frames"], capture["segments"]) == (5790, 5790)
    assert any("5,790 frames, 5,790 TCP segments" in statement.text for statement in report.quality)


def test_labels_and_resets(report: Report, ask: Ask) -> None:
    labels, (again,) = answers(report, ask, "labels")
    assert {row["label"]: row["segments"] for row in labels} == report.summary["labels"]
    assert again["sent_again"] == report.summary["retransmitted_bytes"] > 0
    (resets,) = answers(report, ask, "resets")
    assert {row["reset"]: row["segments"] for row in resets} == report.summary["resets"]


def test_requests_without_an_answer(report: Report, ask: Ask) -> None:
    ((row,),) = answers(report, ask, "unanswered")
    assert row == {"unanswered": report.summary["unanswered"]} == {"unanswered": 2}
    assert any(one.text.startswith("2 conversations got no answer") for one in statements(report.summary))


def test_closed_windows(report: Report, ask: Ask) -> None:
    (((row),),) = answers(report, ask, "windows")
    assert row == report.summary["zero_window"]
    assert row["server_seconds"] > 1


def test_the_worst_conversations_in_their_order(report: Report, ask: Ask) -> None:
    (worst,) = answers(report, ask, "conversations")
    names = {"client_name": "client", "client_port": "client_port", "server_name": "server", "segments": "segments"}
    names |= {"server_port": "server_port", "payload": "payload_bytes"}
    found = [{name: row[column] for column, name in names.items()} for row in worst]
    assert found == [{name: one[name] for name in names.values()} for one in report.summary["worst_conversations"]]
    assert len(found) == 10


def test_round_trips(report: Report, ask: Ask) -> None:
    (times,), (handshakes,) = answers(report, ask, "round_trips")
    rtt = report.summary["rtt"]
    for side in ("client", "server"):
        wanted = rtt[f"{side}_side"]
        assert times[f"{side}_samples"] == wanted["samples"] > 0
        for name in ("min", "average", "max"):
            assert times[f"{side}_{name}_ms"] == pytest.approx(1e3 * wanted[f"{name}_seconds"], rel=1e-9)
    initial = rtt["initial"]
    assert handshakes["conversations"] == initial["conversations"]
    assert handshakes["p50_p90_p99_ms"] == pytest.approx([1e3 * initial[f"p{share}_seconds"] for share in (50, 90, 99)])
    assert handshakes["min_ms"] == pytest.approx(1e3 * initial["min_seconds"])
    assert handshakes["max_ms"] == pytest.approx(1e3 * initial["max_seconds"])


def test_sums_over_time(report: Report, ask: Ask) -> None:
    (bins,) = answers(report, ask, "timeline")
    labels = report.summary["labels"]
    assert sum(row["segments"] for row in bins) == report.summary["segments"]
    assert sum(row["payload_bytes"] for row in bins) == report.summary["payload_bytes"]
    assert sum(row["zero_windows"] for row in bins) == labels["zero_window"]
    assert sum(row["resets"] for row in bins) == sum(report.summary["resets"].values())
    repeats = ("retransmission", "fast_retransmission", "spurious_retransmission")
    assert sum(row["repeats"] for row in bins) == sum(labels.get(name, 0) for name in repeats)
    if report.sensors:  # on a capture they are finer than the store can tell
        drawn = {plot["title"]: plot for plot in report.timeline}
        times, rates = drawn["Segments a second"]["data"]
        assert times == [row["begin"] for row in bins]
        assert rates == pytest.approx([row["segments"] / 60 / report.minutes for row in bins], rel=1e-5)


def test_sensors_and_estimates(report: Report, ask: Ask) -> None:
    beats, counted, suspect = answers(report, ask, "sensors")
    assert beats == []
    assert [row["segments"] for row in counted] == [5790]
    assert [row["suspect_labels"] for row in suspect] == [0]
    ((estimates,),) = answers(report, ask, "estimates")
    assert estimates["keep_one_in"] == 1
    assert estimates["segments"] == estimates["estimated_segments"] == 5790
    assert [one.segments for one in report.sensors] in ([], [5790])


def test_what_stories_are_made_from(report: Report, ask: Ask) -> None:
    assert len(report.told) == 5
    for told in report.told:
        labelled, minutes, *segments = [ask(query) for query in told.sql]
        size = told.story.chapters[0].sentences[0].numbers["segments"]
        assert sum(row["client_segments"] + row["server_segments"] for row in minutes) == size
        assert sum(len(row["label_names"]) for row in labelled) == sum(
            int(sentence.numbers["segments"])
            for chapter in told.story.chapters
            if chapter.title == "What happened"
            for sentence in chapter.sentences
        )
        assert [len(rows) for rows in segments] in ([], [size])


def test_the_store_gives_the_same_report_as_the_capture(report: Report) -> None:
    wanted = captured()
    assert {name: value for name, value in report.summary.items() if name not in OF_CAPTURE} == {
        name: value for name, value in wanted.summary.items() if name not in OF_CAPTURE
    }
    assert [(told.story, told.plot) for told in report.told] == [(told.story, told.plot) for told in wanted.told]


def test_every_query_of_a_page_runs(environment: dict[str, str], ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = segwatch("report", *WHOLE, "-o", page, **environment)
    assert (done.returncode, done.stdout) == (0, f"The report is in {page}.\n"), done.stderr
    found = [html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page.read_text("utf-8"), re.DOTALL)]
    assert len(found) > 20
    for query in dict.fromkeys(found):
        ask(query)


def test_a_scope_of_a_sensor_with_an_odd_name(environment: dict[str, str], ask: Ask) -> None:
    scope = Scope(0, 10**18, sensor="it's {0} \\ %s", session=None)
    for figure in ("size", "sensors", "captures", "conversations"):
        for query in queries(figure, scope):
            ask(query)
