"""Zeroed memory that grows."""

import mmap

import numpy as np
import pytest

from segwatch.memory import LARGE, RESERVED, grown, zeroed

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
