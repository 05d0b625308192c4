"""Why a conversation is a bad one: as a number that ranks it, and in words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from segwatch.vocabulary import Completeness, Reset

_FEW_SEGMENTS = 20
"""Below this many segments with data a share says little, and counts in proportion."""
_BILLION = 1_000_000_000

_RESET_SCORES = {
    Reset.REFUSED: 5.0,
    Reset.HANDSHAKE_ABORTED: 5.0,
    Reset.ABORTED_BY_CLIENT: 5.0,
    Reset.ABORTED_BY_SERVER: 10.0,
    Reset.HALF_OPEN: 5.0,
    Reset.AFTER_IDLE: 5.0,
    Reset.OFF_SEQUENCE: 15.0,
    Reset.KEEP_ALIVE_FAILURE: 10.0,
}
_UNANSWERED_SCORE = 5.0
_SCORE_OF_RESET = np.array([_RESET_SCORES.get(Reset(number), 0.0) for number in range(len(Reset))])

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


def scores(conversations: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return (C,) how bad each of the ``CONVERSATION_TOTALS`` is; 0 is nothing to say.

    The percentage of payload bytes sent again, plus the percentage of its time with a closed window, plus the
    percentage of segments before which some are missing, plus points for how it ended (``_RESET_SCORES``).
    """
    payload = conversations["payload_bytes"].sum(axis=1)
    again = conversations["retransmitted_bytes"].sum(axis=1)
    confidence = np.minimum(conversations["data_segments"].sum(axis=1) / _FEW_SEGMENTS, 1)
    lifetime = conversations["last"] - conversations["opened"]
    closed = np.minimum(conversations["zero_window_time"].max(axis=1), lifetime)
    segments = conversations["segments"].sum(axis=1)
    score: npt.NDArray[np.float64] = 100 * confidence * again / np.maximum(payload, 1)
    score += 100 * np.maximum(closed, 0) / np.maximum(lifetime, 1)
    score += 100 * confidence * conversations["lost_segments"] / np.maximum(segments, 1)
    score += _SCORE_OF_RESET[conversations["reset"]]
    score += np.where(conversations["completeness"] == Completeness.SYN, _UNANSWERED_SCORE, 0)
    return score


def reasons(total: Any) -> list[str]:
    """Return what is wrong with one of the ``CONVERSATION_TOTALS``, a phrase each."""
    found = [*_retransmissions(total), *_windows(total)]
    if lost := int(total["lost_segments"]):
        found.append(f"{lost:,} {'gap' if lost == 1 else 'gaps'} in what was captured")
    if late := int(total["out_of_order"]):
        found.append(f"{late:,} out of order")
    if total["completeness"] == Completeness.SYN:
        found.append("no answer to the SYN")
    reset = Reset(int(total["reset"]))
    if reset is not Reset.NONE:
        found.append(_RESET_WORDS[reset])
    return found


def _retransmissions(total: Any) -> list[str]:
    payload, again = int(total["payload_bytes"].sum()), int(total["retransmitted_bytes"].sum())
    if again:
        return [f"{_percent(again / payload)} of bytes retransmitted{_by(total['retransmitted_bytes'])}"]
    count = int(total["retransmissions"].sum())
    return [f"{count:,} retransmitted{_by(total['retransmissions'])}"] if count else []


def _windows(total: Any) -> list[str]:
    found = [
        f"{seconds_text(int(time))} zero window at the {side}"
        for side, time in zip(_SIDES, total["zero_window_time"], strict=True)
        if time > 0
    ]
    closed = int(total["zero_windows"])
    return found if found or not closed else [f"zero window {_times(closed)}"]


def _by(counts: npt.NDArray[Any]) -> str:
    """Return which side most of it came from, if one did."""
    for side in range(2):
        if counts[1 - side] == 0:
            return f" by the {_SIDES[side]}"
    return ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def seconds_text(nanoseconds: int) -> str:
    """Return a duration for people: two or three digits and a unit."""
    seconds = nanoseconds / _BILLION
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        value = seconds * factor
        if value >= 1:
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{nanoseconds} ns"
