"""The spool on disk: order, limits, what a crash leaves, and what two sensors may not share."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.publish.spool.file import FILE_OVERHEAD, SpoolFile
from ingest.publish.spool.records import SpooledMessage
from ingest.publish.spool.spool import Dropped, Lane, Limits, Spool
from ingest.publish.spool.topic import known_partitions, remember_partitions
from segwatch.errors import UsageError

ROOM = Limits(bytes=1 << 20, age=10**15)


class Clock:
    """Nanoseconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


def message(number: int, size: int = 10) -> SpooledMessage:
    """Return a message that does not compress."""
    return SpooledMessage(number % 3, number + 1, number.to_bytes(4, "big") + os.urandom(size))


def drained(spool: Spool, lane: Lane) -> list[SpooledMessage]:
    """Take and release all that waits."""
    found = []
    while (taken := spool.take(lane)) is not None:
        found.append(taken.message)
        spool.release(taken.place)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    one = Spool(folder, ROOM)
    yield one
    one.close()


def test_messages_come_back_in_order_and_leave_nothing(spool: Spool, folder: Path) -> None:
    messages = [message(number, 30_000) for number in range(20)]
    for one in messages[:12]:
        spool.append(one)
    assert (spool.messages, spool.waiting(Lane.OWN), spool.waiting(Lane.EARLIER)) == (12, 12, 0)
    assert len(list(folder.glob("*.spool"))) > 1
    found = drained(spool, Lane.OWN)
    for one in messages[12:]:
        spool.append(one)
    assert found + drained(spool, Lane.OWN) == messages
    assert (spool.messages, spool.size, spool.dropped) == (0, 0, Dropped(0, 0))
    assert list(folder.glob("*.spool")) == []


def test_what_was_not_released_is_there_at_the_next_start(folder: Path) -> None:
    messages = [message(number) for number in range(6)]
    first = Spool(folder, ROOM)
    for one in messages:
        first.append(one)
    taken = [first.take(Lane.OWN) for _ in range(4)]
    for one in (taken[0], taken[2]):
        assert one is not None
        first.release(one.place)
    first.close()
    second = Spool(folder, ROOM)
    later = message(7)
    second.append(later)
    assert (second.waiting(Lane.EARLIER), second.waiting(Lane.OWN)) == (4, 1)
    assert drained(second, Lane.OWN) == [later]
    assert drained(second, Lane.EARLIER) == [messages[1], *messages[3:]]
    second.close()


def test_a_message_under_way_is_kept_and_not_taken_again(folder: Path) -> None:
    first = Spool(folder, ROOM)
    flying, waiting = message(1), message(2)
    place = first.append(flying, taken=True)
    first.append(waiting)
    assert place is not None
    assert (first.messages, first.waiting(Lane.OWN)) == (2, 1)
    assert drained(first, Lane.OWN) == [waiting]
    first.close()
    second = Spool(folder, ROOM)
    assert drained(second, Lane.EARLIER) == [flying]
    second.close()


def test_two_sensors_never_share_a_spool(spool: Spool, folder: Path) -> None:
    with pytest.raises(UsageError, match="another sensor uses the spool"):
        Spool(folder, ROOM)
    spool.close()
    Spool(folder, ROOM).close()


def test_a_folder_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be used \(not a directory\)"):
        Spool(tmp_path / "file" / "spool", ROOM)


def test_a_full_spool_gives_up_the_oldest_and_counts(folder: Path) -> None:
    spool = Spool(folder, Limits(bytes=64_000, age=10**15))
    messages = [message(number, 1_000) for number in range(200)]
    for one in messages:
        spool.append(one)
        assert spool.size <= 64_000
    assert sum(path.stat().st_size for path in folder.glob("*.spool")) == spool.size
    lost, rows = spool.dropped
    assert 130 < lost < 150, "at most a sixteenth more than is needed"
    assert rows == sum(one.rows for one in messages[:lost])
    assert drained(spool, Lane.OWN) == messages[lost:]
    spool.close()


def test_what_is_under_way_is_not_given_up(folder: Path) -> None:
    spool = Spool(folder, Limits(bytes=64_000, age=10**15))
    messages = [message(number, 1_000) for number in range(200)]
    spool.append(messages[0])
    taken = spool.take(Lane.OWN)
    for one in messages[1:]:
        spool.append(one)
    rest = drained(spool, Lane.OWN)
    assert taken is not None
    spool.release(taken.place)
    lost, rows = spool.dropped
    assert len(rest) + lost == 199
    assert sum(one.rows for one in rest) + rows == sum(one.rows for one in messages[1:])
    assert (spool.messages, spool.size) == (0, 0)
    spool.close()


def test_a_message_that_never_fits_is_given_up(folder: Path) -> None:
    spool = Spool(folder, Limits(bytes=1_000, age=10**15))
    assert spool.append(message(1, 2_000)) is None
    assert spool.dropped == Dropped(1, 2)
    spool.close()


def test_what_is_too_old_is_given_up(folder: Path) -> None:
    clock = Clock()
    spool = Spool(folder, Limits(bytes=1 << 20, age=1_600), clock)
    messages = [message(number) for number in range(40)]
    for one in messages:
        spool.append(one)
        clock.now += 100
    lost, rows = spool.dropped
    assert lost == 23
    assert rows == sum(one.rows for one in messages[:lost])
    clock.now += 10_000
    spool.give_up_old()
    assert spool.dropped.messages == 40
    assert spool.take(Lane.OWN) is None
    assert list(folder.glob("*.spool")) == []
    spool.close()


def test_a_full_disk_costs_the_oldest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(folder, ROOM)
    messages = [message(number, 30_000) for number in range(10)]
    for one in messages[:8]:
        spool.append(one)
    real, files = SpoolFile.append, len(list(folder.glob("*.spool")))

    def full(self: SpoolFile, record: bytes, rows: int, now: int, *, taken: bool) -> int:
        if len(list(folder.glob("*.spool"))) >= files:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, record, rows, now, taken=taken)

    monkeypatch.setattr(SpoolFile, "append", full)
    for one in messages[8:]:
        spool.append(one)
    lost = spool.dropped.messages
    assert lost > 0
    assert drained(spool, Lane.OWN) == messages[lost:]
    spool.close()


def test_a_disk_that_fails_is_heard_of(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(SpoolFile, "append", broken)
        with pytest.raises(OSError, match="Input/output"):
            spool.append(message(1))
    spool.append(message(2))
    assert len(drained(spool, Lane.OWN)) == 1


def test_what_the_disk_spoils_is_left_out_and_counted(spool: Spool, folder: Path) -> None:
    messages = [message(number, 100) for number in range(5)]
    places = [spool.append(one) for one in messages]
    (path,) = folder.glob("*.spool")
    assert places[2] is not None
    with path.open("r+b") as file:
        file.seek(places[2].offset + 40)
        file.write(b"\xff\xff\xff\xff")
    assert drained(spool, Lane.OWN) == messages[:2]
    assert spool.dropped == Dropped(3, sum(one.rows for one in messages[2:]))
    spool.append(messages[0])
    assert drained(spool, Lane.OWN) == [messages[0]]


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 2_000), min_size=1, max_size=12),
    cut=st.floats(0, 1),
    garbage=st.binary(max_size=64),
)
def test_cut_anywhere_a_prefix_of_whole_messages_is_left(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cut: float, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    messages = [message(number, size) for number, size in enumerate(sizes)]
    first = Spool(folder, Limits(bytes=1 << 30, age=10**15))
    ends = []
    for one in messages:
        first.append(one)
        first.sync()
        ends.append(first.size)
    first.close()
    (path,) = folder.glob("*.spool")
    kept = int(cut * path.stat().st_size)
    os.truncate(path, kept)
    with path.open("ab") as file:
        file.write(garbage)
    whole = sum(end <= kept for end in ends)
    second = Spool(folder, ROOM)
    found = drained(second, Lane.EARLIER)
    # Garbage may by chance be the very bytes that were cut off.
    assert found == messages[: len(found)]
    assert len(found) in (whole, len(messages) if garbage else whole)
    if not garbage and kept not in ends:
        assert second.damaged_bytes > 0 or kept in (0, FILE_OVERHEAD)
    second.close()


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.sampled_from(["append", "take", "release", "restart"]), max_size=60))
def test_any_way_of_use_gives_each_message_once_or_again_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    spool, made, under_way, released = Spool(folder, ROOM), [], [], []
    for step in steps:
        if step == "append":
            made.append(message(len(made), 9_000))
            spool.append(made[-1])
        elif step == "take":
            taken = spool.take(Lane.EARLIER) or spool.take(Lane.OWN)
            under_way += [taken] if taken else []
        elif step == "release" and under_way:
            released.append(under_way.pop(0))
            spool.release(released[-1].place)
        elif step == "restart":
            spool.close()
            spool, under_way = Spool(folder, ROOM), []
    done = [one.message for one in released]
    spool.close()
    spool = Spool(folder, ROOM)
    assert drained(spool, Lane.EARLIER) == [one for one in made if one not in done]
    assert done == [one for one in made if one in done]
    assert spool.dropped == Dropped(0, 0)
    spool.close()


def test_the_number_of_partitions_is_remembered(tmp_path: Path) -> None:
    assert known_partitions(tmp_path) is None
    remember_partitions(tmp_path, 8)
    assert known_partitions(tmp_path) == 8
    (tmp_path / "partitions").write_text("eight")
    assert known_partitions(tmp_path) is None
