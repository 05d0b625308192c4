"""Which conversations lost something, or stood still, by their verdicts: labels do not always show it."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.memory import joined
from segwatch.output.verdict_table import final
from segwatch.vocabulary import Cause, Place

_NOTE: Final = np.dtype(
    [
        ("frame", np.int64),
        ("stream", np.int32),
        ("from_client", np.uint8),
        ("seq", np.uint32),
        ("revision", np.uint16),
        ("harms", np.bool_),
    ]
)
_KEY: Final = ("frame", "stream", "from_client", "seq", "revision")


class Harm:
    """Remembers of each verdict whether something was lost or delivery stood still.

    An application that sends nothing harms no one. ``sinks.stored_verdicts`` asks the store the same.
    """

    def __init__(self) -> None:
        self._parts = [np.zeros(0, _NOTE)]

    def add(self, verdicts: npt.NDArray[Any]) -> None:
        """Take (V,) ``VERDICT``, amendments too."""
        if not len(verdicts):
            return
        notes = np.zeros(len(verdicts), _NOTE)
        for name in _KEY:
            notes[name] = verdicts[name]
        waited = (verdicts["stalled"] > 0) & (verdicts["cause"] != Cause.APPLICATION_IDLE)
        lost = (verdicts["cause"] == Cause.CAPTURE_LOSS) | (verdicts["place"] != Place.UNKNOWN)
        notes["harms"] = waited | lost
        self._parts.append(notes)

    def is_in(self, streams: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return which conversations of these numbers were harmed, (C,), by the last revision of each verdict."""
        last = final(joined(self._parts))
        return np.isin(streams, last["stream"][last["harms"]])
