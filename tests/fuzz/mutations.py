"""Mutations of whole batches of frames: each touches a random share of them."""

import numpy as np
import numpy.typing as npt

from segwatch.records.frames import FRAME_TYPES, FrameColumns
from tests.fuzz.corpus import Corpus, gathered

Integers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
LONGEST_RUN = 64
HEADER_BYTES = 96
"""Most mutations hit this many bytes at the beginning, where headers are."""
LINK_TYPES = (0, 1, 9, 12, 50, 101, 105, 108, 113, 127, 192, 228, 229, 276, 999)
LIES = (0, 1, 3, 4, 5, 8, 15, 16, 19, 20, 39, 40, 41, 60, 127, 128, 254, 255, 256, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
"""Values at which lengths, counts and offsets tend to be handled wrongly."""
START = 1_767_258_000_000_000_000


def mutated_batch(
    corpus: Corpus, rng: np.random.Generator, rows: int, first_frame: int, filler: int = 0
) -> FrameColumns:
    """Return ``rows`` mutated frames, numbered from ``first_frame``.

    ``filler``: byte in the gaps between the frames; it must not change what is read from them. The last frame ends at
    the end of the buffer.
    """
    chosen = _chosen(corpus, rng, rows)
    caplen = corpus.caplen[chosen]
    data = gathered(corpus.data, corpus.offset[chosen], caplen)
    starts = np.cumsum(caplen) - caplen
    _splice(data, starts, caplen, rng)
    _lie(data, starts, caplen, rng)
    _flip_bits(data, starts, caplen, rng)
    kept = np.where(rng.random(rows) < 0.1, (caplen * rng.random(rows)).astype(np.int64), caplen)
    buffer, offsets = _with_gaps(data, starts, kept, rng, filler)
    return FrameColumns(
        buffer=buffer,
        offset=offsets,
        caplen=kept.astype(FRAME_TYPES["caplen"]),
        wirelen=_wire_lengths(corpus.wirelen[chosen], kept, rng),
        ts=_times(rng, rows),
        frame=np.arange(first_frame, first_frame + rows),
        linktype=np.where(rng.random(rows) < 0.02, rng.choice(LINK_TYPES, rows), corpus.linktype[chosen]).astype(
            np.uint16
        ),
    )


def _chosen(corpus: Corpus, rng: np.random.Generator, rows: int) -> Integers:
    """Return frames in runs, so that conversations stay together, with doubles and swaps."""
    lengths = rng.integers(1, LONGEST_RUN, rows)
    runs = np.searchsorted(np.cumsum(lengths), rows) + 1
    lengths = lengths[:runs]
    first = rng.integers(0, len(corpus.offset), runs)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    chosen: Integers = ((np.repeat(first, lengths) + within) % len(corpus.offset))[:rows]
    moved = np.flatnonzero(rng.random(rows - 1) < 0.05)
    chosen[moved + 1] = chosen[moved]
    swapped = np.flatnonzero(rng.random(rows - 1) < 0.03)[::2]
    chosen[swapped], chosen[swapped + 1] = chosen[swapped + 1], chosen[swapped]
    return chosen


def _places(starts: Integers, caplen: Integers, rng: np.random.Generator, count: int, width: int) -> Integers:
    """Return ``count`` places in the frames' data with ``width`` bytes in the same frame, mostly in the headers."""
    frames = rng.integers(0, len(starts), count)
    frames = frames[caplen[frames] >= width]
    room = caplen[frames] - width + 1
    near = np.minimum(room, HEADER_BYTES)
    reach = np.where(rng.random(frames.size) < 0.9, near, room)
    return starts[frames] + (reach * rng.random(frames.size)).astype(np.int64)


def _flip_bits(data: Bytes, starts: Integers, caplen: Integers, rng: np.random.Generator) -> None:
    places = _places(starts, caplen, rng, len(starts) // 2, 1)
    data[places] ^= (1 << rng.integers(0, 8, places.size)).astype(np.uint8)


def _lie(data: Bytes, starts: Integers, caplen: Integers, rng: np.random.Generator) -> None:
    """Write tell-tale numbers, one or two bytes wide."""
    for width in (1, 2):
        places = _places(starts, caplen, rng, len(starts) // 6, width)
        values = rng.choice(LIES, places.size)
        for byte in range(width):
            data[places + byte] = (values >> 8 * (width - 1 - byte)) & 0xFF


def _splice(data: Bytes, starts: Integers, caplen: Integers, rng: np.random.Generator) -> None:
    """Copy up to 32 bytes of one frame into another."""
    for width in (2, 4, 8, 20, 32):
        targets = _places(starts, caplen, rng, len(starts) // 40, width)
        sources = _places(starts, caplen, rng, len(starts) // 40, width)
        count = min(targets.size, sources.size)
        span = np.arange(width)
        data[targets[:count, None] + span] = data[sources[:count, None] + span]


def _with_gaps(
    data: Bytes, starts: Integers, kept: Integers, rng: np.random.Generator, filler: int
) -> tuple[Bytes, Integers]:
    """Return a buffer with the kept bytes of each frame and gaps before them, and where each frame begins."""
    gaps = rng.integers(0, 24, len(kept))
    offsets = np.cumsum(kept + gaps) - kept
    buffer = np.full(int(offsets[-1] + kept[-1]), filler, np.uint8)
    buffer[np.arange(int(kept.sum())) + np.repeat(offsets - (np.cumsum(kept) - kept), kept)] = gathered(
        data, starts, kept
    )
    return buffer, offsets


def _wire_lengths(wirelen: Integers, kept: Integers, rng: np.random.Generator) -> npt.NDArray[np.uint32]:
    lying = rng.random(len(kept))
    lengths = np.maximum(wirelen, kept)
    lengths = np.where(lying < 0.05, kept + rng.choice(LIES, len(kept)), lengths)
    lengths = np.where(lying < 0.01, rng.integers(0, 1 << 32, len(kept)), lengths)
    return lengths.astype(np.uint32)


def _times(rng: np.random.Generator, rows: int) -> Integers:
    """Return times that go on in steps from nothing to minutes, sometimes backwards."""
    steps = rng.choice([0, 1, 1_000, 100_000, 3_000_000, 20_000_000, 1_000_000_000], rows)
    steps = np.where(rng.random(rows) < 0.01, rng.integers(-90_000_000_000, 90_000_000_000, rows), steps)
    return START + np.cumsum(steps)
