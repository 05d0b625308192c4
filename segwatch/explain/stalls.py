"""Where time went: the longest silences of a conversation, and what was waited for."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from segwatch.explain.ledger import Ledger
from segwatch.explain.sentences import Sentence, moment_text, span_text, the
from segwatch.vocabulary import RETRANSMISSIONS, Flag, Label

MOST_STALLS: Final = 5
"""Those that are told of one by one."""
MOST_SUMMED: Final = 1000
"""The longest ones, whose reasons are looked for."""
SHORTEST_STALL: Final = 200_000_000
"""Nanoseconds: RFC 6298 allows timers of a second, Linux has 200 ms; shorter pauses are part of the normal course."""
ROUND_TRIPS: Final = 3
"""A silence counts from so many round trips on, where one takes long."""
_REPEATS: Final = RETRANSMISSIONS | Label.OUT_OF_ORDER
_PROBES: Final = Label.KEEP_ALIVE | Label.KEEP_ALIVE_ACK


_MEANINGS: Final = {
    "closed_window": "because a window was closed",
    "timeout": "until something was sent again",
    "application": "because an application sent nothing",
    "acknowledgment": "until data was acknowledged",
    "handshake": "until a request was answered",
    "idle": "between keep-alives",
    "silence": "before something without data",
}


class _Reason(NamedTuple):
    """Why nothing was sent."""

    topic: str
    """One of ``_MEANINGS``."""
    text: str


class _Stall(NamedTuple):
    """A silence."""

    row: int
    """What ended it."""
    silence: int
    """Nanoseconds."""
    reason: _Reason


def stalls(ledger: Ledger) -> Iterator[Sentence]:
    """Tell how much time was silence and why, and then of the longest ones in the order of time."""
    least = max(SHORTEST_STALL, ROUND_TRIPS * int(ledger.findings.initial_rtt.max(initial=0)))
    found = [
        _Stall(row, silence, _reason(ledger, row))
        for row, silence in islice(ledger.gaps(), MOST_SUMMED)
        if silence >= least
    ]
    if len(found) > 1:
        yield _sum(ledger, found, least)
    for row, silence, reason in sorted(found[:MOST_STALLS]):
        before = int(ledger.time[row - 1])
        text = f"For {span_text(silence)} from {moment_text(before)} on nothing was sent: {reason.text}."
        yield Sentence(reason.topic, text, ledger.frames([row - 1, row]), before, {"silence": silence})


def _sum(ledger: Ledger, found: list[_Stall], least: int) -> Sentence:
    spans: Counter[str] = Counter()
    for stall in found:
        spans[stall.reason.topic] += stall.silence
    silence = spans.total()
    parts = ", ".join(f"{span_text(span)} {_MEANINGS[topic]}" for topic, span in spans.most_common())
    whole = span_text(int(ledger.time[-1]))
    text = f"Silences of {span_text(least)} and more take {span_text(silence)} of {whole}: {parts}."
    rows = sorted({row for stall in found for row in (stall.row - 1, stall.row)})
    return Sentence("silences", text, ledger.frames(rows), 0, {"silence": silence, "stalls": len(found), **spans})


def _reason(ledger: Ledger, row: int) -> _Reason:
    """Say what the segment in ``row`` had been waited for."""
    side, before = int(ledger.side[row]), int(ledger.side[row - 1])
    labels = Label(int(ledger.findings.labels[row]))
    if ledger.segments.flags[row] & int(Flag.RST):
        return _Reason("silence", f"until {the(side)} broke the connection off")
    if labels & _PROBES:
        return _Reason("idle", "neither side had anything to send, but for the question whether the other is there")
    if (closed := _closed_side(ledger, row, side, labels)) is not None:
        return _Reason("closed_window", f"{the(closed)} had no room for more (window 0)")
    if ledger.segments.flags[row] & int(Flag.SYN):
        return _Reason("handshake", "the request for a connection had not been answered")
    if labels & _REPEATS and ledger.length[row]:
        return _Reason("timeout", f"{the(side)} waited for an acknowledgment, and then sent again")
    if not ledger.length[row] and before != side and ledger.length[row - 1]:
        return _Reason("acknowledgment", f"{the(side)} took its time to acknowledge")
    if not ledger.length[row] and ledger.segments.flags[row] & int(Flag.FIN):
        return _Reason("application", f"the application of {the(side)} had nothing more to send, and closed")
    if ledger.length[row]:
        return _application(ledger, row, side)
    return _Reason("silence", f"until {the(side)} sent something without data")


def _application(ledger: Ledger, row: int, side: int) -> _Reason:
    """Say whose application was silent, by who had sent the last data before."""
    last = ledger.earlier(row, ledger.has_data)
    if last is not None and int(ledger.side[last]) != side:
        return _Reason("application", f"the application of {the(side)} took its time to answer")
    return _Reason("application", f"the application of {the(side)} had nothing to send")


def _window_before(ledger: Ledger, row: int, side: int) -> int | None:
    """Return the last window that a side had announced before ``row``."""
    said = ledger.earlier(row, ledger.announces[side])
    return None if said is None else int(ledger.findings.window[said])


def _is_closed(ledger: Ledger, row: int, side: int) -> bool:
    return _window_before(ledger, row, side) == 0


def _closed_side(ledger: Ledger, row: int, side: int, labels: Label) -> int | None:
    """Return whose window was closed in the silence before a segment of ``side``, None for nobody's."""
    for one in (1 - side, side):
        if _is_closed(ledger, row, one):
            return one
    if labels & Label.ZERO_WINDOW_PROBE:
        return 1 - side
    return None
