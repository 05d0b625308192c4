"""Iterators in threads of their own."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from segwatch.jobs.ahead import Ahead


def _failing() -> Iterator[int]:
    yield 1
    raise ValueError("no more")


def test_all_items_come_in_order() -> None:
    """Through two threads, one after the other."""
    first = Ahead(iter(range(1000)), "first")
    second = Ahead((item * item for item in first), "second")
    first.start()
    second.start()
    assert list(second) == [item * item for item in range(1000)]
    second.join()


def test_errors_are_raised_where_items_are_taken() -> None:
    """After what came before them, and through a second thread."""
    first = Ahead(_failing(), "first")
    second = Ahead(iter(first), "second")
    first.start()
    second.start()
    taken = iter(second)
    assert next(taken) == 1
    with pytest.raises(ValueError, match="no more"):
        next(taken)


def test_stopping_early_ends_the_threads() -> None:
    """Even where an iterator has no end and nobody takes its items."""
    first = Ahead(itertools.count(), "stopped-first")
    second = Ahead(iter(first), "stopped-second")
    first.start()
    second.start()
    assert next(iter(second)) == 0
    first.stop()
    second.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stopped-")]
    assert list(second) == []
