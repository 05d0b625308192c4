"""Conversations of batches, found in either of two threads."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.flow_table.table import FlowTable
from segwatch.jobs.finding import BatchFinder
from segwatch.records.segments import SegmentColumns, empty_segments


def batch(ports: list[int]) -> SegmentColumns:
    """Return segments from these ports."""
    segments = empty_segments(len(ports))
    for column in segments:
        column[:] = 0
    segments.sport[:] = ports
    segments.dport[:] = 80
    return segments


@given(
    st.lists(st.lists(st.integers(1000, 1010), max_size=5), max_size=8),
    st.lists(st.sampled_from(["add", "find", "take"]), max_size=30),
)
def test_every_batch_gets_its_own_in_any_order_of_work(batches: list[list[int]], steps: list[str]) -> None:
    table = FlowTable()
    expected = [table.find(batch(ports)) for ports in batches]
    finder, added, taken = BatchFinder(FlowTable()), 0, 0
    for step in [*steps, *["add", "take"] * len(batches)]:
        if step == "add" and added < len(batches):
            finder.add(batch(batches[added]))
            added += 1
        elif step == "find":
            finder.find_one()
        elif step == "take" and taken < added:
            assert finder.take().tolist() == expected[taken].tolist()
            taken += 1
    assert taken == added == len(batches)


def test_nothing_to_find_is_said() -> None:
    finder = BatchFinder(FlowTable())
    assert not finder.find_one()
    finder.add(batch([1]))
    assert finder.find_one()
    assert not finder.find_one()
    with pytest.raises(IndexError):
        (finder.take(), finder.take())


def test_two_threads_find_each_batch_once() -> None:
    batches = [batch([1000 + number % 7, 1000 + number % 11]) for number in range(500)]
    table = FlowTable()
    expected = [table.find(one) for one in batches]
    finder, added = BatchFinder(FlowTable()), threading.Semaphore(0)

    def decode() -> None:
        for number, one in enumerate(batches):
            finder.add(one)
            added.release()
            if number % 3:
                finder.find_one()

    thread = threading.Thread(target=decode)
    thread.start()
    for numbers in expected:
        assert added.acquire(timeout=10)
        assert np.array_equal(finder.take(), numbers)
    thread.join()
