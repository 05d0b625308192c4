"""What a capture holds and what is wrong in it, as an object for people's tables and for JSON (docs/summary.md)."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.jobs.content import Content
from segwatch.jobs.grouping import RATE_FIELDS, group_rows, select_pairs, sum_by_group
from segwatch.jobs.link_types import link_type_name
from segwatch.jobs.reasons import SYN_ALONE, reasons, score_conversations
from segwatch.jobs.totals import Sum, Totals
from segwatch.vocabulary import LABEL_NAMES, RESET_NAMES, Reset

WORST = 10
"""Rows of each list of the worst."""
SAMPLE = 100
"""Segments with data that a host or pair must have sent before its rate of retransmissions is judged."""
HIGH_RATE = 0.01
"""Share of bytes sent again from which a host or pair is listed."""

_BILLION = 1_000_000_000
_QUANTILES = (50, 90, 99)
_BITS_PER_TROUBLE = 8


class Summary:
    """Collects what the summary of one capture needs."""

    def __init__(self, totals: Totals | None = None, resets: npt.NDArray[np.int64] | None = None) -> None:
        """Begin with what was counted elsewhere, if anything was; ``resets``: by class."""
        self.totals = Totals() if totals is None else totals
        self._resets = np.zeros(len(RESET_NAMES), np.int64) if resets is None else resets
        self._segments = int(self.totals.sums[Sum.SEGMENTS])

    def add_rows(self, resets: npt.NDArray[np.uint8]) -> None:
        """Count segments and their reset classes ((N,) ``vocabulary.Reset``)."""
        self._segments += len(resets)
        self._resets += np.bincount(resets, minlength=len(RESET_NAMES))

    def add_intervals(self, intervals: npt.NDArray[Any], conversations: int) -> None:
        """Count closed intervals of a capture that has had that many conversations so far."""
        self.totals.add(intervals, conversations)

    def finished(self, content: Content) -> dict[str, Any]:
        """Return the summary: plain objects with the members that docs/summary.md describes."""
        conversations, sums = self.totals.conversations, self.totals.sums
        scores = np.empty(len(conversations), np.int64)
        with_closed_window = score_conversations(conversations, self.totals.troubles, scores)
        return {
            "name": content.name,
            "format": content.format,
            "digest": content.digest,
            "bytes": content.bytes,
            "damage": content.damage,
            "link_types": [link_type_name(number) for number in content.link_types],
            "frames": content.frames,
            "segments": self._segments,
            "conversations": len(conversations),
            "unanswered": int(np.count_nonzero(conversations["completeness"] == SYN_ALONE)),
            "hosts": len(self.totals.hosts),
            "first": _time_text(content.first) if content.frames else None,
            "last": _time_text(content.last) if content.frames else None,
            "seconds": _seconds(content.last - content.first),
            "skipped": {reason: count for reason, count in content.skipped.items() if count},
            "payload_bytes": int(sums[Sum.PAYLOAD_BYTES]),
            "retransmitted_bytes": int(sums[Sum.RETRANSMITTED_BYTES]),
            "labels": self._labels(),
            "resets": {RESET_NAMES[n]: int(self._resets[n]) for n in _falling(self._resets) if n != Reset.NONE},
            "zero_window": self._zero_window(with_closed_window),
            "rtt": {
                "client_side": self._rtt(0),
                "server_side": self._rtt(1),
                "initial": _initial_rtt(conversations["initial_rtt"]),
            },
            "worst_conversations": _worst(self.totals, conversations, scores),
            "retransmitting_hosts": _hosts(self.totals, conversations),
            "retransmitting_pairs": _pairs(self.totals, conversations),
        }

    def _labels(self) -> dict[str, int]:
        counts = self.totals.sums[Sum.LABELS :]
        return {LABEL_NAMES[bit]: int(counts[bit]) for bit in _falling(counts)}

    def _zero_window(self, conversations: int) -> dict[str, Any]:
        time = self.totals.sums[Sum.ZERO_WINDOW_TIME : Sum.ZERO_WINDOW_TIME + 2]
        return {
            "conversations": conversations,
            "client_seconds": _seconds(int(time[0])),
            "server_seconds": _seconds(int(time[1])),
        }

    def _rtt(self, side: int) -> dict[str, Any] | None:
        """Return the times from the sensor to one side and back."""
        sums = self.totals.sums
        count = int(sums[Sum.RTT_COUNT + side])
        if not count:
            return None
        return {
            "samples": count,
            "min_seconds": _seconds(int(sums[Sum.RTT_MIN + side])),
            "average_seconds": _seconds(int(sums[Sum.RTT_SUM + side]) // count),
            "max_seconds": _seconds(int(sums[Sum.RTT_MAX + side])),
        }


def _falling(counts: npt.NDArray[np.int64]) -> list[int]:
    """Return the places that are not 0, the largest first."""
    return [int(place) for place in np.argsort(-counts, kind="stable") if counts[place] > 0]


def _seconds(nanoseconds: int) -> float:
    return nanoseconds / _BILLION


def _time_text(nanoseconds: int) -> str:
    """Return a time as RFC 3339 text with nanoseconds, or as seconds where the calendar does not reach."""
    seconds, fraction = divmod(nanoseconds, _BILLION)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
    except (OverflowError, ValueError, OSError):
        return f"{seconds}.{fraction:09d}"


def _initial_rtt(times: npt.NDArray[np.int64]) -> dict[str, Any] | None:
    known = times[times > 0]
    if not len(known):
        return None
    quantiles = np.percentile(known, _QUANTILES, method="inverted_cdf")
    return {
        "conversations": len(known),
        "min_seconds": _seconds(int(known.min())),
        **{f"p{share}_seconds": _seconds(int(time)) for share, time in zip(_QUANTILES, quantiles, strict=True)},
        "max_seconds": _seconds(int(known.max())),
    }


def _worst(totals: Totals, conversations: npt.NDArray[Any], scores: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    # Most conversations have nothing wrong; they are left out first, as choosing among equals is slow.
    places = np.flatnonzero(scores > 0)
    return [_conversation(totals, conversations[place]) for place in _largest(scores[places], places, WORST)]


def _conversation(totals: Totals, total: Any) -> dict[str, Any]:
    return {
        "client": totals.hosts.name(total["client"]),
        "client_port": int(total["client_port"]),
        "server": totals.hosts.name(total["server"]),
        "server_port": int(total["server_port"]),
        "segments": int(total["segments"].sum()),
        "payload_bytes": int(total["payload_bytes"].sum()),
        "opened": _time_text(int(total["opened"])),
        "seconds": _seconds(int(total["last"]) - int(total["opened"])),
        "why": reasons(total, totals.troubles[total["trouble"]]),
    }


def _hosts(totals: Totals, conversations: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """Return the hosts that send much again."""
    clients, servers = conversations["client"], conversations["server"]
    rates = _rates(conversations, totals.troubles, clients, servers, len(totals.hosts))
    return [{"host": totals.hosts.name(place), **_rate(rates, place)} for place in _highest(rates)]


def _pairs(totals: Totals, conversations: npt.NDArray[Any]) -> list[dict[str, Any]]:
    """Return the pairs of a client and a server's port between which much is sent again."""
    rows = np.empty(len(conversations), np.int32)
    bits = np.zeros(1 << (_BITS_PER_TROUBLE * len(totals.troubles)).bit_length(), np.uint8)
    chosen = conversations[rows[: select_pairs(conversations, totals.troubles, bits, rows)]]
    columns = [chosen[name].astype(np.uint64) for name in ("client", "server", "server_port")]
    groups, first = group_rows(np.column_stack(columns))
    rates = _rates(chosen, totals.troubles, groups, groups, len(first))
    found = []
    for place in _highest(rates):
        one = chosen[first[place]]
        names = {side: totals.hosts.name(one[side]) for side in ("client", "server")}
        found.append({**names, "server_port": int(one["server_port"]), **_rate(rates, place)})
    return found


def _rates(
    conversations: npt.NDArray[Any],
    troubles: npt.NDArray[Any],
    clients: npt.NDArray[np.int32],
    servers: npt.NDArray[np.int32],
    count: int,
) -> dict[str, npt.NDArray[Any]]:
    """Return sums by group; ``clients``, ``servers``: (C,), the group that what each side sent belongs to."""
    sums = np.zeros((count, len(RATE_FIELDS)), np.int64)
    sum_by_group(conversations, troubles, clients, servers, sums)
    return dict(zip(RATE_FIELDS, sums.T, strict=True))


def _highest(rates: dict[str, npt.NDArray[Any]]) -> list[int]:
    judged = (rates["data_segments"] >= SAMPLE) & (rates["payload_bytes"] > 0)
    places = np.flatnonzero(judged)
    share = rates["retransmitted_bytes"][places] / rates["payload_bytes"][places]
    high = share >= HIGH_RATE
    return _largest(share[high], places[high], WORST)


def _rate(rates: dict[str, npt.NDArray[Any]], place: int) -> dict[str, Any]:
    return {
        **{name: int(values[place]) for name, values in rates.items()},
        "retransmitted_share": float(rates["retransmitted_bytes"][place] / rates["payload_bytes"][place]),
    }


def _largest(score: npt.NDArray[Any], places: npt.NDArray[Any], count: int) -> list[int]:
    """Return those of ``places`` whose ``score`` is largest, the largest first; equal ones in their order."""
    if len(score) > count:
        limit = np.partition(score, len(score) - count)[len(score) - count]
        chosen = np.flatnonzero(score >= limit)
        score, places = score[chosen], places[chosen]
    return [int(place) for place in places[np.argsort(-score, kind="stable")[:count]]]
