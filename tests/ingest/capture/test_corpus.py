"""Real captures: counted as tshark counts them, and read as libpcap reads them."""

import csv

import numpy as np
import pytest

from ingest.capture.libpcap import LibpcapFile
from ingest.capture.reader import CaptureReader, open_capture
from segwatch.errors import InputError
from segwatch.records.frames import FrameColumns
from tests.support import CASES, captures_directory

FIELDS = ("caplen", "wirelen", "ts", "frame", "linktype")

REFUSED_BY_LIBPCAP = ("unknown file format", "different from the")


def content(columns: FrameColumns) -> list[bytes]:
    """Return the bytes of every frame."""
    ends = (columns.offset + columns.caplen).tolist()
    return [columns.buffer[start:end].tobytes() for start, end in zip(columns.offset.tolist(), ends, strict=True)]


def compare(ours: CaptureReader, theirs: LibpcapFile) -> int:
    """Compare up to where libpcap ends; return how many frames were equal."""
    equal = 0
    while (reference := theirs.read(500)) is not None:
        columns = ours.read(len(reference.offset))
        assert columns is not None
        assert content(columns) == content(reference), ours.name
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(columns, field), getattr(reference, field), f"{ours.name} {field}")
        equal += len(reference.offset)
    if theirs.damage is None:
        assert ours.read(1) is None
        assert ours.damage is None
    else:
        assert any(words in theirs.damage for words in REFUSED_BY_LIBPCAP), theirs.damage
    return equal


def test_frames_as_tshark_counts_them():
    """Every capture of the manifest holds as many frames as tshark numbered."""
    folder = captures_directory()
    with (folder / "manifest.tsv").open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert rows
    for row in rows:
        with open_capture(folder / row["file"]) as reader:
            while reader.read(1000) is not None:
                pass
        assert (row["file"], reader.frames, reader.damage) == (row["file"], int(row["packets"]), None)


def test_frames_as_libpcap_reads_them():
    """Own reader and libpcap agree on every frame of every capture that libpcap accepts."""
    folder = captures_directory()
    accepted = frames = 0
    refusals = []
    for path in sorted(path for path in folder.iterdir() if path.suffix not in (".tsv", ".md") and path.is_file()):
        try:
            theirs = LibpcapFile(path)
        except InputError as error:
            refusals.append(str(error))
            continue
        with theirs, open_capture(path) as ours:
            frames += compare(ours, theirs)
            accepted += 1
    assert all(any(words in refusal for words in REFUSED_BY_LIBPCAP) for refusal in refusals), refusals
    assert accepted > 0
    assert frames > 0


@pytest.mark.parametrize("path", sorted(CASES.glob("*.pcap")), ids=lambda path: path.stem)
def test_cases_as_libpcap_reads_them(path):
    """The small reference captures, which every checkout has."""
    with LibpcapFile(path) as theirs, open_capture(path) as ours:
        assert compare(ours, theirs) > 0
