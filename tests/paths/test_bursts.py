"""Bursts of equal acknowledgements: nothing tells which of them is which, and a sensor may have written one twice."""

import numpy as np

from processors.paths.bursts import every_by_chance
from tests.paths.made import Network, Sent, events_of, talk

FOUR = Network(delays=(2000, 9000, 4000), offsets=(0, 120_500, -38_250, 7_125))
SEQ = 1_000_001


def _others(lost: int | None = None, writing: tuple[int, ...] = (0, 1, 2)) -> list[Sent]:
    """Return other packets: these sensors write some twice, and some are lost on a hop."""
    packets = [one._replace(ip_id=0) for one in talk(400)]
    for number in range(4, 400, 10):
        packets[number] = packets[number]._replace(written_twice=(writing[number // 10 % len(writing)],))
    for number in range(0, 400, 40):
        packets[number] = packets[number]._replace(lost=lost)
    return packets


def _kinds(packets: list[Sent], seq: int = SEQ) -> set[str]:
    return {kind for kind, found, _ in events_of(FOUR, packets) if found == seq}


def test_a_burst_of_which_three_sensors_wrote_one_twice_each_may_have_lost_none() -> None:
    """Each has one more than were sent, the last sensor all that were: it takes no loss."""
    rows = [Sent(5_050 + 9_000 * (at // 12) + 20 * (at % 12), SEQ + at // 12, 0, ack=7) for at in range(48)]
    for sensor, number in enumerate((3, 5, 8)):
        rows[number] = rows[number]._replace(written_twice=(sensor,))
    assert _kinds([*_others(lost=2), *rows]) == {"maybe_lost"}


def test_a_burst_of_which_one_was_lost_where_sensors_have_no_two_that_close() -> None:
    """None was written twice: these are 7 microseconds apart."""
    rows = [Sent(5_050 + 9_000 * (at // 12) + 20 * (at % 12), SEQ + at // 12, 0, ack=7) for at in range(48)]
    rows[5] = rows[5]._replace(lost=2)
    assert _kinds([*_others(lost=2), *rows]) == {"lost"}


def test_a_burst_that_is_longer_at_one_sensor_only_may_have_lost_none() -> None:
    """The sensor between wrote one twice, and it seems that one was copied before it, and one lost behind it."""
    row = [Sent(5_050 + at, SEQ, 0, ack=7) for at in (0, 47, 59, 61, 137)]
    row[1] = row[1]._replace(written_twice=(1,))
    row[2], row[3] = row[2]._replace(held={0: 25}), row[3]._replace(held={0: 25})
    assert "lost" not in _kinds([*_others(lost=1), *row])


def _row(count: int, apart: int = 20) -> list[Sent]:
    """Return a burst of equal packets; ``apart``: microseconds."""
    return [Sent(5_050 + apart * at, SEQ, 0, ack=7) for at in range(count)]


def _rows(row: list[Sent]) -> list[Sent]:
    """Return a burst, and others like it that are whole."""
    rest = [one._replace(written_twice=()) for one in row]
    others = [one._replace(at=one.at + 9_000 * at, seq=SEQ + at) for at in range(1, 4) for one in rest]
    return [*row, *others]


def test_a_burst_of_which_one_sensor_wrote_one_twice_that_wrote_none_twice_elsewhere() -> None:
    """The others do, and it had few packets of which another sensor shows that they came by once."""
    packets = [one._replace(ip_id=0) for one in talk(100) if one.is_forward]
    back = [one._replace(ip_id=0, length=0) for one in talk(400) if not one.is_forward]
    for number in range(4, 50, 10):
        packets[number] = packets[number]._replace(written_twice=(1 + number // 10 % 2,))
    for number in range(20, 200, 30):
        back[number] = back[number]._replace(lost=0)
    row = [one._replace(is_forward=False) for one in _row(9, 9)]
    row[8] = row[8]._replace(written_twice=(3,))
    assert _kinds([*packets, *back, *_rows(row)]) == {"maybe_lost"}


def test_a_burst_of_which_two_were_written_twice_by_one_sensor_and_one_by_the_sensor_before() -> None:
    """Of three that seem to be lost at once none was."""
    row = _row(19)
    row[3], row[8] = row[3]._replace(written_twice=(2,)), row[8]._replace(written_twice=(1,))
    row[14] = row[14]._replace(written_twice=(2,))
    assert "lost" not in _kinds([*_others(lost=2), *_rows(row)])


def test_a_burst_of_which_one_sensor_wrote_two_twice() -> None:
    """Each of both is as likely its own as lost."""
    row = _row(19)
    row[3], row[8] = row[3]._replace(written_twice=(0,)), row[8]._replace(written_twice=(0,))
    assert _kinds([*_others(lost=0), *_rows(row)]) == {"maybe_lost"}


def test_a_burst_that_waits_longer_than_others_on_the_way() -> None:
    """Where one was written twice, the last one is taken for lost, and was expected long before the others came."""
    row = [one._replace(held={1: 250}) for one in _row(9, 16)]
    row[2] = row[2]._replace(written_twice=(0,))
    rest = [one._replace(at=one.at + 9_000 * at, seq=SEQ + at) for at in range(1, 4) for one in _row(9, 16)]
    assert _kinds([*_others(lost=0), *row, *rest]) == {"maybe_lost"}


def test_a_sensor_that_wrote_none_of_many_packets_twice() -> None:
    """However many it has, and the others have twice, it is never taken for one that writes all of them twice."""
    none, some, many = every_by_chance(np.full(3, 10_000_000), np.array([0.0, 1.0, 1000.0]))
    assert 10_000_000 == none < some < many
