"""``segwatch watch FILE`` as a user runs it."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from typing import IO

import pytest

from segwatch.cli.main import run
from tests.cli.test_analyze import DEMONSTRATION, PROGRAM, segwatch, summaries
from tests.support import CASES

PATIENCE_SECONDS = 120
_MOVE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.parametrize("capture", [DEMONSTRATION, CASES / "ack-lost-segment.pcap"])
def test_json_summary_equals_that_of_analyze(capture: Path) -> None:
    done = segwatch("watch", capture, "--speed", "max", "--json")
    assert done.returncode == 0, done.stderr
    *intervals, last = map(json.loads, done.stdout.splitlines())
    assert all(one["kind"] == "interval" for one in intervals)
    assert last.pop("kind") == "summary"
    (expected,) = summaries(capture)
    assert {name: last[name] for name in expected} == expected


def test_last_interval_agrees_with_the_summary() -> None:
    done = segwatch("watch", DEMONSTRATION, "--speed", "200", "--interval", "0.2", "--json")
    assert done.returncode == 0, done.stderr
    *intervals, last = map(json.loads, done.stdout.splitlines())
    (expected,) = summaries(DEMONSTRATION)
    assert len(intervals) > 2
    end = intervals[-1]["since_start"]
    assert (end["labels"], end["resets"]) == (
        {name: expected["labels"][name] for name in end["labels"]},
        {name: expected["resets"][name] for name in end["resets"]},
    )
    assert (end["segments"], end["payload_bytes"]) == (expected["segments"], expected["payload_bytes"])
    assert last["segments"] == expected["segments"]
    times = [one["time"] for one in intervals]
    assert times == sorted(times)
    counted = [one["since_start"]["segments"] for one in intervals]
    assert counted == sorted(counted)
    assert all(one["window"]["segments"] <= one["since_start"]["segments"] for one in intervals)


def test_lines_and_a_summary_as_analyze_prints_it() -> None:
    done = segwatch("watch", DEMONSTRATION, "--speed", "500", "--interval", "0.1")
    assert done.returncode == 0, done.stderr
    analysed = segwatch("analyze", "--store", "none", DEMONSTRATION).stdout
    assert done.stdout.endswith(analysed)
    lines = done.stdout.removesuffix(analysed).splitlines()
    assert "5,790 segments in 65 conversations; 0 dropped, 0 % shed" in lines[-1]


def test_it_ends_by_itself_and_says_that_this_is_a_part() -> None:
    done = segwatch("watch", DEMONSTRATION, "--speed", "1", "--seconds", "1.5", "--json")
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["kind"] == "summary"
    assert 0 < last["segments"] < 5790


def test_a_file_is_kept_as_analyze_keeps_it(tmp_path: Path) -> None:
    at = {"SEGWATCH_DATA_DIR": str(tmp_path)}
    try:
        first = segwatch("watch", DEMONSTRATION, "--speed", "max", "--store", **at)
        assert "Stored 507 findings, 404 verdicts and 74 intervals" in first.stdout, (first.stdout, first.stderr)
        assert "has this capture already" in segwatch("analyze", DEMONSTRATION, **at).stdout
    finally:
        segwatch("db", "stop", **at)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], ""),
        (["--interface", "lo", "FILE"], "either interfaces"),
        (["FILE", "--filter", "tcp"], "--filter has a meaning with --interface only"),
        (["FILE", "--conversations", "5000"], "--conversations has a meaning with --interface only"),
        (["--interface", "lo", "--speed", "max"], "--speed has a meaning with a FILE only"),
        (["FILE", "--window", "0"], "--window"),
        (["FILE", "--window", "nan"], "--window"),
        (["FILE", "--interval", "nan"], "--interval"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", *arguments]) in ((0, 2) if not arguments else (2,))
    assert complaint in capsys.readouterr().err


def test_what_cannot_be_read_is_said() -> None:
    done = segwatch("watch", "/nowhere.pcap")
    assert done.returncode == 3
    assert "/nowhere.pcap" in done.stderr


class Terminal:
    """A terminal that a command runs in, as far as tests look at it: what was written since the last look."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.seen = ""

    def expect(self, text: str) -> str:
        """Wait until a text is written, and return what was, without what moves and colours."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self.seen = ""
        while text not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._descriptor], [], [], 0.1)[0]:
                try:
                    written = os.read(self._descriptor, 1 << 16).decode(errors="replace")
                except OSError:
                    written = ""
                assert written or self.process.poll() is None, self.seen
                self.seen += _MOVE.sub("", written)
        return self.seen

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._descriptor, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the window's size."""
        ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def local_flags(self) -> int:
        """Return the terminal's local modes."""
        return int(termios.tcgetattr(self._descriptor)[3])


@contextmanager
def terminal(*arguments: str | Path, stdin: IO[bytes] | None = None) -> Iterator[Terminal]:
    """Run a command in a terminal of its own with 80 columns and 24 lines; ``stdin``: in place of the terminal."""
    ours, theirs = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=theirs if stdin is None else stdin, stdout=theirs, stderr=theirs,
        env=environment | {"TERM": "xterm-256color"},
        start_new_session=True, preexec_fn=lambda: ioctl(1, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(theirs)
        os.close(ours)


def test_keys_in_a_terminal() -> None:
    with terminal("watch", DEMONSTRATION, "--speed", "max") as screen:
        screen.expect("end of the capture")
        screen.press("w")
        assert "10.20.1.14:41200" in screen.expect("since the start, worst first")
        screen.press(">")
        screen.expect("▼rtx%")
        screen.press("r")
        screen.expect("reversed rtx%")
        screen.press("s/10.20.2.9 5432")
        screen.expect("Filter (hosts, networks, ports): 10.20.2.9 5432_")
        screen.press("\r")
        filtered = screen.expect("filter 10.20.2.9 5432")
        screen.expect("10.20.2.9:39204")
        assert "10.20.1.14:41200" not in filtered + screen.seen
        screen.press("h")
        screen.expect("1 host, since the start")
        screen.press("l")
        screen.expect("duplicate_ack")
        screen.press("?")
        screen.expect("this help")
        screen.press("?p")
        screen.expect("paused")
        screen.press("c")
        screen.resize(160, 40)
        screen.expect("refused by the server")
        changed = screen.local_flags()
        screen.press("q")
        screen.expect("Round trips")
        assert screen.process.wait(PATIENCE_SECONDS) == 0
        assert not changed & termios.ECHO
        assert screen.local_flags() & termios.ECHO
        assert screen.local_flags() & termios.ICANON


def test_ctrl_c_ends_it_with_what_was_seen() -> None:
    with terminal("watch", DEMONSTRATION, "--speed", "1") as screen:
        screen.expect("c h l view")
        screen.process.send_signal(signal.SIGINT)
        screen.expect("This is not all of the capture.")
        assert screen.process.wait(PATIENCE_SECONDS) == 0


def test_keys_come_from_the_terminal_where_the_capture_comes_through_a_pipe() -> None:
    with DEMONSTRATION.open("rb") as capture, terminal("watch", "-", "--speed", "max", stdin=capture) as screen:
        screen.expect("end of the capture")
        screen.press("q")
        screen.expect("Round trips")
        assert screen.process.wait(PATIENCE_SECONDS) == 0
