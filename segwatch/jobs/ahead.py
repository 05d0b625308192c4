"""An iterator that runs in a thread of its own, a few items ahead of who takes them."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

_ITEMS_AHEAD = 3
_WAIT_SECONDS = 0.1
_Item = TypeVar("_Item")


class Ahead(Generic[_Item]):
    """Runs ``items`` in a thread from ``start`` to their end, or to ``stop``; iterate to take them.

    An error in that thread is raised where the items are taken. While enough items wait it calls ``meanwhile``, which
    does something useful and returns whether there was anything to do.
    """

    def __init__(self, items: Iterator[_Item], name: str, meanwhile: Callable[[], bool] | None = None) -> None:
        self._items = items
        self._meanwhile = meanwhile
        self._queue: queue.Queue[tuple[_Item] | BaseException | None] = queue.Queue(_ITEMS_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float | None = None) -> bool:
        """End early; who still takes items gets no more.

        Return whether the thread has ended, after ``seconds`` at most (None: when it has).
        """
        self._stop.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
            self._put(None)
        except BaseException as error:  # whatever it is, who takes the items must hear of it
            self._put(error)

    def _put(self, entry: tuple[_Item] | BaseException | None) -> bool:
        while not self._stop.is_set():
            if self._meanwhile is not None and self._queue.full() and self._meanwhile():
                continue
            try:
                self._queue.put(entry, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[_Item]:
        for item in self.with_pauses(_WAIT_SECONDS):
            if item is not None:
                yield item

    def with_pauses(self, patience: float) -> Iterator[_Item | None]:
        """Yield the items, and None whenever there was none for ``patience`` seconds."""
        while not self._stop.is_set():
            try:
                entry = self._queue.get(timeout=patience)
            except queue.Empty:
                yield None
                continue
            if entry is None:
                return
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
