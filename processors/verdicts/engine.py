"""The verdicts as an object: labelled segment batches in, verdicts out; no clock, no I/O."""

from typing import Any

import numpy as np
import numpy.typing as npt

from processors.verdicts import counter, rows, sent
from processors.verdicts.output import Output
from processors.verdicts.pass_over import judge_rows
from processors.verdicts.removal import remove
from processors.verdicts.segment import SEGMENT
from processors.verdicts.state import State, new_state
from segwatch.memory import copied, grown
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns

_STEPS = 16
_FEW = 1 << 15
"""Senders are doubled while they are few, then grow by a sixteenth of what they are."""


class Verdicts:
    """Judges the segments of one stream of records, in order, after the engine has labelled them.

    How the segments are cut into batches changes nothing. State can be taken out (``state``) and put back
    (``restore``) between any two batches without changing anything either.
    """

    def __init__(self, output: Output | None = None) -> None:
        self._state = new_state()
        self._output = Output() if output is None else output
        self._judged = np.zeros(1, SEGMENT)

    def judge(
        self, segments: SegmentColumns, numbers: npt.NDArray[np.int32], findings: FindingColumns
    ) -> npt.NDArray[Any]:
        """Return the verdicts of a batch, (V,) of ``VERDICT`` in the order in which they were found, amendments too.

        ``numbers``: (N,) the conversations that the flow table found. ``findings``: what the analysis found. The
        result is valid until the next call.
        """
        self._make_room_for(1 + int(numbers.max(initial=-1)))
        self._state.counters[counter.WRITTEN] = 0
        out = self._output
        done = judge_rows(self._state, segments, findings, numbers, 0, self._judged, out.rows, out.sources)
        while done < len(segments.ts):
            self._make_room()
            done = judge_rows(self._state, segments, findings, numbers, done, self._judged, out.rows, out.sources)
        return out.rows[: self._state.counters[counter.WRITTEN]]

    def sources(self) -> npt.NDArray[np.int32]:
        """Return (V,) the row in the batch of the segment that gave each of the last call's verdicts: they never fall.

        A verdict that is amended comes from the segment that amends it. Valid until the next call.
        """
        return self._output.sources[: self._state.counters[counter.WRITTEN]]

    def clear(self) -> None:
        """Forget everything."""
        self._state = new_state()

    def keep(self, places: npt.NDArray[np.int32], kept: int) -> None:
        """Number the conversations anew, as the flow table does: ``places`` has the new number of each, -1 for none."""
        self._make_room_for(len(places))
        remove(self._state, places, kept)

    def _make_room_for(self, conversations: int) -> None:
        if 2 * conversations > len(self._state.senders):
            senders = self._state.senders
            more = max(len(senders) // _STEPS, 2 * conversations - len(senders), 2 * min(len(senders) // 2, _FEW))
            self._state = self._state._replace(senders=grown(senders, len(senders) + more + more % 2))

    def _make_room(self) -> None:
        """Enlarge what stopped the kernel."""
        state = self._state
        if not rows.has_room(state, self._output.rows):
            self._output.enlarge()
        elif not sent.has_room(state):
            self._state = state._replace(pieces=grown(state.pieces))
        elif state.counters[counter.TROUBLES_USED] + 2 > len(state.troubles):
            self._state = state._replace(troubles=grown(state.troubles))
        else:
            notes = grown(state.notes)
            self._state = state._replace(notes=notes, rows=grown(state.rows, len(notes)))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that is remembered, by name, without the unused ends of the arrays."""
        counters = self._state.counters
        used = int(np.flatnonzero(self._state.senders["stream"]).max(initial=-1)) + 1
        return {
            "senders": copied(self._state.senders[: used + used % 2]),
            "pieces": copied(self._state.pieces[: counters[counter.PIECES_USED]]),
            "troubles": copied(self._state.troubles[: counters[counter.TROUBLES_USED]]),
            "notes": copied(self._state.notes[: counters[counter.NOTES_USED]]),
            "rows": copied(self._state.rows[: counters[counter.NOTES_USED]]),
            "counters": counters.copy(),
        }

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Continue from what ``state`` returned, of this or of another object."""
        fresh: State = new_state(
            max(len(state["senders"]) // 2, 1),
            len(state["pieces"]) + 1,
            len(state["troubles"]) + 1,
            len(state["notes"]) + 1,
        )
        for name in fresh._fields:
            content = state[name]
            getattr(fresh, name)[: len(content)] = content
        self._state = fresh
