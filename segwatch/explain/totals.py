"""What a conversation came to: how much, how fast, and how much of it for nothing."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from segwatch.counts import bytes_text, count_text
from segwatch.explain.ledger import Ledger
from segwatch.explain.sentences import Sentence, copies_text, span_text, the, upper
from segwatch.jobs.reasons import share_text
from segwatch.vocabulary import RETRANSMISSIONS, Flag, Quality

CLEAN: Final = "Wireshark's analysis has nothing to say against any of its segments."
_BITS: Final = 8


def totals(ledger: Ledger) -> Iterator[Sentence]:
    """Tell what each side sent, and how far away both are."""
    span = int(ledger.time[-1])
    text = size_text(len(ledger), span)
    if ledger.is_cut:
        text = f"Of this conversation the first {count_text(len(ledger), 'segment')} are looked at ({span_text(span)})."
    yield Sentence("size", text, ledger.frames([0, len(ledger) - 1]), 0, {"segments": len(ledger), "span": span})
    yield from _one_way(ledger)
    copies = np.flatnonzero(ledger.segments.quality & int(Quality.SEEN_TWICE))
    if len(copies):
        text = f"{len(copies):,} of its segments {copies_text(len(copies))}"
        yield Sentence("copies", text, ledger.frames(copies), int(ledger.time[copies[0]]), {"segments": len(copies)})
    for side in (0, 1):
        yield from _sent(ledger, side, span)
        yield from _distance(ledger, side)
    if not ledger.findings.labels.any():
        yield Sentence("clean", CLEAN, ledger.frames([0, len(ledger) - 1]), 0, {"segments": 0})


def _one_way(ledger: Ledger) -> Iterator[Sentence]:
    """Say where the other side must have answered, and nothing of that is there."""
    sides = set(ledger.side.tolist())
    row = ledger.first(ledger.has(Flag.ACK) & ~ledger.has(Flag.RST))
    if len(sides) == 1 and row is not None:
        frames = ledger.frames(sorted({row, len(ledger) - 1}))
        yield Sentence("one_way", one_way_text(sides.pop()), frames, int(ledger.time[row]), {})


def one_way_text(side: int) -> str:
    """Say that only one direction was captured, and what that means for what is said otherwise."""
    return (
        f"Only what {the(side)} sent was captured: whatever is said here to be missing, or not acknowledged in time, "
        "may have come all the same."
    )


def size_text(segments: int, span: int) -> str:
    """Say how many segments there were in how long (nanoseconds)."""
    if segments == 1:
        return "There was 1 segment."
    return f"In {span_text(span)} there were {count_text(segments, 'segment')}."


def _sent(ledger: Ledger, side: int, span: int) -> Iterator[Sentence]:
    rows = np.flatnonzero(ledger.rows(side) & ledger.has_data)
    if not len(rows):
        return
    repeats = rows[ledger.labelled(RETRANSMISSIONS)[rows]]
    count, again = int(ledger.length[rows].sum()), int(ledger.length[repeats].sum())
    text = volume_text(side, span, count, len(rows), again, len(repeats))
    numbers = {"bytes": count, "data_segments": len(rows), "repeated_bytes": again, "repeats": len(repeats)}
    frames = ledger.frames([int(rows[0]), int(rows[-1])] if len(rows) > 1 else [int(rows[0])])
    yield Sentence("volume", text, frames, int(ledger.time[rows[0]]), {**numbers})


def volume_text(side: int, span: int, count: int, data_segments: int, again: int, repeats: int) -> str:
    """Say how many bytes a side sent in so many nanoseconds, and how many of them again."""
    text = f"{upper(the(side))} sent {bytes_text(count)} in {count_text(data_segments, 'segment')} with data"
    if span:
        text += f" ({_rate_text(_BITS * count * 1e9 / span)} on average)"
    if again:
        text += f"; {bytes_text(again)} of it ({share_text(again / count)}) in {count_text(repeats, 'repeat')}"
    return f"{text}."


def _distance(ledger: Ledger, side: int) -> Iterator[Sentence]:
    """Tell how long acknowledgments from a side took."""
    rows = np.flatnonzero(ledger.rows(side) & (ledger.findings.ack_rtt > 0))
    if len(rows) < 2:
        return
    times = ledger.findings.ack_rtt[rows]
    low, middle, high = int(times.min()), int(np.median(times)), int(times.max())
    text = (
        f"From the sensor to {the(side)} and back {span_text(middle)} passed as a rule ({span_text(low)} to "
        f"{span_text(high)}; {count_text(len(rows), 'acknowledgment')})."
    )
    frames = ledger.frames(sorted({int(rows[int(times.argmin())]), int(rows[int(times.argmax())])}))
    numbers = {"samples": len(rows), "min": low, "median": middle, "max": high}
    yield Sentence("round_trip", text, frames, int(ledger.time[rows[0]]), {**numbers})


def _rate_text(bits: float) -> str:
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{_three_digits(bits / size)} {unit}"
    return f"{_three_digits(bits)} bit/s"


def _three_digits(number: float) -> str:
    return f"{number:,.0f}" if number >= 99.95 else f"{number:.3g}"
