"""Bursts of equal acknowledgements: nothing tells which of them is which, and a sensor may have written one twice."""

from tests.paths.made import Network, Sent, events_of, talk

FOUR = Network(delays=(2000, 9000, 4000), offsets=(0, 120_500, -38_250, 7_125))
SEQ = 1_000_001


def _others(lost: int | None = None) -> list[Sent]:
    """Return other packets: each sensor writes some twice, and some are lost on a hop."""
    packets = [one._replace(ip_id=0) for one in talk(400)]
    for number in range(4, 400, 10):
        packets[number] = packets[number]._replace(written_twice=(number // 10 % 3,))
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
