"""One process of the fuzzing: says which batch it begins, so that its end can be blamed on that batch."""

import argparse
import sys
from typing import Any

import numpy as np

from ingest.decode.decoder import Decoder
from processors.engine import Engine
from segwatch.compilation import kernel
from segwatch.records.findings import empty_findings
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SACK_EDGES, SegmentColumns
from tests.fuzz.corpus import Corpus, load_corpus
from tests.fuzz.invariants import BrokenInvariantError, SessionInvariants, check_segments
from tests.fuzz.mutations import mutated_batch

BATCH_FRAMES = 8192
BATCHES_OF_A_SESSION = 16
"""Batches that go through one decoder and one engine; then new ones begin."""
FRAMES_OF_A_SESSION = BATCH_FRAMES * BATCHES_OF_A_SESSION
SURROUNDINGS_EVERY = 4
"""In every so many sessions the frames are decoded a second time, with other bytes between them."""


@kernel
def _element(values: Any, place: int) -> int:
    return int(values[place])


def bounds_are_checked() -> bool:
    """Whether compiled code raises on an index that is out of bounds (``NUMBA_BOUNDSCHECK=1``)."""
    try:
        _element(np.zeros(4096, np.int64)[:1], 2)
    except IndexError:
        return True
    return False


class Session:
    """Batches of one random number stream through one decoder and one engine."""

    def __init__(self, corpus: Corpus, seed: int, number: int) -> None:
        self._corpus = corpus
        self._seeds = (seed, number)
        self._decoder = Decoder()
        self._other = Decoder() if number % SURROUNDINGS_EVERY == 0 else None
        self._engine = Engine()
        self._invariants = SessionInvariants()
        self.segments = 0

    def run_batch(self, batch: int) -> None:
        """Make, decode, analyse and check one batch."""
        frames = self._frames(batch, filler=0)
        segments = self._decoder.decode(frames)
        if self._other is not None:
            same_segments(segments, self._other.decode(self._frames(batch, filler=0xFF)))
        check_segments(frames, segments)
        findings = empty_findings(len(segments.ts))
        self._invariants.count(self._engine.analyze(segments, findings))
        self._invariants.check(segments, findings)
        self.segments += len(segments.ts)

    def _frames(self, batch: int, filler: int) -> FrameColumns:
        rng = np.random.default_rng([*self._seeds, batch])
        return mutated_batch(self._corpus, rng, BATCH_FRAMES, 1 + batch * BATCH_FRAMES, filler)

    def finish(self) -> None:
        """Check the sums of the session."""
        self._invariants.count(self._engine.finish())
        self._invariants.check_end(self._engine.conversations)


def same_segments(segments: SegmentColumns, others: SegmentColumns) -> None:
    """Raise BrokenInvariantError unless both hold the same: else something was read from outside a frame."""
    for name, column, other in zip(SegmentColumns._fields, _cleared(segments), _cleared(others), strict=True):
        if not np.array_equal(column, other):
            raise BrokenInvariantError(f"{name} depends on bytes outside of the frames")


def _cleared(segments: SegmentColumns) -> list[Any]:
    """Return the columns, with 0 for the SACK edges that have no meaning."""
    present = np.arange(SACK_EDGES) < 2 * segments.sack_count.astype(np.int64)[:, None]
    return [np.where(present, column, 0) if column is segments.sack else column for column in segments]


def main() -> None:
    """Run sessions; write a line before each batch and at the end of each session."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.worker")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--first", type=int, required=True, help="first session")
    parser.add_argument("--sessions", type=int, required=True)
    arguments = parser.parse_args()
    corpus = load_corpus()
    sys.stdout.write(f"corpus {len(corpus.offset)} {int(bounds_are_checked())}\n")
    for number in range(arguments.first, arguments.first + arguments.sessions):
        session = Session(corpus, arguments.seed, number)
        for batch in range(BATCHES_OF_A_SESSION):
            sys.stdout.write(f"batch {number} {batch}\n")
            sys.stdout.flush()
            session.run_batch(batch)
        session.finish()
        sys.stdout.write(f"session {number} {session.segments}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
