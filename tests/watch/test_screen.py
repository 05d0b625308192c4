"""What is drawn, at several sizes."""

import io

import pytest
from rich.console import Console

from segwatch.jobs.watch.controls import Controls
from segwatch.jobs.watch.frame import Frame
from segwatch.jobs.watch.plain import json_line, line
from segwatch.jobs.watch.screen import drawing
from tests.watch.feeding import DEMONSTRATION, framed, segments_of, watched


@pytest.fixture(scope="module")
def frame() -> Frame:
    """Give a frame of all of the demonstration."""
    return framed(watched(segments_of(str(DEMONSTRATION)))[0].look(since_start=True), "a" * 30)


def drawn(frame: Frame, controls: Controls, width: int, height: int) -> list[str]:
    """Return the lines of a window."""
    console = Console(
        file=io.StringIO(), record=True, width=width, height=height, force_terminal=True, legacy_windows=False
    )
    console.print(drawing(frame, controls, ["eth0", "eth1"], width, height)[0], end="")
    return console.export_text().split("\n")


@pytest.mark.parametrize("view", ["conversations", "hosts", "labels"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 50), (200, 50), (40, 10), (132, 24)])
def test_a_window_is_filled_and_no_more(frame: Frame, view: str, width: int, height: int) -> None:
    lines = drawn(frame, Controls(view=view), width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width
    assert lines[-1].startswith("c h l view"[:width])


def test_narrow_has_the_numbers_and_wide_the_reasons_too(frame: Frame) -> None:
    narrow, wide = drawn(frame, Controls(), 80, 24), drawn(frame, Controls(), 160, 50)
    assert narrow[3].split() == ["client", "server", "rtx%", "lost", "ooo", "dup", "zw", "s", "rst", "B/s"]
    assert narrow[4].split()[:3] == ["10.20.1.14:41200", "10.20.0.12:10000", "31.8"]
    assert wide[3].split()[-4:] == ["ms", "segments", "interface", "why"]
    assert "31.8 s zero window at the server" in wide[4]
    assert any("[2001:db8:ffff::80]:443" in line for line in wide)


def test_head_tells_of_losses(frame: Frame) -> None:
    head = drawn(frame, Controls(), 120, 24)
    assert "12.3 kpackets/s  98 Mbit/s of payload" in head[0]
    assert head[0].endswith("0:01:23")
    assert "5790 segments  65 conversations" in head[1]
    assert "dropped 7  shed 0 %" in head[1]


def test_what_was_seen_twice_or_in_one_direction_is_told(frame: Frame) -> None:
    assert "twice" not in drawn(frame, Controls(), 120, 24)[1]
    doubtful = frame._replace(status=frame.status._replace(seen_twice=1234, one_way_conversations=5))
    assert "1234 seen twice, 5 one-way  dropped 7  shed 0 %" in drawn(doubtful, Controls(), 120, 24)[1]
    assert "; 1234 seen twice, 5 one-way; " in line(doubtful)
    assert '"seen_twice": 1234, "one_way_conversations": 5' in json_line(doubtful)


def test_help_lists_the_keys(frame: Frame) -> None:
    lines = drawn(frame, Controls(help=True), 80, 24)
    assert len(lines) == 24
    assert any("reverse the order" in line for line in lines)


def test_problem_takes_the_third_line(frame: Frame) -> None:
    troubled = frame._replace(status=frame.status._replace(problem="eth0 is down."))
    assert drawn(troubled, Controls(), 80, 24)[2].startswith("eth0 is down.")
