"""No sentence without evidence, and no number that the labels do not bear out."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segwatch.vocabulary import LABEL_NAMES
from tests.explain.evidence import labels_and_frames
from tests.explain.telling import explained, sentences
from tests.support import CASES, captures_directory

SAMPLE = 50
_LARGEST = 2 << 20
_MOST_STORIES = "20"
_TROUBLE = {
    "retransmission", "fast_retransmission", "spurious_retransmission", "lost_segment", "out_of_order",
    "duplicate_ack", "zero_window",
}  # fmt: skip


def _check(capture: Path) -> int:
    counts, frames = labels_and_frames(capture)
    document = explained(capture, "--worst", _MOST_STORIES)
    for story in document["explained"]:
        told: Counter[str] = Counter()
        for sentence in sentences(story):
            assert sentence["frames"], sentence
            assert sentence["frames"] == sorted(set(sentence["frames"])), sentence
            assert set(sentence["frames"]) <= frames[story["stream"]], sentence
            if sentence["topic"] in LABEL_NAMES:
                told[sentence["topic"]] += sentence["numbers"]["segments"]
        assert told == counts[story["stream"]], (capture, story["stream"])
        _check_end(story)
    assert document["explained"] or not any(_TROUBLE & set(labels) for labels in counts.values())
    return len(document["explained"])


def _check_end(story: dict[str, Any]) -> None:
    """Check that the end is told in order, and that a side that broke off is not said to have left it open."""
    told = story["chapters"][-1]["sentences"]
    assert [sentence["time"] for sentence in told] == sorted(sentence["time"] for sentence in told)
    assert not any("never closed" in one["text"] for one in told) or "reset" not in {one["topic"] for one in told}


@pytest.mark.parametrize("capture", sorted(CASES.glob("*.pcap")), ids=lambda path: path.stem)
def test_cases(capture: Path) -> None:
    _check(capture)


def test_real_captures() -> None:
    folder = captures_directory()
    captures = sorted(path for path in folder.iterdir() if "cap" in path.suffix and path.stat().st_size < _LARGEST)
    chosen = np.random.default_rng(6).choice(len(captures), SAMPLE, replace=False)
    assert sum(_check(captures[place]) for place in chosen) > SAMPLE // 2
