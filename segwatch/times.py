"""Times and durations as people write them, and as they read them."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from segwatch.errors import UsageError

NANOSECONDS: Final = 1_000_000_000
_SECONDS_OF_UNIT: Final = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:\d{1,12}(?:\.\d+)?[wdhms])+", re.ASCII)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")
_UNIX: Final = re.compile(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_FRACTION: Final = re.compile(r"(?<=:\d\d)[.,](\d{1,9})", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 2**63 - 1


def parse_time(text: str, now: int) -> int:
    """Return nanoseconds since the epoch for ``now``, ``-1h30m``, Unix seconds or an ISO 8601 time.

    ``now`` (nanoseconds) is what relative times count from. An ISO time without a zone is UTC. Raises ``UsageError``
    for anything else, and for times before 1970 or after 2262-04-11.
    """
    if text == "now":
        found = now
    elif text.startswith("-"):
        found = now - parse_duration(text[1:])
    elif _UNIX.fullmatch(text):
        found = int(Fraction(text) * NANOSECONDS)
    else:
        found = _iso_time(text)
    if not 0 <= found <= _LATEST:
        raise UsageError(f"the time {text!r} is not between 1970 and 2262-04-11.")
    return found


def _iso_time(text: str) -> int:
    fraction = _FRACTION.search(text)
    try:
        whole = datetime.fromisoformat(_FRACTION.sub("", text))
    except ValueError:
        raise UsageError(
            f"{text!r} is no time; write it like 2026-01-31T09:00:00Z, 2026-01-31, -1h30m, now or 1769850000 (Unix)."
        ) from None
    passed = (whole if whole.tzinfo else whole.replace(tzinfo=UTC)) - _EPOCH
    nanoseconds = int(fraction[1].ljust(9, "0")) if fraction else 0
    return passed // timedelta(seconds=1) * NANOSECONDS + nanoseconds


def parse_duration(text: str) -> int:
    """Return nanoseconds for a duration like ``90s``, ``5m`` or ``1h30m``; raise ``UsageError`` for anything else."""
    if not _DURATION.fullmatch(text):
        raise UsageError(f"{text!r} is no duration; write it like 90s, 5m, 1h30m or 2d.")
    seconds = sum(Fraction(number) * _SECONDS_OF_UNIT[unit] for number, unit in _PART.findall(text))
    return int(seconds * NANOSECONDS)


def time_text(nanoseconds: int) -> str:
    """Return a time since the epoch in ISO 8601 and UTC, with as many digits as it needs."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS)
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}{digits}Z"
