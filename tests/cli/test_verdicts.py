"""``segwatch verdicts``: the same rows in each format, and what is wrong with the input in a sentence."""

import json
from datetime import datetime
from importlib import resources
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from segwatch.cli import main
from segwatch.errors import InputError, UsageError
from segwatch.vocabulary import CAUSE_NAMES

_DEMO = str(resources.files("segwatch") / "data" / "demo.pcap.gz")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main.root, ["verdicts", *arguments], standalone_mode=False)


def test_formats_have_the_same_rows(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in _run(_DEMO, "--format", "jsonl").output.splitlines()]
    assert lines
    assert {line["cause"] for line in lines} <= set(CAUSE_NAMES)
    header, *rows = _run(_DEMO, "--format", "tsv").output.splitlines()
    assert [row.split("\t")[0] for row in rows] == [str(line["frame"]) for line in lines]
    assert "cause" in header.split("\t")
    _run(_DEMO, "-o", str(tmp_path / "verdicts.parquet"))
    _run(_DEMO, "-o", str(tmp_path / "verdicts.arrow"))
    stored = pq.read_table(tmp_path / "verdicts.parquet")
    with pa.ipc.open_file(tmp_path / "verdicts.arrow") as file:
        assert file.read_all().equals(stored)
    assert stored.column("frame").to_pylist() == [line["frame"] for line in lines]
    assert stored.column("cause").to_pylist() == [line["cause"] for line in lines]


def test_people_read_two_lines_for_each_verdict() -> None:
    count = len(_run(_DEMO, "--format", "jsonl").output.splitlines())
    shown = _run(_DEMO).output
    assert sum(line.startswith("frame ") for line in shown.splitlines()) == count
    assert "sent again" in shown


def test_times_are_counted_from_the_first_frame() -> None:
    """As in Wireshark, and as a story counts them of the first conversation."""
    head, *lines = _run(_DEMO).output.splitlines()
    assert head.startswith("Times are counted from the capture's first frame, 2026-01-01T09:00:0")
    first = json.loads(_run(_DEMO, "--format", "jsonl").output.splitlines()[0])
    begun = datetime.fromisoformat(head.split(", ")[1].rstrip("."))
    shown = next(line for line in lines if line.startswith("frame ")).split()[2]
    assert float(shown) == pytest.approx(float(first["time"]) - begun.timestamp(), abs=0.001)


def test_endings_mean_what_they_mean_for_labels(tmp_path: Path) -> None:
    for name in ("verdicts.csv", "verdicts.json", "verdicts"):
        _run(_DEMO, "-o", str(tmp_path / name))
        assert (tmp_path / name).read_text().startswith("frame\ttime\tstream\t")
    _run(_DEMO, "-o", str(tmp_path / "verdicts.txt"), "--format", "people")
    assert (tmp_path / "verdicts.txt").read_text() == _run(_DEMO).output


def test_amendments_are_further_rows() -> None:
    last = [json.loads(line) for line in _run(_DEMO, "--format", "jsonl").output.splitlines()]
    every = [json.loads(line) for line in _run(_DEMO, "--format", "jsonl", "--amendments").output.splitlines()]
    assert len(every) == len(last) + sum(line["revision"] for line in last)


def test_wrong_input() -> None:
    assert isinstance(_run("missing.pcap").exception, InputError)
    assert isinstance(_run(_DEMO, "-o", "").exception, UsageError)


@pytest.mark.parametrize("name", ["people", "tsv", "jsonl", "arrow", "parquet"])
def test_a_capture_without_trouble(name: str, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.pcap"
    quiet.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    output = tmp_path / "output"
    done = _run(str(quiet), "--format", name, "-o", str(output))
    assert done.return_value == 0
    assert output.exists()
