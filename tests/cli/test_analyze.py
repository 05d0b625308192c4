"""``segwatch analyze``, ``doctor`` and ``warmup`` as a user runs them."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from segwatch import compilation
from segwatch.jobs import compiled
from segwatch.jobs.progress import progress_of
from tests.cli.captures import handshake_and_repeat, pcap
from tests.support import REPOSITORY

PROGRAM = (sys.executable, "-c", "from segwatch.cli.main import main; main()")
DEMONSTRATION = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"


def segwatch(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def summaries(*arguments: str | Path) -> list[dict[str, Any]]:
    """Return the summaries of captures."""
    done = segwatch("analyze", "--store", "none", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    captures: list[dict[str, Any]] = json.loads(done.stdout)["captures"]
    return captures


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Return a capture with a repeated segment and a reset."""
    path = tmp_path / "repeat.pcap"
    path.write_bytes(pcap([*handshake_and_repeat(), bytes(60)]))
    return path


def test_a_capture_that_is_named_twice_is_analysed_once(capture: Path) -> None:
    done = segwatch("analyze", "--store", "none", "--json", capture, capture)
    assert (done.returncode, len(json.loads(done.stdout)["captures"])) == (0, 1)
    assert done.stderr == f"segwatch: {capture} is named more than once, and read once.\n"


def test_the_object_says_what_is_in_the_capture(capture: Path) -> None:
    """Counts, times, labels, resets and the reasons, as docs/summary.md describes."""
    (found,) = summaries(capture)
    assert {name: found[name] for name in ("frames", "segments", "conversations", "hosts", "seconds", "damage")} == {
        "frames": 7, "segments": 6, "conversations": 1, "hosts": 2, "seconds": 0.06, "damage": None,
    }  # fmt: skip
    assert (found["labels"], found["resets"]) == ({"retransmission": 1}, {"aborted_by_server": 1})
    assert (found["payload_bytes"], found["retransmitted_bytes"]) == (100, 50)
    assert sum(found["skipped"].values()) == 1
    assert found["link_types"] == ["Ethernet"]
    assert found["worst_conversations"][0]["why"] == [
        "50 % of bytes retransmitted by the client",
        "reset by the server",
    ]


def test_documented_members_are_those_that_are_there(capture: Path) -> None:
    """docs/summary.md names every member, and no other."""
    page = (REPOSITORY / "docs" / "summary.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in row.replace("`", "").replace(" ", "").split(",")}
    assert documented == set(summaries(capture)[0])


def test_tables_for_people(capture: Path) -> None:
    """The same in words; plain when it does not go to a terminal."""
    done = segwatch("analyze", "--store", "none", capture)
    assert done.returncode == 0
    assert done.stderr == ""
    for words in ("7 frames, 6 TCP segments, 1 conversation, 2 hosts", "retransmission", "reset by the server"):
        assert words in done.stdout
    assert "\x1b" not in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_several_captures(capture: Path, tmp_path: Path) -> None:
    """Each is a session of its own; a bad one does not stop the others."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "zipped").write_bytes(gzip.compress(capture.read_bytes()))
    first, second = summaries(capture, tmp_path / "more")
    assert first["digest"] == second["digest"]
    assert first["labels"] == second["labels"]
    (tmp_path / "bad").write_text("no capture")
    done = segwatch("analyze", "--store", "none", "--json", tmp_path / "bad", capture)
    assert done.returncode == 4
    assert len(json.loads(done.stdout)["captures"]) == 1
    assert segwatch("analyze", "--store", "none", tmp_path / "bad", tmp_path / "bad2").returncode == 3


def test_a_cut_capture(capture: Path) -> None:
    """What came before the cut is analysed; the object and standard error say so."""
    capture.write_bytes(capture.read_bytes()[:-5])
    done = segwatch("analyze", "--store", "none", "--json", capture)
    assert done.returncode == 4
    (found,) = json.loads(done.stdout)["captures"]
    assert found["frames"] == 6
    assert found["damage"] in done.stderr


def test_a_long_name_leaves_room_for_the_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal of 80 columns: how much, how fast, how long."""
    written = io.StringIO()
    written.isatty = lambda: True  # type: ignore[method-assign]  # plays a terminal
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with progress_of(
        "/folder" * 20 + "/capture.pcap", SimpleNamespace(bytes_read=2_000_000, total_bytes=4_000_000)
    ) as show:
        show()
    assert "2.0/4.0 MB" in written.getvalue()
    assert "capture.pcap" in written.getvalue()


def test_an_unknown_rule_set(capture: Path) -> None:
    """A sentence that names those that there are."""
    done = segwatch("analyze", "--store", "none", "--rules", "wireshark-1.0", capture)
    assert done.returncode == 2
    assert "wireshark-4.0" in done.stderr


def test_a_store_that_is_not_there(capture: Path) -> None:
    """The summary comes all the same; then the sentence and the store's exit code."""
    done = segwatch("analyze", "--store", "clickhouse://127.0.0.1:1/segwatch", capture)
    assert done.returncode == 5
    assert "retransmission" in done.stdout
    assert done.stderr.startswith("segwatch: ")
    assert "Traceback" not in done.stderr


def test_the_object_comes_though_the_store_is_not_there(capture: Path) -> None:
    """What took an hour to find is not thrown away."""
    done = segwatch("analyze", "--json", "--store", "clickhouse://127.0.0.1:1/segwatch", capture)
    assert done.returncode == 5
    assert json.loads(done.stdout)["captures"][0]["labels"] == {"retransmission": 1}


def test_a_store_that_is_not_understood_is_said_before_the_work(capture: Path) -> None:
    """Not after it."""
    done = segwatch("analyze", "--store", "loacl", capture)
    assert (done.returncode, done.stdout) == (2, "")
    assert "'loacl' is not understood" in done.stderr


def test_the_local_store_takes_a_capture_once(capture: Path, tmp_path: Path) -> None:
    """Findings and intervals of the first run; the second says that they are there."""
    from sinks.local_server import LocalServer
    from sinks.store import open_store

    server = LocalServer(tmp_path / "data")
    try:
        named = ("--name", "gateway")
        first = segwatch("analyze", "--segments", *named, capture, SEGWATCH_DATA_DIR=str(tmp_path / "data"))
        assert first.returncode == 0, first.stderr
        assert "Stored 2 findings, 2 verdicts and 1 intervals" in first.stdout
        again = segwatch("analyze", "--segments", capture, SEGWATCH_DATA_DIR=str(tmp_path / "data"))
        assert "has this capture already, as one of the sensor gateway." in again.stdout
        with open_store("local", server) as store:
            counts = {
                table: store.client.execute(f"SELECT count() FROM {table}")[0][0]  # fixed names
                for table in ("anomalies", "verdicts", "intervals", "segments", "captures")
            }
            sensors = {table: store.client.execute(f"SELECT DISTINCT sensor FROM {table}") for table in counts}
        assert counts == {"anomalies": 2, "verdicts": 2, "intervals": 1, "segments": 6, "captures": 1}
        assert sensors == {table: [("gateway",)] for table in counts}
    finally:
        server.stop()


def test_the_demonstration_shows_something() -> None:
    """The bundled capture has labels, resets and a worst conversation."""
    (found,) = summaries(DEMONSTRATION)
    assert len(found["labels"]) > 5
    assert len(found["resets"]) > 3
    assert found["worst_conversations"][0]["why"]


def test_doctor_looks_at_everything(tmp_path: Path) -> None:
    """A finding for each part, with advice where something is missing."""
    done = segwatch("doctor", "--json", SEGWATCH_DATA_DIR=str(tmp_path / "data"))
    checks = {check["subject"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, checks
    assert {"segwatch", "numba", "libpcap library", "compiled code", "tshark", "settings", "data folder"} <= set(checks)
    assert not (tmp_path / "data").exists()
    assert "ok" in segwatch("doctor").stdout


def test_doctor_says_what_is_missing(tmp_path: Path) -> None:
    """Settings that cannot be read are found, not stumbled over."""
    (tmp_path / "segwatch.toml").write_text("store = 1")
    done = segwatch("doctor", SEGWATCH_CONFIG=str(tmp_path / "segwatch.toml"))
    assert done.returncode in (1, 2)
    assert "must be text" in done.stdout + done.stderr


def test_warmth_is_remembered_for_this_code_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cold without the mark, warm with it, cold again on another processor."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not compiled.is_warm()
    compiled.remember_warm()
    assert compiled.is_warm()
    monkeypatch.setattr(compiled, "_processor", lambda: "another")
    assert not compiled.is_warm()


def test_another_installation_is_not_warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine code of one installation is nothing to another of the same version: Numba goes by paths."""
    here = compilation.sources_digest()
    for package in compilation.COMPILED_PACKAGES:
        (tmp_path / package).symlink_to(REPOSITORY / package)
    monkeypatch.setattr(compilation, "_ROOT", tmp_path)
    compilation.sources_digest.cache_clear()
    assert compilation.sources_digest() != here
    compilation.sources_digest.cache_clear()


@pytest.mark.parametrize("command", ["warmup", "doctor"])
def test_it_is_said_that_compiled_code_cannot_be_kept(command: str, tmp_path: Path) -> None:
    """One sentence, not a traceback of Numba's; the warm-up does not compile for nothing."""
    (tmp_path / "file").touch()
    done = segwatch(command, NUMBA_CACHE_DIR="", SEGWATCH_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert done.returncode == (2 if command == "warmup" else 1), done.stderr
    assert str(tmp_path / "file" / "cache" / "kernels") in done.stdout + done.stderr
    assert "cannot be written" in done.stdout + done.stderr


def test_the_check_of_warmth_tells_by_its_code(tmp_path: Path) -> None:
    """A cold cache is exit code 1, quickly."""
    done = segwatch("warmup", "--check", NUMBA_CACHE_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
