"""libpcap's callback, compiled: it copies frames and their headers into a block of memory, without the interpreter."""

import ctypes

import numpy as np
import numpy.typing as npt
from numba import carray  # type: ignore[attr-defined] # it is public, but the package does not mark it as exported

from segwatch.buffers import BufferPool
from segwatch.compilation import callback
from segwatch.records.frames import FrameColumns

# The block begins with these numbers (int64); then the columns, then the room for the frames' bytes.
ROWS, CAPACITY, SNAPLEN, USED, END, LOST, STATE_FIELDS = range(7)
# ROWS: filled so far, of CAPACITY. SNAPLEN: bytes of a frame that are kept.
# USED: where the next frame's bytes go, END: where the block ends, both from its beginning.
# LOST: frames for which there was no row or no room; who asks libpcap for no more than fit never sees any.

NUMBER_BYTES = 8
ROW_BYTES = 8 + 8 + 4 + 4


class FrameBlock:
    """Room for one batch of frames, to be filled by ``collect_frame``.

    The caller asks ``pcap_dispatch`` for at most ``fitting`` frames at a time.
    """

    def __init__(self, pool: BufferPool, rows: int, snaplen: int) -> None:
        """Take a block of the pool's size, or a larger one where ``rows`` rows and one frame need it."""
        first = STATE_FIELDS * NUMBER_BYTES + rows * ROW_BYTES
        self.memory: npt.NDArray[np.uint8] = pool.lease(first + snaplen)
        self._state = self.memory[: STATE_FIELDS * NUMBER_BYTES].view(np.int64)
        self._state[:] = (0, rows, snaplen, first, len(self.memory), 0)

    @property
    def address(self) -> ctypes.c_void_p:
        """What to pass to libpcap as the callback's ``user`` argument; the block must live as long."""
        return ctypes.c_void_p(self.memory.ctypes.data)

    @property
    def fitting(self) -> int:
        """How many more frames fit for certain, however long they are."""
        rows, capacity, snaplen, used, end, _ = self._state.tolist()
        return int(min(capacity - rows, (end - used) // snaplen))

    @property
    def rows(self) -> int:
        """Frames collected so far."""
        return int(self._state[ROWS])

    @property
    def lost(self) -> int:
        """Frames for which there was no room."""
        return int(self._state[LOST])

    def columns(self, first_frame: int, link_type: int) -> FrameColumns:
        """Return the collected frames, numbered from ``first_frame`` on; they keep the block alive."""
        rows, capacity = self.rows, int(self._state[CAPACITY])
        start = STATE_FIELDS * NUMBER_BYTES
        places = start + capacity * np.array([0, 8, 16, 20, 24])
        ts, offset, caplen, wirelen = (
            self.memory[place : place + rows * size].view(dtype)
            for place, size, dtype in zip(places, (8, 8, 4, 4), ("i8", "i8", "u4", "u4"), strict=False)
        )
        frame = np.arange(first_frame, first_frame + rows, dtype=np.int64)
        return FrameColumns(self.memory, offset, caplen, wirelen, ts, frame, np.full(rows, link_type, np.uint16))


@callback("void(voidptr, voidptr, voidptr)")
def collect_frame(user, header, data):  # type: ignore[no-untyped-def] # the compiler takes the types from the signature
    """Take one frame: ``pcap_handler`` of pcap(3), for handles of nanosecond precision, where time_t has 64 bits."""
    state = carray(user, (STATE_FIELDS,), np.int64)
    time = carray(header, (2,), np.int64)
    lengths = carray(header, (6,), np.uint32)
    captured = min(np.int64(lengths[4]), state[SNAPLEN])
    row, capacity, used = state[ROWS], state[CAPACITY], state[USED]
    if row >= capacity or used + captured > state[END]:
        state[LOST] += 1
        return
    numbers = carray(user, (STATE_FIELDS + 2 * capacity,), np.int64)
    numbers[STATE_FIELDS + row] = time[0] * 1_000_000_000 + time[1]
    numbers[STATE_FIELDS + capacity + row] = used
    halves = carray(user, (2 * STATE_FIELDS + 6 * capacity,), np.uint32)
    halves[2 * STATE_FIELDS + 4 * capacity + row] = captured
    halves[2 * STATE_FIELDS + 5 * capacity + row] = lengths[5]
    target = carray(user, (state[END],), np.uint8)
    source = carray(data, (captured,), np.uint8)
    for index in range(captured):
        target[used + index] = source[index]
    state[USED] = used + captured
    state[ROWS] = row + 1
