"""What the analysis says of a capture, for what stories say of it."""

from collections import Counter, defaultdict
from pathlib import Path

from segwatch.jobs.pipeline import CapturePipeline
from segwatch.vocabulary import LABEL_NAMES


def labels_and_frames(capture: Path) -> tuple[dict[int, Counter[str]], dict[int, set[int]]]:
    """Return how often each conversation has each label, and the frames of each."""
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    frames: dict[int, set[int]] = defaultdict(set)
    with CapturePipeline(str(capture), "wireshark-4.0") as pipeline:
        for segments, findings, *_ in pipeline:
            for stream, mask, frame in zip(findings.stream, findings.labels, segments.frame, strict=True):
                frames[int(stream)].add(int(frame))
                counts[int(stream)].update(name for bit, name in enumerate(LABEL_NAMES) if int(mask) >> bit & 1)
    return counts, frames
