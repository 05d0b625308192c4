"""Frames to start from: those of the cases, and of the corpus of real captures where there is one."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.capture.reader import open_capture
from segwatch.errors import SegwatchError
from segwatch.records.frames import FrameColumns
from tests.support import CASES, REPOSITORY

LONGEST_FRAME = 2048
"""Longer frames are cut: what matters of them stands at the beginning."""
FRAMES_OF_A_FILE = 400
FRAMES_AT_ONCE = 4096


class Corpus(NamedTuple):
    """Frames one after the other, files kept together."""

    data: npt.NDArray[np.uint8]
    offset: npt.NDArray[np.int64]
    caplen: npt.NDArray[np.int64]
    wirelen: npt.NDArray[np.int64]
    linktype: npt.NDArray[np.uint16]


def load_corpus() -> Corpus:
    """Return the seed frames, always in the same order on one machine."""
    captures = Path(os.environ.get("SEGWATCH_CAPTURES") or REPOSITORY.parent / "shared" / "captures")
    paths = sorted(CASES.glob("*.pcap"))
    if (captures / "oracle").is_dir():
        paths += sorted(path for path in captures.iterdir() if path.is_file() and path.suffix not in {".md", ".tsv"})
    parts = [part for path in paths for part in _frames_of(path)]
    caplen = np.concatenate([part.caplen for part in parts])
    return Corpus(
        data=np.concatenate([part.data for part in parts]),
        offset=np.cumsum(caplen) - caplen,
        caplen=caplen,
        wirelen=np.concatenate([part.wirelen for part in parts]),
        linktype=np.concatenate([part.linktype for part in parts]),
    )


def _frames_of(path: Path) -> list[Corpus]:
    """Return the first frames of a capture in one part; none of a file that is no capture."""
    try:
        with open_capture(path) as reader:
            frames = reader.read(min(FRAMES_AT_ONCE, FRAMES_OF_A_FILE))
            return [] if frames is None else [_copied(frames)]
    except SegwatchError:
        return []


def _copied(frames: FrameColumns) -> Corpus:
    caplen = np.minimum(frames.caplen.astype(np.int64), LONGEST_FRAME)
    data = gathered(frames.buffer, frames.offset, caplen)
    return Corpus(data, np.cumsum(caplen) - caplen, caplen, frames.wirelen.astype(np.int64), frames.linktype.copy())


def gathered(
    buffer: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    """Return ``lengths[i]`` bytes from ``offsets[i]`` for every i, one after the other."""
    starts = np.cumsum(lengths) - lengths
    return np.asarray(buffer[np.arange(int(lengths.sum())) + np.repeat(offsets - starts, lengths)])
