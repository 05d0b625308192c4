"""Which conversations are to be explained."""

import re
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.errors import UsageError
from segwatch.jobs.reasons import score_conversations
from segwatch.jobs.totals import Totals
from segwatch.times import parse_time

_BILLION: Final = 1_000_000_000
_END: Final = re.compile(r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<plain>[^:\s]+|[0-9a-fA-F:.]+?))(?::(?P<port>\d{1,5}))?")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(\.\d{1,9})?")


@dataclass(frozen=True)
class End:
    """An address, and a port or None for any."""

    address: IPv4Address | IPv6Address
    port: int | None


def parse_end(text: str) -> End:
    """Return what ``ADDRESS``, ``ADDRESS:PORT`` or ``[ADDRESS]:PORT`` means. Raises UsageError."""
    try:
        return End(ip_address(text), None)  # an IPv6 address has colons itself
    except ValueError:
        pass
    match = _END.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        port = match["port"]
        if port is not None and int(port) > 65535:
            raise ValueError(text)
        return End(ip_address(match["bracketed"] or match["plain"]), None if port is None else int(port))
    except ValueError:
        raise UsageError(f"{text} is no address with a port: 10.0.0.1:443 or [2001:db8::1]:443 would be.") from None


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; what is not asked for is None."""

    most: int = 1
    stream: int | None = None
    between: tuple[End, End] | None = None
    at: str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether some conversations were named, rather than the worst of all."""
        return self.stream is not None or self.between is not None or self.at is not None

    def chosen(
        self, totals: Totals, streams: npt.NDArray[np.int64], harmed: npt.NDArray[np.bool_] | None = None
    ) -> list[int]:
        """Return places in ``totals.conversations``, the worst first; none where nothing fits or nothing is wrong.

        ``streams``: (C,) the numbers of the conversations. ``harmed``: (C,) those that verdicts say something bad of,
        which are something wrong though no label shows it; None where verdicts are not asked.
        """
        conversations = totals.conversations
        scores = np.empty(len(conversations), np.int64)
        score_conversations(conversations, totals.troubles, scores)
        troubles = _troubles(totals)
        fits = np.ones(len(conversations), np.bool_) if self.is_narrowed else (scores > 0) | (troubles > 0)
        if harmed is not None:
            fits |= harmed
        if self.stream is not None:
            fits &= streams == self.stream
        if self.between is not None:
            fits &= _between(totals, conversations, *self.between)
        if self.at is not None and len(conversations):
            moment = parse_moment(self.at, int(conversations["opened"].min()))
            fits &= (conversations["opened"] <= moment) & (conversations["last"] >= moment)
        places = np.flatnonzero(fits)
        sizes = conversations["segments"][places].sum(axis=1).astype(np.int64)
        order = np.lexsort((-sizes, -troubles[places], -scores[places]))
        return [int(place) for place in places[order[: self.most]]]


def _troubles(totals: Totals) -> npt.NDArray[np.int64]:
    """Return how many labels of each conversation speak of trouble, (C,): repeats, gaps, order, closed windows."""
    troubles = totals.troubles[totals.conversations["trouble"]]
    names = ("lost_segments", "out_of_order", "duplicate_acks", "zero_windows")
    counts = troubles["retransmissions"].sum(axis=1, dtype=np.int64)
    return np.asarray(sum((troubles[name].astype(np.int64) for name in names), counts))


def parse_moment(text: str, first: int) -> int:
    """Return a moment in nanoseconds since the epoch; ``first`` is the time of the capture's first conversation.

    Known are ``+SECONDS`` after that, ``HH:MM:SS[.F]`` (UTC, of its day or the next), and RFC 3339. Raises UsageError.
    """
    try:
        if text.startswith("+"):
            return first + round(float(text[1:]) * _BILLION)
        if match := _CLOCK.fullmatch(text):
            return _on_day(match, first)
        return parse_time(text, time.time_ns())
    except (ValueError, OverflowError, UsageError):
        raise UsageError(
            f"{text} is no time: 12:30:05 (UTC), 2026-01-31T12:30:05Z or +3.5 (seconds after the beginning) would be."
        ) from None


def _on_day(match: re.Match[str], first: int) -> int:
    hours, minutes, seconds = (int(part) for part in match.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(match[0])
    day = 86_400 * _BILLION
    fraction = round(float(match[4] or 0) * _BILLION)
    moment = first - first % day + (hours * 3600 + minutes * 60 + seconds) * _BILLION + fraction
    return moment if moment + _BILLION > first else moment + day


def _between(totals: Totals, conversations: npt.NDArray[Any], one: End, other: End) -> npt.NDArray[np.bool_]:
    """Return which conversations are between two ends, whichever is the client."""
    return (_has(totals, conversations, "client", one) & _has(totals, conversations, "server", other)) | (
        _has(totals, conversations, "client", other) & _has(totals, conversations, "server", one)
    )


def _has(totals: Totals, conversations: npt.NDArray[Any], side: str, end: End) -> npt.NDArray[np.bool_]:
    number = totals.hosts.find(end.address)
    if number is None:
        return np.zeros(len(conversations), np.bool_)
    fits: npt.NDArray[np.bool_] = conversations[side] == number
    if end.port is not None:
        fits = fits & (conversations[f"{side}_port"] == end.port)
    return fits
