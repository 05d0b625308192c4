"""Finding the conversations of decoded batches, in their order, in whichever thread has time for it."""

import threading
from collections import deque

import numpy as np
import numpy.typing as npt

from processors.flow_table.table import FlowTable
from segwatch.records.segments import SegmentColumns


class BatchFinder:
    """Takes batches from the thread that decodes, and gives their conversations to the one that analyses.

    Either finds them: the one that decodes when it is ahead, the other when it needs them. So two processors have
    the same to do, whatever costs most in a capture, and no third thread takes turns with them.
    """

    def __init__(self, flows: FlowTable) -> None:
        self._flows = flows
        self._lock = threading.Lock()
        self._batches: deque[SegmentColumns] = deque()
        self._found: deque[npt.NDArray[np.int32]] = deque()

    def add(self, segments: SegmentColumns) -> None:
        """Take the next batch."""
        self._batches.append(segments)

    def find_one(self) -> bool:
        """Find the conversations of the oldest batch that has none; return whether there was one."""
        with self._lock:
            return self._find_one()

    def take(self) -> npt.NDArray[np.int32]:
        """Return the conversations of the oldest batch that was added and not taken yet, (N,) numbers."""
        with self._lock:
            if not self._found:
                self._find_one()
            return self._found.popleft()

    def _find_one(self) -> bool:
        if not self._batches:
            return False
        self._found.append(self._flows.find(self._batches.popleft()))
        return True
