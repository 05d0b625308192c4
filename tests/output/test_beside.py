"""One thing after the other in another thread."""

import threading

import pytest

from segwatch.output.beside import Beside


def test_things_are_done_in_order_and_elsewhere() -> None:
    seen: list[tuple[int, bool]] = []
    beside = Beside("test-beside")
    for number in range(100):
        beside.do(lambda number=number: seen.append((number, threading.current_thread() is threading.main_thread())))
    beside.close()
    assert seen == [(number, False) for number in range(100)]


def test_the_next_one_begins_when_the_one_before_is_done() -> None:
    beside, may_end, ended = Beside("test-beside"), threading.Event(), threading.Event()

    def first() -> None:
        may_end.wait()
        ended.set()

    beside.do(first)
    threading.Timer(0.05, may_end.set).start()
    beside.do(lambda: None)
    assert ended.is_set()
    beside.close()


def test_an_error_is_raised_where_the_next_thing_is_given_and_only_once() -> None:
    beside = Beside("test-beside")

    def fail() -> None:
        raise OSError(28, "No space left on device")

    beside.do(fail)
    with pytest.raises(OSError, match="No space left"):
        beside.wait()
    beside.do(fail)
    with pytest.raises(OSError, match="No space left"):
        beside.do(lambda: None)
    beside.close()
