"""Packets that several sensors saw, and what happened to them on the way from one sensor to the next."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

NOWHERE: Final = -1
"""Row of a packet that a sensor did not see; sensor of a place before the first one; packet of which there is none."""


class PathEvent(IntEnum):
    """What happened to a packet between two sensors; a packet has one event at most in one place."""

    LOST = 0
    DUPLICATED = 1
    REORDERED = 2
    """A packet that was sent later came by before it."""
    DELAYED = 3
    """It took much longer than the others, and kept its place."""
    CAPTURE_LOSS = 4
    """A sensor missed it: sensors before and behind saw it."""
    CAPTURE_DUPLICATE = 5
    """A sensor wrote it twice: the copy came at once, and the next sensor has none."""
    APPEARED = 6
    """It was not seen before: the sensor before missed it, or something between them made it."""
    MAYBE_LOST = 7
    """It was lost; or an equal one was written twice by the sensor before, or is this one, late: that is not sure."""


PATH_EVENT_NAMES: Final = tuple(str(kind.name).lower() for kind in PathEvent)


class PacketColumns(NamedTuple):
    """Columns of P packets, each once, whichever of the S sensors saw it; sensors in the order of the way."""

    row: npt.NDArray[np.int64]
    """(P, S) row of the joined segments, ``NOWHERE`` where a sensor has none."""
    conversation: npt.NDArray[np.int32]
    """(P,)"""
    side: npt.NDArray[np.uint8]
    """(P,) which end sent it: 1 if the source is the greater one."""
    copy_of: npt.NDArray[np.int64]
    """(P,) the packet that this is a copy of, ``NOWHERE`` for those that a host sent."""
    is_forward: npt.NDArray[np.bool_]
    """(P,) whether it went from the first sensor to the last."""
    twin: npt.NDArray[np.int64]
    """(P,) the packet before it that the first sensor saw at the same moment: nothing tells whether a host sent both or
    the sensor wrote one twice; ``NOWHERE`` if there is none."""
    is_mixed: npt.NDArray[np.bool_]
    """(P,) a sensor saw an equal one so shortly before or after that the two may be taken for each other."""
    may_be_late: npt.NDArray[np.bool_]
    """(P,) an equal one was new at a sensor that has not this one, about when it was expected there: nothing but times
    tells whether that is this one."""
    burst: npt.NDArray[np.int64]
    """(P,) a packet of the burst that it is in: equal ones that may come by the last sensor in any order, or came
    at the same moment before."""


class EventColumns(NamedTuple):
    """Columns of E events, in order of time."""

    kind: npt.NDArray[np.uint8]
    """(E,) ``PathEvent``."""
    packet: npt.NDArray[np.int64]
    """(E,) row of the packet columns."""
    origin: npt.NDArray[np.int64]
    """(E,) the sensor before the event, in the order of the way; ``NOWHERE`` before the first."""
    target: npt.NDArray[np.int64]
    """(E,) the sensor behind it; of what sensors did themselves equal to ``origin``."""
    ts: npt.NDArray[np.int64]
    """(E,) nanoseconds since the epoch by the first sensor's clock: when a sensor last saw the packet before the
    event, or first after it."""


class Clock(NamedTuple):
    """What the clock of a sensor shows, compared with the first one's; estimated from packets of both directions."""

    offset: int
    """Nanoseconds that it is ahead at the middle of what both saw."""
    drift: float
    """Nanoseconds that it gains in a nanosecond."""
    middle: int
    """Time by its own clock to which ``offset`` belongs."""
    uncertainty: int
    """Nanoseconds: half of the least time to there and back, and what a drift that delays may have made is over the
    whole time. The estimate is off by less, however unequal the two ways are."""
    is_known: bool
    """Both directions were seen; if not, the fastest packet is taken to need no time."""
