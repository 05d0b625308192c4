"""A sentence with its evidence, and the words that sentences share."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from segwatch.explain.ledger import SIDES
from segwatch.jobs.reasons import seconds_text
from segwatch.records.intervals import INTERVAL_NANOSECONDS
from segwatch.times import time_text

MOST_FRAMES: Final = 8
"""Frames that a text names; the evidence has all of them."""

Number = int | float | str


class Sentence(NamedTuple):
    """What is said of some segments."""

    topic: str
    """What it is about: a label's name, or one of the topics of its chapter."""
    text: str
    frames: tuple[int, ...]
    """Numbers of the frames that show it, in order; none only where minutes do."""
    time: int
    """When it begins, in nanoseconds since the conversation's first segment."""
    numbers: Mapping[str, Number]
    """What the text says in numbers: nanoseconds, bytes, counts."""
    minutes: tuple[int, ...] = ()
    """Minutes whose counters show it (nanoseconds since the epoch, in order), where the segments were not kept."""


class Chapter(NamedTuple):
    """Sentences about one part of the story, in order."""

    title: str
    sentences: list[Sentence]


def the(side: int) -> str:
    """Return what a side is called."""
    return f"the {SIDES[side]}"


def sequence_title(side: int, *, is_whole: bool) -> str:
    """Return what a picture of the bytes of a side shows."""
    return f"Bytes of {the(side)} over time" + ("" if is_whole else ", only where a label was given")


def upper(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[:1].upper() + text[1:]


def copies_text(count: int) -> str:
    """Say what so many segments are that were captured twice, behind their number."""
    are, they = (
        ("is a copy of a packet that was", "it is") if count == 1 else ("are copies of packets that were", "they are")
    )
    return (
        f"{are} captured just before, as by a mirror of two ports: {they} told of as sent or acknowledged again, "
        "which the network is not to blame for."
    )


def moment_text(nanoseconds: int) -> str:
    """Return a time since the beginning."""
    return f"{nanoseconds / 1e9:.3f} s"


def span_text(nanoseconds: int) -> str:
    """Return a duration."""
    return seconds_text(max(nanoseconds, 0))


def frames_text(frames: tuple[int, ...]) -> str:
    """Return the numbers of frames, runs of them as ranges, the rest after ``MOST_FRAMES`` left out."""
    ranges: list[list[int]] = []
    for frame in frames:
        if ranges and frame == ranges[-1][1] + 1:
            ranges[-1][1] = frame
        else:
            ranges.append([frame, frame])
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:MOST_FRAMES]]
    more = len(frames) - sum(last - first + 1 for first, last in ranges[:MOST_FRAMES])
    text = ", ".join(shown) + (f" and {more:,} more" if more else "")
    return f"{'frame' if len(frames) == 1 else 'frames'} {text}"


def minutes_text(minutes: tuple[int, ...]) -> str:
    """Return minutes of the day (UTC), runs of them as ranges, the rest after ``MOST_FRAMES`` left out."""
    ranges: list[list[int]] = []
    for minute in minutes:
        if ranges and minute == ranges[-1][1] + INTERVAL_NANOSECONDS:
            ranges[-1][1] = minute
        else:
            ranges.append([minute, minute])
    shown = ["-".join(dict.fromkeys(map(_minute_text, one))) for one in ranges[:MOST_FRAMES]]
    more = len(minutes) - sum((last - first) // INTERVAL_NANOSECONDS + 1 for first, last in ranges[:MOST_FRAMES])
    text = ", ".join(shown) + (f" and {more:,} more" if more else "")
    return f"{'minute' if len(minutes) == 1 else 'minutes'} {text}"


def _minute_text(nanoseconds: int) -> str:
    return time_text(nanoseconds)[11:16]


def evidence_text(sentence: Sentence) -> str:
    """Return what shows a sentence."""
    parts = [frames_text(sentence.frames)] if sentence.frames else []
    parts += [minutes_text(sentence.minutes)] if sentence.minutes else []
    return "; ".join(parts)
