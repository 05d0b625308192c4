"""``segwatch labels`` as a user runs it."""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest

from tests.cli.captures import handshake_and_repeat, pcap
from tests.support import CASES

PROGRAM = (sys.executable, "-c", "from segwatch.cli.main import main; main()", "labels")


def labels(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]  # options of subprocess


def table(text: str) -> list[dict[str, str]]:
    """Return the rows of tab-separated text."""
    header, *lines = text.splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Return a capture with a repeated segment and a reset."""
    path = tmp_path / "repeat.pcap"
    path.write_bytes(pcap(handshake_and_repeat()))
    return path


def test_rows_on_standard_output(capture: Path) -> None:
    """A header and a row per segment."""
    done = labels(capture)
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(done.stdout)
    assert [row["labels"] for row in rows] == ["", "", "", "", "retransmission", ""]
    assert rows[-1]["reset"] == "aborted_by_server"
    assert (rows[0]["time"], rows[0]["src"], rows[0]["flags"]) == ("1700000000.000000000", "10.0.0.1", "0x0002")


def test_selection(capture: Path) -> None:
    """Labelled rows, rows that meet a filter, and both."""
    assert [row["frame"] for row in table(labels(capture, "--only-labelled").stdout)] == ["5"]
    assert [row["frame"] for row in table(labels(capture, "--where", "src port 80").stdout)] == ["2", "6"]
    assert table(labels(capture, "--where", "src port 80", "--only-labelled").stdout) == []


def test_formats_hold_the_same_rows(capture: Path, tmp_path: Path) -> None:
    """The ending of the file decides the format."""
    frames = [str(frame) for frame in range(1, 7)]
    for ending in ("tsv", "jsonl", "arrow", "parquet"):
        path = tmp_path / f"out.{ending}"
        assert labels(capture, "-o", path).returncode == 0
        if ending == "tsv":
            found = [row["frame"] for row in table(path.read_text())]
        elif ending == "jsonl":
            found = [str(json.loads(line)["frame"]) for line in path.read_text().splitlines()]
        else:
            read = pa.ipc.open_file(path).read_all() if ending == "arrow" else pa.parquet.read_table(path)
            found = [str(frame) for frame in read.column("frame").to_pylist()]
        assert found == frames, ending


def test_several_captures_have_their_names_in_front(capture: Path, tmp_path: Path) -> None:
    """Folders are searched by content; each capture counts its own frames."""
    folder = tmp_path / "folder" / "deeper"
    folder.mkdir(parents=True)
    shutil.copy(capture, folder / "no-ending")
    (folder / "notes.txt").write_text("not a capture")
    (folder / "notes.gz").write_bytes(gzip.compress(b"not a capture either"))
    (folder / "link").symlink_to("no" * 200)  # cannot even be looked at
    rows = table(labels(capture, tmp_path / "folder").stdout)
    assert [row["file"] for row in rows] == [str(capture)] * 6 + [str(folder / "no-ending")] * 6
    assert [row["frame"] for row in rows] == [str(frame) for frame in range(1, 7)] * 2


def test_a_capture_that_is_named_twice_is_read_once(capture: Path, tmp_path: Path) -> None:
    """Whatever it is called the second time; that is said."""
    link = tmp_path / "link"
    link.symlink_to(capture)
    for second in (capture, link, tmp_path):
        done = labels(capture, second)
        assert done.returncode == 0
        assert [row["frame"] for row in table(done.stdout)] == [str(frame) for frame in range(1, 7)]
        assert done.stderr == f"segwatch: {capture} is named more than once, and read once.\n"


def test_standard_input(capture: Path) -> None:
    """A pipe is as good as a file."""
    with capture.open("rb") as file:
        piped = labels("-", stdin=file)
    assert piped.stdout == labels(capture).stdout


@pytest.mark.parametrize("content", [b"", b"no capture at all, just text\n", b"\xd4\xc3\xb2\xa1"])
def test_what_is_no_capture_is_refused(content: bytes, tmp_path: Path) -> None:
    """One sentence, no output, no file."""
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    done = labels(path, "-o", tmp_path / "out.tsv")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("segwatch: ")
    assert str(path) in done.stderr
    assert done.stderr.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.pcap"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Also when a pattern matches nothing."""
    assert labels(tmp_path / "no.pcap").returncode == 3
    done = labels(str(tmp_path / "*.pcap"))
    assert (done.returncode, done.stderr) == (3, f"segwatch: no file matches {tmp_path}/*.pcap.\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(capture: Path) -> None:
    """A sentence that says so."""
    capture.chmod(0)
    done = labels(capture)
    assert done.returncode == 3
    assert "permission" in done.stderr.lower()


def test_a_cut_file_is_written_as_far_as_it_goes(capture: Path) -> None:
    """The rows before the cut, a sentence, exit code 4."""
    whole = labels(capture).stdout
    capture.write_bytes(capture.read_bytes()[:-30])
    done = labels(capture)
    assert done.returncode == 4
    assert done.stdout.splitlines() == whole.splitlines()[:-1]
    assert "cut" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_file_does_not_stop_the_others(capture: Path, tmp_path: Path) -> None:
    """The good ones are written; the code says that something is missing."""
    (tmp_path / "bad.pcap").write_text("no capture, though it is named like one")
    done = labels(tmp_path / "bad.pcap", capture)
    assert done.returncode == 4
    assert len(table(done.stdout)) == 6
    assert "bad.pcap" in done.stderr


@pytest.mark.parametrize("missing", ["", "*.nothing", "empty"])
def test_an_argument_that_leads_to_nothing_does_not_stop_the_others(
    missing: str, capture: Path, tmp_path: Path
) -> None:
    """No name, a pattern without a match, a folder without a capture: an input is missing."""
    (tmp_path / "empty").mkdir()
    argument = missing and tmp_path / missing
    done = labels(argument, capture)
    assert (done.returncode, done.stderr.count("segwatch:"), len(table(done.stdout))) == (4, 1, 6)
    assert labels(argument).returncode == 3


@pytest.mark.parametrize("alone", [False, True])
def test_a_folder_that_cannot_be_searched_is_said(alone: bool, capture: Path, tmp_path: Path) -> None:
    """What lies in it is missing, and nobody would know."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    try:
        if os.access(locked, os.R_OK):
            pytest.skip("this user may read everything")
        done = labels(locked if alone else tmp_path)
    finally:
        locked.chmod(0o700)
    assert (done.returncode, done.stdout.count("\n")) == ((3, 0) if alone else (4, 7))
    assert done.stderr == f"segwatch: the folder {locked} cannot be read: Permission denied.\n"


def test_a_capture_without_frames_has_a_header_alone(tmp_path: Path) -> None:
    """Nothing is wrong with it."""
    (tmp_path / "none.pcap").write_bytes(pcap([]))
    done = labels(tmp_path / "none.pcap")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


def test_an_unknown_link_type_is_said(tmp_path: Path) -> None:
    """No frame of it can be read: a sentence and the code of unreadable input."""
    (tmp_path / "user.pcap").write_bytes(pcap(handshake_and_repeat(), link_type=147))
    done = labels(tmp_path / "user.pcap")
    assert done.returncode == 3
    assert "link type" in done.stderr


def test_a_full_disk_leaves_no_half_file(capture: Path, tmp_path: Path) -> None:
    """A limit on the size of files plays the disk."""
    frames = handshake_and_repeat()[3:4] * 5000
    capture.write_bytes(pcap(frames))
    done = labels(
        capture, "-o", tmp_path / "out.tsv", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env={**os.environ, "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", "")},
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    assert "no room left" in done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["repeat.pcap"]


@pytest.mark.parametrize("name", ["out.tsv", "out.parquet"])
def test_a_full_cache_folder_is_not_told_as_a_full_output(name: str, capture: Path, tmp_path: Path) -> None:
    """Machine code is larger than what the limit allows here, and the rows of a few frames are not."""
    cache = tmp_path / "cache"
    done = labels(
        capture, "-o", tmp_path / name, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )  # fmt: skip
    assert done.stderr == (
        f"segwatch: there is no room left to write: free some space for the cache folder {cache} (or choose another "
        "with SEGWATCH_CACHE_DIR) and try again.\n"
    )
    assert not (tmp_path / name).exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to play a full disk")
def test_a_full_standard_output(capture: Path) -> None:
    """One sentence."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        done = subprocess.run([*PROGRAM, str(capture)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (7, 1), done.stderr


def test_a_reader_that_leaves_early_is_no_error(capture: Path) -> None:
    """``| head`` ends quietly."""
    capture.write_bytes(pcap(handshake_and_repeat()[3:4] * 20000))
    command = (
        f"set -o pipefail; {sys.executable} -c 'from segwatch.cli.main import main; main()' labels {capture} | head -1"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 141)
    assert done.stdout.startswith("frame\t")


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.pcap")))
def test_the_text_is_that_of_the_reference(case: str) -> None:
    """Every column of every frame of the specification's cases, as tshark shows it."""
    from click.testing import CliRunner

    from segwatch.cli.main import root

    done = CliRunner().invoke(root, ["labels", str(CASES / f"{case}.pcap")], standalone_mode=False)
    assert done.exception is None
    expected = table((CASES / f"{case}.tsv").read_text())
    found = table(done.stdout)
    assert [{name: row[name] for name in expected[0]} for row in found] == expected


@pytest.mark.parametrize("link", [False, True])
def test_an_input_is_not_written_over(capture: Path, link: bool) -> None:
    """Whatever name the output has for it."""
    content = capture.read_bytes()
    output = capture.with_suffix(".link") if link else capture
    if link:
        output.hardlink_to(capture)
    done = labels(capture, "-o", output)
    assert done.returncode == 2
    assert done.stderr == f"segwatch: {output} is read as a capture: write to another file.\n"
    assert capture.read_bytes() == content


def test_the_device_of_standard_output_may_be_a_pipe(capture: Path) -> None:
    """As with ``-``."""
    done = labels(capture, "-o", "/dev/stdout")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == labels(capture).stdout
