"""Views, their order, and the filter."""

import numpy as np
import pytest

from segwatch.errors import UsageError
from segwatch.jobs.watch.controls import ENTER, ERASE, ESCAPE, RIGHT, Controls
from segwatch.jobs.watch.filtering import Filter
from segwatch.jobs.watch.picture import Look
from segwatch.jobs.watch.sheet import Sheet
from segwatch.jobs.watch.sheets import CONVERSATIONS, HOSTS, LABELS, sheet_of
from segwatch.jobs.watch.texts import milliseconds, percent, rate_text, seconds, short
from tests.watch.feeding import DEMONSTRATION, segments_of, watched


@pytest.fixture(scope="module")
def look() -> Look:
    """Give a look at all of the demonstration."""
    return watched(segments_of(str(DEMONSTRATION)))[0].look(since_start=True)


def texts(sheet: Sheet, heading: str, rows: list[int]) -> list[str]:
    """Return a column's texts."""
    (column,) = (one for one in sheet.columns if one.heading == heading)
    return [column.text(row) for row in rows]


def test_worst_conversations_come_first(look: Look) -> None:
    sheet = sheet_of(CONVERSATIONS, look, Filter(), ["eth0"])
    rows = sheet.best(3, None, reverse=False)
    assert texts(sheet, "client", rows)[0] == "10.20.1.14:41200"
    assert texts(sheet, "why", rows)[0] == "31.8 s zero window at the server"
    assert texts(sheet, "zw s", rows)[0] == "31.8"


@pytest.mark.parametrize("reverse", [False, True])
def test_any_column_sorts(look: Look, reverse: bool) -> None:
    for view in (CONVERSATIONS, HOSTS, LABELS):
        sheet = sheet_of(view, look, Filter(), ["eth0"])
        for heading in sheet.sortable():
            (column,) = (one for one in sheet.columns if one.heading == heading)
            assert column.values is not None
            expected = np.sort(column.values[sheet.rows])[:: 1 if reverse else -1]
            for count in (5, 10_000):
                rows = sheet.best(count, heading, reverse=reverse)
                assert column.values[rows].tolist() == expected[:count].tolist(), heading


def test_hosts_have_what_they_sent(look: Look) -> None:
    sheet = sheet_of(HOSTS, look, Filter(), ["eth0"])
    rows = sheet.best(100, "rtx%", reverse=False)
    shares = dict(zip(texts(sheet, "host", rows), texts(sheet, "rtx%", rows), strict=True))
    assert shares["2001:db8:ffff::80"] == "5.6"
    assert shares["198.51.100.20"] == "3.1"
    segments = next(one for one in sheet.columns if one.heading == "segments").values
    assert segments is not None
    assert segments.sum() == look.start.segments


@pytest.mark.parametrize(
    ("text", "conversations"),
    [
        ("", 65), ("10.20.1.14", 1), ("10.20.0.12:10000", 2), ("5432", 4), (":5432", 4), ("10.20.2.0/24 5432", 4),
        ("10.20.2.9 443", 0), ("2001:db8:20::7", 1), ("[2001:db8:20::7]:40022", 1),
    ],
)  # fmt: skip
def test_filter_by_hosts_and_ports(look: Look, text: str, conversations: int) -> None:
    assert np.count_nonzero(Filter(text).matches(look.ends)) == conversations


@pytest.mark.parametrize(
    ("text", "beginning"), [("10.20.2.", "10.20.2."), ("10.20.", "10.20."), ("2001:db8::/32", "[2001:db8:")]
)
def test_filter_by_networks(look: Look, text: str, beginning: str) -> None:
    sheet = sheet_of(CONVERSATIONS, look, Filter(), ["eth0"])
    rows = list(range(len(look.ends)))
    ends = zip(texts(sheet, "client", rows), texts(sheet, "server", rows), strict=True)
    expected = [any(end.startswith(beginning) for end in both) for both in ends]
    assert Filter(text).matches(look.ends).tolist() == expected
    assert 0 < sum(expected) < len(expected)


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.1:http", "1.2.3.4/99", "[::1", "10.20.30.40.50."])
def test_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="neither a host nor a network nor a port"):
        Filter(text)


def test_hosts_are_filtered_themselves(look: Look) -> None:
    sheet = sheet_of(HOSTS, look, Filter("10.20.1.14"), ["eth0"])
    assert texts(sheet, "host", sheet.best(10, None, reverse=False)) == ["10.20.1.14"]
    sheet = sheet_of(HOSTS, look, Filter("5432"), ["eth0"])
    assert sorted(texts(sheet, "host", sheet.best(10, None, reverse=False))) == ["10.20.0.30", "10.20.2.9"]


def test_keys_change_the_controls(look: Look) -> None:
    controls = Controls()
    sheet = sheet_of(CONVERSATIONS, look, Filter(), ["eth0"])
    for key in [">", RIGHT, "r", "w", "p", "h", "l", "v"]:
        controls.press(key, sheet)
    assert controls.sorted_by == {CONVERSATIONS: "lost"}
    assert (controls.reverse, controls.since_start, controls.paused, controls.view) == (True, True, True, CONVERSATIONS)
    for key in ["<", "<", "<"]:
        controls.press(key, sheet)
    assert controls.sorted_by == {CONVERSATIONS: "rtt ms"}
    controls.press("s", sheet)
    assert (controls.sorted_by, controls.reverse) == ({}, False)
    controls.press("?", sheet)
    assert controls.help
    controls.press("x", sheet)
    assert not controls.help
    controls.press("q", sheet)
    assert controls.quit


def test_filter_is_typed(look: Look) -> None:
    controls = Controls()
    sheet = sheet_of(CONVERSATIONS, look, Filter(), ["eth0"])
    for key in ["/", "4", "q", ENTER]:
        controls.press(key, sheet)
    assert "neither a host" in controls.complaint
    assert not controls.quit
    for key in [ERASE, "4", "3", ENTER]:
        controls.press(key, sheet)
    assert (controls.filter.text, controls.typed) == ("443", None)
    for key in ["/", ESCAPE]:
        controls.press(key, sheet)
    assert controls.filter.text == ""


def test_numbers_are_short() -> None:
    numbers = (0, 7, 9999, 10_000, 12_345, 99_960, 999_600, 1_234_567, 99_999_999, 4.5e12)
    assert [short(number) for number in numbers] == [
        "0", "7", "9999", "10k", "12.3k", "100k", "1M", "1.23M", "100M", "4.5T",
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.00001, 0.0314, 0.9999, 1)] == ["", "<0.1", "3.1", "100", "100"]
    assert [seconds(time) for time in (0, 1_000_000, 31_800_000_000, 400_000_000_000)] == ["", "<.01", "31.8", "400"]
    assert [milliseconds(time) for time in (0, 10_000, 17_000_000, 5_400_000_000)] == ["", "0.01", "17", "5400"]
    assert rate_text(12_345, "bit") == "12.3 kbit/s"
