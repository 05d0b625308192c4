"""The measuring itself: what is run, what counts as failed, and what the page says."""

import sys
from pathlib import Path

import pytest

from tests.bench import history, parts
from tests.bench.captures import Captures
from tests.bench.measure import Job, ProgramFailedError, Run, measured, run_once
from tests.bench.parts import PARTS, Row, Table
from tests.bench.programs import LABEL_FIELDS
from tests.bench.report import keep, page
from tests.cookbook import questions


def _python(program: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", program]


def test_peak_memory_is_that_of_the_program() -> None:
    fat = bytearray(200 << 20)
    fat[::4096] = bytes(len(fat[::4096]))
    small = run_once(_python("pass"))
    large = run_once(_python("x = bytearray(100 << 20)"))
    assert small.peak_bytes < 50 << 20
    assert large.peak_bytes > 100 << 20


def test_a_program_that_fails_is_named() -> None:
    with pytest.raises(ProgramFailedError, match=r"exited with 3: oh dear"):
        run_once(_python("import sys; print('oh dear', file=sys.stderr); sys.exit(3)"))
    with pytest.raises(ProgramFailedError, match=r"no-such-program .* without a start"):
        run_once(["no-such-program", "x"])


def test_programs_take_turns_and_get_empty_folders() -> None:
    seen: list[tuple[str, list[Path]]] = []

    def job(name: str) -> Job:
        def command(folder: Path) -> list[str]:
            seen.append((name, list(folder.iterdir())))
            return _python("pass")

        return Job(command)

    assert measured({"a": job("a"), "b": job("b")}, rounds=2).keys() == {"a", "b"}
    assert seen == [("a", []), ("b", []), ("a", []), ("b", [])]


def test_captures_are_made_once(tmp_path: Path) -> None:
    captures = Captures(tmp_path, packets=4000, flows=40)
    first = captures.sized("flows", 1, 2)
    made = first.path.stat().st_mtime_ns
    assert captures.sized("flows", 1, 2) == first
    assert first.path.stat().st_mtime_ns == made
    assert first.flows == 20
    first.path.with_suffix(".json").write_text('{"seed": 2}', "utf-8")
    assert captures.sized("flows", 1, 2).packets == first.packets
    assert first.path.stat().st_mtime_ns != made


def test_rates_are_taken_from_differences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    captures = Captures(tmp_path, packets=4000, flows=64)
    sizes = {
        str(captures.sized(kind, *size).path): captures.sized(kind, *size)
        for kind in ("bulk", "flows")
        for size in ((1, 1), (8, 1))
    }

    def pretended(jobs: dict[str, Job], _rounds: int) -> dict[str, Run]:
        # Half a second to start, then a million packets a second.
        return {
            name: Run(0.5 + sizes[job.command(tmp_path)[-1]].packets / 1e6, 1.0, 1 << 20) for name, job in jobs.items()
        }

    monkeypatch.setattr(parts, "measured", pretended)
    monkeypatch.setattr(parts, "found_peers", lambda _: [])
    tables = PARTS["speed"](captures, 1, [])
    assert [table.rows[0].cells[2:4] for table in tables] == [("1,000,000", "1.0")] * 2


def test_the_page_says_what_is_met_and_what_is_missed(tmp_path: Path) -> None:
    rows = [Row(("x", "1"), "at least 2", False), Row(("y", "3"), "at least 2", True), Row(("z", "0"))]
    results = keep(tmp_path / "results.json", "start", [Table("A title", ("what", "figure"), rows)], 3, 0.1)
    results = keep(tmp_path / "results.json", "speed", [Table("First", ("what",), [Row(("q",))])], 1, 2.5)
    text = page(results)
    assert text.index("First") < text.index("A title")
    assert "| x | 1 | at least 2 | **missed** |" in text
    assert "| y | 3 | at least 2 | met |" in text
    assert "| q |\n" in text
    assert "Python" in text
    assert "One round, on a machine that was busy with something else (load 2.5): `make bench BENCH=speed`." in text
    assert "Median of 3 rounds: `make bench BENCH=start`." in text


def test_a_history_is_made_asked_and_weighed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(history, "DAYS", 2)
    monkeypatch.setattr(history, "_PIECES", 1)
    answers, views, network, weights = PARTS["history"](Captures(tmp_path, 0, 0, 4000), 1, [])
    assert len(answers.rows) == len(questions())
    assert {row.cells[0] for row in views.rows} >= {"`worst_conversations`", "`stalls`", "`capture_trust`"}
    assert all(float(second) >= 0 for row in (*answers.rows, *views.rows, *network.rows) for second in row.cells[1:])
    assert all(row.bar == "at most 1 s" for row in answers.rows)
    figures = {row.cells[0]: row.cells for row in weights.rows}
    assert float(figures["`anomalies`"][2]) > 10
    assert float(figures["all that belongs to `intervals`"][3]) > float(figures["`intervals`"][3]) > 10
    assert list(tmp_path.iterdir()) == []


def test_tshark_is_asked_for_every_label() -> None:
    assert "tcp.analysis.spurious_retransmission" in LABEL_FIELDS
    assert LABEL_FIELDS[::2] == ["-e"] * (len(LABEL_FIELDS) // 2)
