"""What a frame of a capture is and what is said of it: by the truth, by segwatch, by tshark's labels."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.verdicts import judged
from segwatch.output.verdict_table import final
from segwatch.records.verdicts import VERDICT
from segwatch.settings import Settings
from segwatch.vocabulary import CAUSE_NAMES, NEEDED_NAMES, PLACE_NAMES, Cause
from tests.lab import truth
from tests.lab.scoreboard import packets
from tests.lab.scoreboard.labels import Labels
from tests.lab.scoreboard.traces import Trace, traces

NOTHING: Final = "-"
"""The cause of a frame of which nothing is said."""
_OUTSIDE_OF_THE_LAB = tuple(map(int, (Cause.WINDOW_CLOSED, Cause.APPLICATION_IDLE, Cause.RESET, Cause.INJECTED_RESET)))
"""What is said of new data and of resets: the lab's truth is about repeats, copies, probes and order alone."""


class Word(NamedTuple):
    """What is said of a frame."""

    cause: str
    needed: str = "unknown"
    place: str = "unknown"


SILENCE: Final = Word(NOTHING)


class Case(NamedTuple):
    """A frame that the truth, a verdict or a label speaks of."""

    stack: str
    point: str
    """Where the capture was taken: ``sender``, ``middle``, ``receiver``."""
    true: Word
    trace: Trace
    said: Word
    confidence: float
    """0 where segwatch says nothing."""
    label: Word
    """What a reader takes tshark's labels for."""
    flow: tuple[int, bool]
    """Client's port and whether the client sent it."""


def cases(folder: Path, labels: Labels | None) -> Iterator[tuple[Path, list[Case]]]:
    """Yield the captures of a scenario with their cases; ``labels`` asks tshark."""
    stack = json.loads((folder / "scenario.json").read_text("utf-8"))["stack"]["name"]
    true: dict[str, dict[int, truth.Row]] = {}
    for row in truth.read(folder / "truth.csv.gz"):
        true.setdefault(row.capture, {})[row.frame] = row
    for capture in sorted(folder.glob("*.pcap.gz")):
        point = capture.name.removesuffix(".pcap.gz")
        yield capture, list(_of_capture(capture, stack, point, true.get(point, {}), labels))


def _of_capture(
    path: Path, stack: str, point: str, true: Mapping[int, truth.Row], labels: Labels | None
) -> Iterator[Case]:
    here = packets.read(path)
    held = traces(here, true)
    said = by_frame(verdicts_of(path))
    told = {frame: Word(*label) for frame, label in labels.of(path).items()} if labels else {}
    for frame in sorted(true.keys() | said.keys() | told.keys()):
        row = true.get(frame)
        verdict = said.get(frame)
        yield Case(
            stack,
            point.rstrip("0123456789"),
            Word(row.cause, row.needed, row.place) if row else SILENCE,
            held.get(frame, Trace("", shows_need=True, shows_place=True)),
            SILENCE if verdict is None else word(verdict),
            0.0 if verdict is None else float(verdict["confidence"]),
            told.get(frame, SILENCE),
            here[frame - 1].flow,
        )


def verdicts_of(path: Path) -> npt.NDArray[Any]:
    """Return the last revisions of the verdicts on a capture, (V,) ``VERDICT``."""
    parts = [np.zeros(0, VERDICT)]
    with DecodedCapture(str(path)) as capture:
        parts += [verdicts.copy() for _, verdicts in judged(capture, Settings.rules)]
    found = final(np.concatenate(parts).view(VERDICT))
    return found[~np.isin(found["cause"], _OUTSIDE_OF_THE_LAB)]


def by_frame(verdicts: npt.NDArray[Any]) -> dict[int, Any]:
    """Return one verdict for each frame; as in the truth, what a frame is goes before what it shows to be missing."""
    is_about_itself = verdicts["cause"] != CAUSE_NAMES.index("capture_loss")
    return {int(row["frame"]): row for row in (*verdicts[~is_about_itself], *verdicts[is_about_itself])}


def word(verdict: Any) -> Word:
    """Return what a verdict says."""
    return Word(CAUSE_NAMES[verdict["cause"]], NEEDED_NAMES[verdict["needed"]], PLACE_NAMES[verdict["place"]])
