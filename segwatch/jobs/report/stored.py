"""What a report on the store is made of: its figures are what their own SQL gives."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from segwatch.counts import bytes_text, count_text
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.story import story_of
from segwatch.jobs.content import Content
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.explain.stored import StoredConversations, opened_conversations
from segwatch.jobs.summary import Summary
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.report.content import Report, SensorQuality, ToldConversation
from segwatch.report.plots import sequence_plot, timeline_plots
from segwatch.report.quality import marked_conversations
from segwatch.report.queries import queries
from segwatch.report.timeline import BINS, ROWS, Timeline
from segwatch.report.words import Statement
from segwatch.scope import Scope
from segwatch.times import NANOSECONDS
from segwatch.vocabulary import RESET_NAMES
from sinks.querying import Querying

_MINUTES: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080, 43_200, 525_600)
"""Widths of bins over time: the first one is taken with which ``BINS`` are enough."""
_MOST_FILES: Final = 10
"""More of them are told of together."""
Row = dict[str, Any]


def stored_report(store: str, scope: Scope, rules: str, wanted: Wanted) -> Report:
    """Return the report on what a store has of a scope. Raises StoreError, and InputError where there is nothing."""
    with opened_conversations(store, scope, rules) as stored:
        totals, answers = stored.totals, _Answers(stored.querying, scope)
        resets = np.zeros(len(RESET_NAMES), np.int64)
        for row in answers.rows("resets"):
            resets[RESET_NAMES.index(row["reset"])] = row["segments"]
        summary = Summary(totals, resets).finished(_content(stored))
        minutes = _bin_minutes(summary["seconds"])
        told = list(_told(stored, wanted))
        sensors = list(_sensors(answers))
        return Report(
            title="TCP on the network" if scope.sensor is None else f"TCP at {scope.sensor}",
            about=f"From the store {stored.address} {scope.text}",
            summary=summary,
            statements=[*_estimates(answers), *_losses(sensors)],
            timeline=timeline_plots(_timeline(answers, minutes)),
            told=told,
            quality=[*_captures(answers), *_marks(answers)],
            sensors=sensors,
            scope=scope,
            minutes=minutes,
            note=_note(scope, rules),
        )


def _note(scope: Scope, rules: str) -> str:
    range_note = " Counters are kept by the minute, so the report is about whole minutes." if scope.begin else ""
    return (
        f"Conversations whose segments are kept were analysed again with the rule set {rules}. The SQL asks the store "
        f"that this report was made from.{range_note}"
    )


class _Answers:
    """What the SQL of a report's figures gives."""

    def __init__(self, querying: Querying, scope: Scope) -> None:
        self._querying = querying
        self._scope = scope

    def rows(self, figure: str, place: int = 0, *, minutes: int = 1) -> list[Row]:
        """Return the rows of one of a figure's queries, with the names of its columns."""
        result = self._querying.run(queries(figure, self._scope, minutes=minutes)[place])
        names = [name for name, _ in result.columns]
        return [dict(zip(names, row, strict=True)) for row in result.rows]


def _content(stored: StoredConversations) -> Content:
    conversations = stored.totals.conversations
    return Content(
        name=f"the store {stored.address}",
        format="store",
        link_types=(),
        frames=int(conversations["segments"].sum()),
        first=stored.first,
        last=int(conversations["last"].max()),
        bytes=0,
        skipped={},
        damage=None,
        digest=None,
    )


def _bin_minutes(seconds: float) -> int:
    """Return the width of bins for so long a time, which may begin and end within one."""
    return next(minutes for minutes in _MINUTES if 60 * minutes * (BINS - 2) >= seconds)


def _timeline(answers: _Answers, minutes: int) -> Timeline:
    rows = answers.rows("timeline", minutes=minutes)
    width = minutes * INTERVAL_NANOSECONDS
    first = min(row["begin"] for row in rows) * NANOSECONDS
    places = [(row["begin"] * NANOSECONDS - first) // width for row in rows]
    sums = np.zeros((len(ROWS), min(max(places) + 1, BINS)), np.int64)
    for place, row in zip(places, rows, strict=True):
        sums[:, min(place, BINS - 1)] += [row[name] for name in ROWS]
    return Timeline.of_sums(first, width, sums)


def _told(stored: StoredConversations, wanted: Wanted) -> Iterator[ToldConversation]:
    for key, ledger in stored.ledgers(wanted.chosen(stored.totals, stored.streams)):
        source = f"Sensor {stored.sensor(key.session)}, session {key.session}."
        sql = queries("labelled", key.scope)
        if ledger.is_whole:
            sql += queries("segments", key.scope, ends=_ends(ledger))
        else:
            source += " The store has not kept its segments: what labels and counters prove is told."
        yield ToldConversation(story_of(ledger), sequence_plot(ledger), source, ledger.is_whole, sql)


def _ends(ledger: Ledger) -> str:
    """Return the condition for segments between the ends of a conversation."""
    (client, client_port), (server, server_port) = (_end(ledger, side) for side in (CLIENT, SERVER))
    one = f"({client}, {client_port}, {server}, {server_port})"
    return f"(src, sport, dst, dport) IN ({one}, ({server}, {server_port}, {client}, {client_port}))"


def _end(ledger: Ledger, side: int) -> tuple[str, int]:
    address, port = ledger.end_text(side).rsplit(":", 1)
    return f"toIPv6('{address.strip('[]')}')", int(port)


def _estimates(answers: _Answers) -> Iterator[Statement]:
    """Say how much there was on the network where only a share of it was kept."""
    (row,) = answers.rows("estimates")
    if row["keep_one_in"] > 1:
        text = (
            f"Sensors had more to do than they could, and left out whole conversations: at worst one in "
            f"{row['keep_one_in']:,} was kept. All figures here are of what was captured. As far as that can tell, an "
            f"estimate, there were {count_text(row['estimated_segments'], 'segment')} with "
            f"{bytes_text(row['estimated_payload_bytes'])} of payload."
        )
        yield Statement("fair", text, "estimates")


def _losses(sensors: list[SensorQuality]) -> Iterator[Statement]:
    """Say which sensors lost something."""
    for one in sensors:
        lost = one.kernel_drops + one.interface_drops
        parts = [f"lost {count_text(lost, 'frame')}"] if lost else []
        parts += [f"shed {count_text(one.shed_segments, 'segment')}"] if one.shed_segments else []
        parts += [f"gave up {count_text(one.dropped_segments, 'segment')}"] if one.dropped_segments else []
        if parts:
            text = f"The sensor {one.sensor} {' and '.join(parts)}: what seems missing may have been there."
            yield Statement("fair", text, "sensors")


def _captures(answers: _Answers) -> Iterator[Statement]:
    """Tell of the files, and of what could not be read of them."""
    rows = answers.rows("captures")
    for row in rows if len(rows) <= _MOST_FILES else [row for row in rows if row["problem"]]:
        text = f"{row['file_name']}: {row['frames']:,} frames, {row['segments']:,} TCP segments."
        state = "bad" if row["problem"] else "plain"
        yield Statement(state, f"{text} Incomplete: {row['problem']}" if row["problem"] else text, "captures")
    if len(rows) > _MOST_FILES:
        frames, segments = (sum(row[name] for row in rows) for name in ("frames", "segments"))
        text = f"{len(rows):,} captures in all: {frames:,} frames, {segments:,} TCP segments."
        yield Statement("plain", text, "captures")


def _marks(answers: _Answers) -> Iterator[Statement]:
    return marked_conversations({row["mark"]: row["conversations"] for row in answers.rows("marks")})


def _sensors(answers: _Answers) -> Iterator[SensorQuality]:
    beats = {row["sensor"]: row for row in answers.rows("sensors", 0)}
    counted = {row["sensor"]: row for row in answers.rows("sensors", 1)}
    suspect = {row["sensor"]: row["suspect_labels"] for row in answers.rows("sensors", 2)}
    for sensor in sorted(beats | counted):
        beat, own = beats.get(sensor, {}), counted.get(sensor, {})
        yield SensorQuality(
            sensor=sensor,
            sessions=max(own.get("sessions", 0), beat.get("sessions", 0)),
            begun_sessions=beat.get("begun_sessions", 0),
            segments=own.get("segments", 0),
            kernel_drops=beat.get("kernel_drops", 0),
            interface_drops=beat.get("interface_drops", 0),
            shed_segments=beat.get("shed_segments", 0),
            dropped_segments=beat.get("dropped_segments", 0),
            keep_one_in=beat.get("keep_one_in", 1),
            conversations_with_loss=own.get("with_capture_loss", 0),
            suspect_labels=suspect.get(sensor, 0),
            last_heard=f"{beat['last_heard']:%Y-%m-%d %H:%M:%S}" if beat else "",
            problems=beat.get("problems", ""),
        )
