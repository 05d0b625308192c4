"""Large buffers that go from a producer to its consumers and come back by themselves."""

import mmap
import weakref

import numpy as np
import numpy.typing as npt


class BufferPool:
    """Buffers of one size; one is taken again once nothing refers to it or to a slice of it any more."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[mmap.mmap] = []

    def lease(self, size: int) -> npt.NDArray[np.uint8]:
        """Return a buffer of the pool's size, or a larger one (outside the pool) where ``size`` bytes need it.

        Every slice of the array keeps the array itself alive, as its memory belongs to no other array; so the
        finalizer runs after the last slice is gone. It may run in the consumer's thread; list.append is atomic.
        """
        if size > self.size:
            return np.frombuffer(_memory(size), np.uint8)
        try:
            memory = self._free.pop()
        except IndexError:
            memory = _memory(self.size)
        array = np.frombuffer(memory, np.uint8)
        weakref.finalize(array, self._free.append, memory).atexit = False
        return array


def _memory(size: int) -> mmap.mmap:
    """Return anonymous memory, whose pages take no room before they are written."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
