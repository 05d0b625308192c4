"""Why a conversation is a bad one: as a number that ranks it, and in words."""

from typing import Any

import numpy.typing as npt

from segwatch.compilation import kernel
from segwatch.vocabulary import Completeness, Reset

FEW_SEGMENTS = 20
"""Below this many segments with data a share says little, and counts in proportion."""
_BILLION = 1_000_000_000

POINT = 1000
"""Scores are counted in thousandths of a point, as kernels know no fractions."""
POINTS_OF_RESET = {
    Reset.REFUSED: 5,
    Reset.HANDSHAKE_ABORTED: 5,
    Reset.ABORTED_BY_CLIENT: 5,
    Reset.ABORTED_BY_SERVER: 10,
    Reset.HALF_OPEN: 5,
    Reset.AFTER_IDLE: 5,
    Reset.OFF_SEQUENCE: 15,
    Reset.KEEP_ALIVE_FAILURE: 10,
}
_SCORE_OF_RESET = tuple(POINT * POINTS_OF_RESET.get(reset, 0) for reset in Reset)
UNANSWERED_SCORE = 5 * POINT
SYN_ALONE = int(Completeness.SYN)
_WHOLE = 100 * POINT
LARGE = 1 << 43
"""Numbers below it can be multiplied by ``_WHOLE`` in 64 bits."""

_RESET_WORDS = {
    Reset.REFUSED: "refused by the server",
    Reset.HANDSHAKE_ABORTED: "reset during the handshake",
    Reset.AFTER_FIN: "late data reset after the close",
    Reset.ABORTED_BY_CLIENT: "reset by the client",
    Reset.ABORTED_BY_SERVER: "reset by the server",
    Reset.HALF_OPEN: "reset: the other side did not know the connection",
    Reset.AFTER_IDLE: "reset after a long silence",
    Reset.OFF_SEQUENCE: "reset off sequence, perhaps injected",
    Reset.KEEP_ALIVE_FAILURE: "reset after keep-alives went unanswered",
    Reset.REPEATED: "reset repeatedly",
}
_SIDES = ("client", "server")
_LEAST_PERCENT = 0.001


@kernel
def _share(part: int, whole: int) -> int:
    """Return ``part`` of ``whole`` in thousandths of a per cent, at most all of it."""
    if part <= 0 or whole <= 0:
        return 0
    if part >= whole:
        return _WHOLE
    return _WHOLE * part // whole if whole < LARGE else part // (whole // _WHOLE)


@kernel
def _score(total: Any, trouble: Any) -> int:
    payload = int(total["payload_bytes"][0]) + int(total["payload_bytes"][1])
    again = int(trouble["retransmitted_bytes"][0]) + int(trouble["retransmitted_bytes"][1])
    data_segments = int(total["data_segments"][0]) + int(total["data_segments"][1])
    segments = int(total["segments"][0]) + int(total["segments"][1])
    closed = max(int(trouble["zero_window_time"][0]), int(trouble["zero_window_time"][1]))
    shares = _share(again, payload) + _share(int(trouble["lost_segments"]), segments)
    score = shares * min(data_segments, FEW_SEGMENTS) // FEW_SEGMENTS
    score += _share(closed, int(total["last"]) - int(total["opened"]))
    score += _SCORE_OF_RESET[int(total["reset"])]
    return score + (UNANSWERED_SCORE if int(total["completeness"]) == SYN_ALONE else 0)


@kernel
def score_conversations(conversations: Any, troubles: Any, scores: Any) -> int:
    """Write how bad each of the ``CONVERSATION_TOTALS`` is; return how many had a closed window.

    ``scores``: (C,) int64, thousandths of a point; 0 is nothing to say. The percentage of payload bytes sent again,
    plus the percentage of segments before which some are missing, plus the percentage of the conversation's time with
    a closed window, plus points for how it ended (``POINTS_OF_RESET``).
    """
    with_closed_window = 0
    for place in range(len(conversations)):
        total = conversations[place]
        trouble = troubles[total["trouble"]]
        scores[place] = _score(total, trouble)
        if int(trouble["zero_windows"]) > 0 or max(trouble["zero_window_time"][0], trouble["zero_window_time"][1]) > 0:
            with_closed_window += 1
    return with_closed_window


def reasons(total: Any, trouble: Any) -> list[str]:
    """Return what is wrong with one of the ``CONVERSATION_TOTALS``, which has that ``TROUBLE``, a phrase each."""
    found = [*_retransmissions(total, trouble), *_windows(trouble)]
    if lost := int(trouble["lost_segments"]):
        found.append(f"{lost:,} {'gap' if lost == 1 else 'gaps'} in what was captured")
    if late := int(trouble["out_of_order"]):
        found.append(f"{late:,} out of order")
    if total["completeness"] == SYN_ALONE:
        found.append("no answer to the SYN")
    reset = Reset(int(total["reset"]))
    if reset is not Reset.NONE:
        found.append(_RESET_WORDS[reset])
    return found


def _retransmissions(total: Any, trouble: Any) -> list[str]:
    payload, again = int(total["payload_bytes"].sum()), int(trouble["retransmitted_bytes"].sum())
    if again:
        return [f"{share_text(again / payload)} of bytes retransmitted{_by(trouble['retransmitted_bytes'])}"]
    count = int(trouble["retransmissions"].sum())
    return [f"{count:,} retransmitted{_by(trouble['retransmissions'])}"] if count else []


def _windows(trouble: Any) -> list[str]:
    found = [
        f"{seconds_text(int(time))} zero window at the {side}"
        for side, time in zip(_SIDES, trouble["zero_window_time"], strict=True)
        if time > 0
    ]
    closed = int(trouble["zero_windows"])
    return found if found or not closed else [f"zero window {_times(closed)}"]


def _by(counts: npt.NDArray[Any]) -> str:
    """Return which side most of it came from, if one did."""
    for side in range(2):
        if counts[1 - side] == 0:
            return f" by the {_SIDES[side]}"
    return ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def share_text(share: float) -> str:
    """Return a share for people, in per cent."""
    percent = 100 * share
    if 0 < percent < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT} %"
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"


def seconds_text(nanoseconds: int) -> str:
    """Return a duration for people: two or three digits and a unit."""
    seconds = nanoseconds / _BILLION
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        value = seconds * factor
        if value >= 1:
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{nanoseconds} ns"
