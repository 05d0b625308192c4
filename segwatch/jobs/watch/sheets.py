"""What the views show of a look: conversations, hosts, labels."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.endpoints import address_text
from segwatch.jobs.grouping import group_rows
from segwatch.jobs.reasons import reasons
from segwatch.jobs.watch.book import COUNTS, Count
from segwatch.jobs.watch.filtering import Filter
from segwatch.jobs.watch.picture import Look
from segwatch.jobs.watch.sheet import Column, Sheet
from segwatch.jobs.watch.texts import count, end_text, milliseconds, percent, seconds, short

CONVERSATIONS, HOSTS, LABELS = "conversations", "hosts", "labels"
VIEWS: Final = (CONVERSATIONS, HOSTS, LABELS)
WHY: Final = "why"


def sheet_of(view: str, look: Look, chosen: Filter, interfaces: Sequence[str]) -> Sheet:
    """Return a view of what ``chosen`` lets through; ``interfaces``: their names, in the order of their places."""
    if view == LABELS:
        return _labels(look)
    rows = np.flatnonzero(chosen.matches(look.ends))
    return _hosts(look, rows, chosen) if view == HOSTS else _conversations(look, rows, interfaces)


def _conversations(look: Look, rows: npt.NDArray[np.int64], interfaces: Sequence[str]) -> Sheet:
    ends = look.ends

    def end(side: str, row: int) -> str:
        one = ends[row]
        return end_text(one[side], int(one["ip_version"]), int(one[f"{side}_port"]))

    def why(row: int) -> str:
        return "; ".join(reasons(look.judged.totals[row], look.judged.troubles[row]))

    names = [
        Column("client", None, lambda row: end("client", row), 20, is_name=True),
        Column("server", None, lambda row: end("server", row), 20, is_name=True),
    ]
    numbers = _numbers(look.counts.sum(axis=1), look.seconds)
    more = [Column(WHY, None, why, 24, is_name=True)]
    if len(interfaces) > 1:
        more.insert(0, Column("interface", None, lambda row: interfaces[int(ends[row]["origin"])], 10))
    return Sheet([*names, *numbers, *more], rows, look.judged.scores)


def _hosts(look: Look, rows: npt.NDArray[np.int64], chosen: Filter) -> Sheet:
    """Return the hosts of some conversations; what is counted of a host is what it sent."""
    ends, counts = look.ends[rows], look.counts[rows]
    addresses = np.concatenate([ends["client"], ends["server"]])
    versions = np.concatenate([ends["ip_version"]] * 2).astype(np.uint64)
    groups, first = group_rows(np.column_stack([addresses, versions]))
    sent = _grouped(groups, len(first), np.concatenate([counts[:, 0], counts[:, 1]]))
    received = _grouped(groups, len(first), np.concatenate([counts[:, 1], counts[:, 0]]))
    conversations = np.bincount(groups, minlength=len(first))
    scores = np.bincount(groups, np.concatenate([look.judged.scores[rows]] * 2), len(first))
    per_second = received[:, Count.PAYLOAD_BYTES] / max(look.seconds, 1)
    names = [
        Column(
            "host", None, lambda row: address_text(addresses[first[row]], int(versions[first[row]])), 15, is_name=True
        ),
        Column("convs", conversations, lambda row: short(int(conversations[row]))),
    ]
    more = [Column("in B/s", per_second, lambda row: short(round(per_second[row])), 6)]
    matching = np.flatnonzero(chosen.matches_hosts(addresses[first]))
    return Sheet([*names, *_numbers(sent, look.seconds), *more], matching, scores)


def _grouped(groups: npt.NDArray[np.int32], size: int, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    sums = np.zeros((size, COUNTS), np.int64)
    np.add.at(sums, groups, counts)
    return sums


def _numbers(counts: npt.NDArray[np.int64], span: float) -> list[Column]:
    """Return the columns of numbers; ``counts``: (N, COUNTS)."""
    payload, again = counts[:, Count.PAYLOAD_BYTES], counts[:, Count.RETRANSMITTED_BYTES]
    share = np.divide(again, payload, out=np.zeros(len(counts)), where=payload > 0)
    samples = counts[:, Count.RTT_COUNT]
    rtt = np.divide(counts[:, Count.RTT_SUM], samples, out=np.zeros(len(counts)), where=samples > 0)
    per_second = payload / max(span, 1)
    closed, segments = counts[:, Count.ZERO_WINDOW_TIME], counts[:, Count.SEGMENTS]

    def counter(heading: str, place: Count, width: int = 4) -> Column:
        return Column(heading, counts[:, place], lambda row: count(int(counts[row, place])), width)

    return [
        Column("rtx%", share, lambda row: percent(float(share[row])), 5),
        counter("lost", Count.LOST_SEGMENTS),
        counter("ooo", Count.OUT_OF_ORDER),
        counter("dup", Count.DUPLICATE_ACKS),
        Column("zw s", closed, lambda row: seconds(int(closed[row])), 4),
        counter("rst", Count.RESETS, 3),
        Column("B/s", per_second, lambda row: short(round(per_second[row]))),
        Column("rtt ms", rtt, lambda row: milliseconds(float(rtt[row])), 6),
        Column("segments", segments, lambda row: short(int(segments[row])), 8),
    ]


def _labels(look: Look) -> Sheet:
    """Return labels and classes of resets: in the window, and since the start."""
    names = [*look.window.labels, *(f"reset: {name}" for name in look.window.reset_classes)]
    window, start = (
        np.array([*tally.labels.values(), *tally.reset_classes.values()]) for tally in (look.window, look.start)
    )
    rates = window / max(look.window.seconds, 1)

    def share(counts: npt.NDArray[Any], segments: int, row: int) -> str:
        return percent(int(counts[row]) / max(segments, 1))

    columns = [
        Column("label", None, lambda row: names[row], 26, is_name=True),
        Column("window", window, lambda row: count(int(window[row])), 8),
        Column("%", window, lambda row: share(window, look.window.segments, row), 5),
        Column("a second", rates, lambda row: short(rates[row]) if rates[row] else "", 8),
        Column("since start", start, lambda row: count(int(start[row])), 11),
        Column("% ", start, lambda row: share(start, look.start.segments, row), 5),
    ]
    seen = np.flatnonzero(start > 0)
    return Sheet(columns, seen, window)
