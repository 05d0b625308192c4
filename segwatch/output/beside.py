"""Something to do in a thread of its own while the next thing to do is prepared."""

import queue
import threading
from collections.abc import Callable


class Beside:
    """Does one thing at a time; who has the next one waits for the one before, and hears of its error."""

    def __init__(self, name: str) -> None:
        self._given: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._is_busy = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def do(self, action: Callable[[], object]) -> None:
        """Begin ``action`` as soon as the one before is done. Raises what that one raised."""
        self.wait()
        self._is_busy = True
        self._given.put(action)

    def wait(self) -> None:
        """Wait until nothing is left to do. Raises what was raised."""
        if self._is_busy:
            error = self._ended.get()
            self._is_busy = False
            if error is not None:
                raise error

    def close(self) -> None:
        """Wait, and end the thread."""
        self.wait()
        self._given.put(None)

    def _run(self) -> None:
        while (action := self._given.get()) is not None:
            try:
                action()
            except BaseException as error:  # whatever it is, who gave the action must hear of it
                self._ended.put(error)
            else:
                self._ended.put(None)
