"""Zeroed memory that grows."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from segwatch.memory import LARGE, RESERVED, copied, grown, joined, zeroed

_RECORD = np.dtype([("a", np.int64), ("b", np.uint8, (5,))])


@pytest.mark.parametrize("rows", [1, 64, LARGE // _RECORD.itemsize + 1])
def test_growing_keeps_the_content_and_adds_zeros(rows: int) -> None:
    array = zeroed(rows, _RECORD)
    assert not array.view(np.uint8).any()
    array["a"] = np.arange(rows)
    larger = grown(array)
    assert len(larger) > rows
    assert (larger["a"][:rows] == np.arange(rows)).all()
    assert not larger[rows:].view(np.uint8).any()


def test_small_arrays_double_and_large_ones_grow_by_steps() -> None:
    assert len(grown(zeroed(64, _RECORD))) == 128
    large = zeroed(2 * LARGE, np.dtype(np.uint8))
    assert len(grown(large)) == 3 * LARGE
    huge = zeroed(64 * LARGE, np.dtype(np.uint8))
    assert len(grown(huge)) == 68 * LARGE


def test_a_length_can_be_asked_for() -> None:
    assert len(grown(zeroed(10, _RECORD), 11)) == 11
    large = zeroed(LARGE, np.dtype(np.uint8))
    assert len(grown(large, LARGE + 1)) == LARGE + 1


def test_large_arrays_grow_in_place_up_to_what_they_reserve_and_are_copied_beyond() -> None:
    array = zeroed(LARGE, np.dtype(np.uint8))
    array[-1] = 7
    inside = grown(array, RESERVED * LARGE)
    assert np.shares_memory(array, inside)
    beyond = grown(inside, RESERVED * LARGE + 1)
    assert not np.shares_memory(inside, beyond)
    assert beyond[LARGE - 1] == 7


def test_memory_is_had_where_no_addresses_are_reserved_and_no_pages_come_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    class Poor(mmap.mmap):
        def __new__(cls, number: int, length: int, flags: int) -> "Poor":
            if length > 2 * LARGE:
                raise OSError(12, "Cannot allocate memory")
            return super().__new__(cls, number, length, flags)

        def madvise(self, *_: int) -> None:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(mmap, "mmap", Poor)
    array = zeroed(LARGE, np.dtype(np.uint8))
    array[:] = 1
    larger = grown(array)
    assert len(larger) == 2 * LARGE
    assert larger.sum() == LARGE


def _some(rows: int) -> npt.NDArray[Any]:
    records = np.zeros(rows, _RECORD)
    records["a"] = np.arange(rows)
    records["b"] = np.arange(5)
    return records


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_a_copy_is_equal_and_of_its_own(rows: int) -> None:
    records = _some(rows)
    copy = copied(records[: rows // 2])
    assert copy.dtype == _RECORD
    assert (copy == records[: rows // 2]).all()
    copy["a"] = -1
    assert (records == _some(rows)).all()
    assert copy.flags.writeable


@pytest.mark.parametrize("lengths", [[0], [3], [0, 2, 0, 5], [1000, 1]])
def test_joining_records_is_as_numpy_does_it(lengths: list[int]) -> None:
    blocks = [_some(length) for length in lengths]
    together = joined(blocks)
    assert together.dtype == _RECORD
    assert (together == np.concatenate(blocks)).all()


def test_joining_takes_arrays_of_other_types_too() -> None:
    assert joined([np.array([[1, 2]]), np.array([[3, 4], [5, 6]])]).tolist() == [[1, 2], [3, 4], [5, 6]]
    cells = np.array([object()], object)
    assert joined([cells, cells]).tolist() == [cells[0], cells[0]]
