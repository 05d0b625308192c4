"""One direction of a link: when each packet that enters it comes out, and which never does."""

import random
from collections import deque
from typing import Final, NamedTuple

from tests.lab.headers import Header
from tests.lab.rules import Chooser, Place
from tests.lab.settings import Link, Side

_MILLISECOND: Final = 1_000_000


class Out(NamedTuple):
    """What became of a packet, or of a copy that the link made of it."""

    due: int
    """Nanoseconds when it leaves the link; -1: it was dropped."""
    what: str
    """``forwarded``, ``held``, ``early``, ``duplicate``, or why it was dropped: ``loss`` or ``queue``."""


class LinkSide:
    """A direction of a link."""

    def __init__(self, link: Link, direction: Side, seed: str) -> None:
        self._link = link
        self._choosers = [
            Chooser(rule, direction, random.Random(f"{seed}/{number}"))  # noqa: S311 (repeatable, not secret)
            for number, rule in enumerate(link.rules)
        ]
        self._jitter = random.Random(f"{seed}/jitter")  # noqa: S311
        self._waiting: deque[int] = deque()
        self._stalled_until = 0
        self._last_due = 0

    def enter(self, now: int, frame_bytes: int, header: Header, place: Place) -> list[Out]:
        """Return what comes of a packet that enters at ``now`` (nanoseconds)."""
        chosen = {one.rule.action: one.rule.milliseconds for one in self._choosers if one.chooses(header, place)}
        if "drop" in chosen:
            return [Out(-1, "loss")]
        sent = self._queue(now, frame_bytes)
        if sent < 0:
            return [Out(-1, "queue")]
        if "stall" in chosen:
            self._stalled_until = max(self._stalled_until, now + _nanoseconds(chosen["stall"]))
        sent = max(sent, self._stalled_until)
        if "early" in chosen:
            return [Out(sent, "early")]
        delay = self._link.delay_ms + self._link.jitter_ms * self._jitter.random()
        due = max(sent + _nanoseconds(delay), self._last_due)
        if "hold" in chosen:
            return [Out(due + _nanoseconds(chosen["hold"]), "held")]
        self._last_due = due
        outs = [Out(due, "forwarded")]
        if "duplicate" in chosen:
            outs.append(Out(due + _nanoseconds(chosen["duplicate"]), "duplicate"))
        return outs

    def _queue(self, now: int, frame_bytes: int) -> int:
        """Return when a link of limited rate has sent a packet; -1 where its queue is full."""
        if not self._link.rate_mbit:
            return now
        while self._waiting and self._waiting[0] <= now:
            self._waiting.popleft()
        if len(self._waiting) >= self._link.queue_packets:
            return -1
        start = self._waiting[-1] if self._waiting else now
        self._waiting.append(start + int(frame_bytes * 8000 / self._link.rate_mbit))
        return self._waiting[-1]


def _nanoseconds(milliseconds: float) -> int:
    return int(milliseconds * _MILLISECOND)
