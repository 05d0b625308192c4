"""Where time went: the longest silences of a conversation, and what was waited for."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from segwatch.explain.ledger import Ledger
from segwatch.explain.opening import round_trip
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
    "handshake": "while the connection was not open yet",
    "idle": "between keep-alives",
    "room": "until a receiver said how much room it has",
    "silence": "before something without data",
}


class Reason(NamedTuple):
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
    reason: Reason


def stalls(ledger: Ledger) -> Iterator[Sentence]:
    """Tell how much time was silence and why, and then of the longest ones in the order of time."""
    least = worth_telling(round_trip(ledger))
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


def worth_telling(round_trip_time: int) -> int:
    """Return the shortest silence that counts, where a round trip takes that long (nanoseconds)."""
    return max(SHORTEST_STALL, ROUND_TRIPS * round_trip_time)


def silence_reason(ledger: Ledger, row: int) -> Reason:
    """Say what the segment in ``row`` had been waited for, as far as it says so itself."""
    side = int(ledger.side[row])
    closed = 1 - side if ledger.findings.labels[row] & int(Label.ZERO_WINDOW_PROBE) else None
    own = _own_reason(ledger, row, side, closed)
    return own or Reason("silence", f"until {the(side)} sent frame {ledger.frame[row]:,}")


def _own_reason(ledger: Ledger, row: int, side: int, closed: int | None) -> Reason | None:
    """Say what a segment of ``side`` had been waited for by its flags and labels; ``closed``: whose window was."""
    labels, flags = Label(int(ledger.findings.labels[row])), int(ledger.segments.flags[row])
    if flags & int(Flag.RST):
        return Reason("silence", f"until {the(side)} broke the connection off")
    if labels & _PROBES:
        return Reason("idle", "neither side had anything to send, but for the question whether the other is there")
    if closed is not None:
        return Reason("closed_window", f"{the(closed)} had no room for more (window 0)")
    if flags & int(Flag.SYN) and flags & int(Flag.ACK) and labels & _REPEATS:
        return Reason("handshake", "that the connection was accepted had not been confirmed")
    if flags & int(Flag.SYN):
        return Reason("handshake", "the request for a connection had not been accepted")
    if labels & _REPEATS and ledger.length[row]:
        return Reason("timeout", f"{the(side)} waited for an acknowledgment, and then sent again")
    if labels & Label.WINDOW_UPDATE:
        return Reason("room", f"until {the(side)} said how much room it has (window update)")
    return None


def _reason(ledger: Ledger, row: int) -> Reason:
    """Say what the segment in ``row`` had been waited for."""
    side, before = int(ledger.side[row]), int(ledger.side[row - 1])
    closed = _closed_side(ledger, row, side, Label(int(ledger.findings.labels[row])))
    if (own := _own_reason(ledger, row, side, closed)) is not None:
        return own
    if not ledger.length[row] and before != side and ledger.length[row - 1]:
        return Reason("acknowledgment", f"{the(side)} took its time to acknowledge")
    if not ledger.length[row] and ledger.segments.flags[row] & int(Flag.FIN):
        return Reason("application", f"the application of {the(side)} had nothing more to send, and closed")
    if ledger.length[row]:
        return _application(ledger, row, side)
    return Reason("silence", f"until {the(side)} sent something without data")


def _application(ledger: Ledger, row: int, side: int) -> Reason:
    """Say whose application was silent, by who had sent the last data before."""
    last = ledger.earlier(row, ledger.has_data)
    if last is not None and int(ledger.side[last]) != side:
        return Reason("application", f"the application of {the(side)} took its time to answer")
    return Reason("application", f"the application of {the(side)} had nothing to send")


def _window_before(ledger: Ledger, row: int, side: int) -> int | None:
    """Return the last window that a side had announced before ``row``."""
    said = ledger.earlier(row, ledger.announces[side])
    return None if said is None else int(ledger.findings.window[said])


def _is_closed(ledger: Ledger, row: int, side: int) -> bool:
    return _window_before(ledger, row, side) == 0


def _closed_side(ledger: Ledger, row: int, side: int, labels: Label) -> int | None:
    """Return whose window was closed in the silence before a segment of ``side``, None for nobody's.

    A side that sends its data again waited for its timer, whatever room it has itself.
    """
    repeats = labels & _REPEATS and ledger.length[row]
    for one in (1 - side,) if repeats else (1 - side, side):
        if _is_closed(ledger, row, one):
            return one
    if labels & Label.ZERO_WINDOW_PROBE:
        return 1 - side
    return None
