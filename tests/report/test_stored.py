"""Reports on what a store has: without segments, of sensors that lost something, of shares of the traffic."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.report.stored import stored_report
from segwatch.messages.status import SensorStatus
from segwatch.report.content import Report
from segwatch.report.page import page
from segwatch.scope import Scope
from segwatch.times import parse_time
from segwatch.vocabulary import SHARE_SHIFT, Quality
from sinks.store import open_store
from sinks.writer import Origin, Writer
from tests.explain.stores import store_with
from tests.replay.commands import DEMONSTRATION, WHOLE, environment_of, segwatch
from tests.report.browser import plots_drawn
from tests.report.test_page import LARGEST

RULES = "wireshark-4.0"
BEGIN = parse_time("2026-01-01T09:00:00Z", 0)
SECOND = 10**9
NOW = datetime.now(UTC).date()


def status(session: str, at: int, **counters: int | str) -> SensorStatus:
    """Return what the sensor "office" says at a time, seconds after ``BEGIN``."""
    known: dict[str, int | str] = {
        "frames": 0, "segments": 0, "undecoded": 0, "kernel_drops": 0, "interface_drops": 0, "published_segments": 0,
        "dropped_segments": 0, "queued_batches": 0, "spooled_batches": 0, "spooled_bytes": 0, "problem": "",
    }  # fmt: skip
    return SensorStatus(
        sensor="office", session=session, ts=BEGIN + at * SECOND, host="h", interface="eth0", capture_filter="",
        snaplen=256, version="1", state="running", **(known | counters),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment of a store with what has a label of the demonstration, and the sensor "office"."""
    one, other = "1a" * 16, "2b" * 16
    beats = [
        status(one, -60, frames=100, kernel_drops=7, shed_segments=5),
        status(one, 10, frames=180, kernel_drops=9, shed_segments=25, keep_one_in=4, dropped_segments=3),
        status(other, 20, frames=50, interface_drops=1, problem="eth0 is down"),
        status(other, 600, frames=5000, kernel_drops=5000),
    ]
    with store_with(tmp_path_factory.mktemp("store"), DEMONSTRATION, segments=False) as environment:
        with environment_of(environment), open_store("local") as store:
            writer = Writer(store.client, store.address)
            for beat in beats:
                writer.write_statuses([beat], Origin("office", beat.session, NOW), str(beat.ts))
            with CapturePipeline(str(DEMONSTRATION), RULES) as pipeline:
                closed = [batch.closed.copy() for batch in pipeline]
                intervals = np.concatenate([*closed, *(block.copy() for block in pipeline.remaining_intervals())])
            intervals["sent"]["quality"] = 2 << SHARE_SHIFT | Quality.CAPTURE_LOSS
            writer.write_intervals(intervals, Origin("office", one, NOW), "intervals")
        yield environment


def reported(environment: dict[str, str], sensor: str | None = None) -> Report:
    scope = Scope.of_range(BEGIN, BEGIN + 300 * SECOND, sensor)
    with environment_of(environment):
        return stored_report("local", scope, RULES, Wanted(most=5))


def test_what_sensors_lost_in_that_time(environment: dict[str, str]) -> None:
    report = reported(environment)
    office = next(one for one in report.sensors if one.sensor == "office")
    assert (office.sessions, office.begun_sessions, office.segments) == (2, 1, 5790)
    assert (office.kernel_drops, office.interface_drops) == (2, 1)
    assert (office.shed_segments, office.dropped_segments, office.keep_one_in) == (20, 3, 4)
    assert (office.conversations_with_loss, office.problems) == (65, "eth0 is down")
    assert office.last_heard == "2026-01-01 09:00:20"
    other = next(one for one in report.sensors if one.sensor != "office")
    assert (other.segments, other.kernel_drops, other.last_heard) == (5790, 0, "")
    text = "The sensor office lost 3 frames and shed 20 segments and gave up 3 segments"
    assert any(text in statement.text for statement in report.statements)
    assert any("65 conversations with segments captured while frames" in one.text for one in report.quality)


def test_estimates_are_told_as_such(environment: dict[str, str]) -> None:
    report = reported(environment, "office")
    assert report.summary["segments"] == 5790
    (estimate,) = (one for one in report.statements if one.figure == "estimates")
    assert "one in 4 was kept" in estimate.text
    assert f"an estimate, there were {4 * 5790:,} segments" in estimate.text
    assert "an estimate, there were" not in page(reported_without_shares(environment))


def reported_without_shares(environment: dict[str, str]) -> Report:
    report = reported(environment)
    (other,) = (one.sensor for one in report.sensors if one.sensor != "office")
    return reported(environment, other)._replace(scope=Scope(sensor="x"))


def test_stories_say_that_segments_were_not_kept(environment: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "report.html"
    assert segwatch("report", *WHOLE, "-o", output, **environment).returncode == 0
    text = output.read_text("utf-8")
    assert text.count("The store has not kept its segments") == text.count('class="story"') == 5
    assert text.count("What is not known") == 5
    assert "only where a label was given" in text
    assert "[minute 09:0" in text
    assert len(text.encode()) < LARGEST
    assert plots_drawn(output, tmp_path) == text.count('class="plot"') >= 5


def test_sessions_of_the_same_traffic_stay_apart(environment: dict[str, str]) -> None:
    report = reported(environment)
    assert report.summary["conversations"] == 130
    assert report.summary["hosts"] == 74
    sources = [told.source.split()[1] for told in report.told]
    assert "office," in sources
    assert len(set(sources)) == 2
