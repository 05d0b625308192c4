"""Times and durations as people write them."""

import pytest

from segwatch.errors import UsageError
from segwatch.times import NANOSECONDS, parse_duration, parse_time, time_text

NOW = 1_769_850_000 * NANOSECONDS
"""2026-01-31T09:00:00Z"""
HOUR = 3600 * NANOSECONDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("-1h", NOW - HOUR),
        ("-1h30m", NOW - HOUR - HOUR // 2),
        ("-0.5d", NOW - 12 * HOUR),
        ("1769850000", NOW),
        ("1769850000.000000001", NOW + 1),
        ("0", 0),
        ("2026-01-31T09:00:00Z", NOW),
        ("2026-01-31T09:00:00", NOW),
        ("2026-01-31 09:00", NOW),
        ("2026-01-31", NOW - 9 * HOUR),
        ("2026-01-31T10:00:00+01:00", NOW),
        ("2026-01-31T09:00:00.123456789Z", NOW + 123_456_789),
        ("2026-01-31T10:00:00,5+01:00", NOW + NANOSECONDS // 2),
    ],
)
def test_times(text: str, expected: int) -> None:
    assert parse_time(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-", "-1", "-1y", "1h", "2026-13-01", "1969-12-31", "2263-01-01", "1e9", "-9999w", "٣"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("1w", 604_800), ("0.25s", 0.25)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds * NANOSECONDS


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "1h 30m", "5M"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError):
        parse_duration(text)


@pytest.mark.parametrize("nanoseconds", [0, NOW, NOW + 1, NOW + 120_000_000])
def test_a_shown_time_can_be_given_again(nanoseconds: int) -> None:
    assert parse_time(time_text(nanoseconds), 0) == nanoseconds


def test_a_time_without_a_fraction_is_shown_without() -> None:
    assert time_text(NOW) == "2026-01-31T09:00:00Z"
    assert time_text(NOW + 120_000_000) == "2026-01-31T09:00:00.12Z"
