"""An iterator in a thread of its own."""

import threading
from collections.abc import Iterator

import pytest

from segwatch.jobs.ahead import Ahead


def counted(end: int) -> Iterator[int]:
    """Count, then fail."""
    yield from range(end)
    raise ValueError("the end")


def test_items_come_in_order_and_then_the_error() -> None:
    """Nothing is lost that came before the error."""
    items = Ahead(counted(100), "test-ahead")
    items.start()
    taken = iter(items)
    assert [next(taken) for _ in range(100)] == list(range(100))
    with pytest.raises(ValueError, match="the end"):
        next(taken)
    items.stop()


def test_stopping_early_ends_the_thread() -> None:
    """However many items are left."""
    items = Ahead(counted(1_000_000), "test-ahead-stopped")
    items.start()
    assert next(iter(items)) == 0
    items.stop()
    assert "test-ahead-stopped" not in [thread.name for thread in threading.enumerate()]


def test_who_would_wait_does_something_else_meanwhile() -> None:
    """As long as there is anything to do, and no item is lost for it."""
    done = threading.Event()
    left = iter([True] * 5)

    def meanwhile() -> bool:
        some = next(left, False)
        if not some:
            done.set()
        return some

    items = Ahead(counted(100), "test-ahead-meanwhile", meanwhile)
    items.start()
    assert done.wait(10)
    taken = iter(items)
    assert [next(taken) for _ in range(100)] == list(range(100))
    items.stop()
