"""Each thing that can happen to a packet, by captures made by hand."""

import numpy as np
import pytest

from processors.paths.network import Sensor, trace
from segwatch.records.segments import take_segments
from tests.paths.made import Network, Sent, cut, events_of, happened, talk

THREE = Network(delays=(2000, 9000), offsets=(0, 120_500, -38_250))
FOUR = Network(delays=(2000, 9000, 4000), offsets=(0, 120_500, -38_250, 7_125))


def test_nothing_happened() -> None:
    assert events_of(FOUR, talk(100)) == []


@pytest.mark.parametrize(("number", "hop", "place"), [(40, 0, "AB"), (40, 2, "CD"), (41, 0, "DC"), (41, 2, "BA")])
def test_a_loss_is_counted_once_at_its_hop(number: int, hop: int, place: str) -> None:
    packets = talk(100)
    packets[number] = packets[number]._replace(lost=hop)
    assert events_of(FOUR, packets) == [("lost", packets[number].seq, place)]


def test_the_order_in_which_captures_are_given_does_not_matter() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(lost=1)
    sensors = FOUR.sensors(packets)
    paths = trace([sensors[number] for number in (2, 0, 3, 1)])
    assert list(paths.order) in ([1, 3, 0, 2], [2, 0, 3, 1])
    assert paths.order_is_known
    assert happened(paths) == [("lost", packets[40].seq, "DA")]


def test_sensors_close_to_each_other_of_which_one_ends_early() -> None:
    """It does not see what waits longer on the way to the others later; the order is found all the same."""
    network = Network(delays=(200, 9000, 2000), offsets=(0, 120_500, -38_250, 7_125))
    packets = [one._replace(held={1: 8_000 * (at < 100)}) for at, one in enumerate(talk(400))]
    sensors = network.sensors(packets)
    sensors[1] = cut(sensors[1], 0, 200)
    assert list(trace(sensors).order) == [0, 1, 2, 3]


def test_a_repeat_is_another_packet() -> None:
    """The first is lost on the second hop, its repeat on the first, the next arrives."""
    packets = talk(300)
    first = packets[40]._replace(lost=1)
    packets[40] = first
    packets += [first._replace(at=140_000, ip_id=900, lost=0), first._replace(at=250_000, ip_id=901, lost=None)]
    assert events_of(FOUR, packets) == [("lost", first.seq, "AB"), ("lost", first.seq, "BC")]


def test_repeats_without_ip_identification_and_timestamps_are_told_apart_by_time() -> None:
    packets = [one._replace(ip_id=0) for one in talk(300)]
    first = packets[40]._replace(lost=1)
    packets[40] = first
    packets.append(first._replace(at=250_000, lost=None, doubled=2))
    assert events_of(FOUR, packets) == [("duplicated", first.seq, "CD"), ("lost", first.seq, "BC")]


def test_equal_acknowledgements_in_a_row_are_not_copies() -> None:
    packets = [one._replace(ip_id=0) for one in talk(100)]
    same = [Sent(50_000 + 100 * at, 100_001, 0, ack=7) for at in range(20)]
    same[5] = same[5]._replace(lost=1)
    assert events_of(FOUR, packets + same) == [("lost", 100_001, "BC")]


def test_a_copy_made_by_the_network() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(doubled=1)
    assert events_of(FOUR, packets) == [("duplicated", packets[40].seq, "BC")]


def test_a_packet_that_is_held_after_it_was_copied() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(doubled=0, held={1: 1800})
    assert ("duplicated", packets[40].seq, "AB") in events_of(FOUR, packets)
    assert all(kind != "lost" and place != "-C" for kind, _, place in events_of(FOUR, packets))


def test_a_copy_made_by_a_capture() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(written_twice=(1,))
    assert events_of(FOUR, packets) == [("capture_duplicate", packets[40].seq, "B")]


@pytest.mark.parametrize("first", [0, 1])
def test_a_packet_that_a_capture_wrote_twice_and_the_next_one_missed_is_not_lost(first: int) -> None:
    """Nothing tells which of the two went on."""
    packets = talk(100)
    packets[40] = packets[40]._replace(written_twice=(first,), unseen=(first + 1,), held={first: 40})
    found = [(kind, place) for kind, _, place in events_of(FOUR, packets)]
    assert found == [("capture_duplicate", "ABCD"[first]), ("capture_loss", "ABCD"[first + 1])]


@pytest.mark.parametrize("both", [(0, 1), (1, 2), (0, 2)])
def test_a_packet_that_two_captures_wrote_twice_is_not_lost(both: tuple[int, int]) -> None:
    """As both do now and then; the network makes copies, but none at once."""
    packets = talk(400)
    for number in range(40, 200, 20):
        packets[number] = packets[number]._replace(written_twice=(both[number // 20 % 2],))
        packets[number + 3] = packets[number + 3]._replace(doubled=0)
        packets[number + 7] = packets[number + 7]._replace(lost=2)
    packets[300] = packets[300]._replace(written_twice=both)
    found = [(kind, place) for kind, seq, place in events_of(FOUR, packets) if seq == packets[300].seq]
    assert found == [("capture_duplicate", "ABCD"[sensor]) for sensor in both]


def test_an_acknowledgement_that_a_capture_wrote_twice_and_that_is_lost_is_lost_once() -> None:
    packets = [one._replace(ip_id=0, length=one.length * (at % 4 > 0)) for at, one in enumerate(talk(200))]
    for number in range(42, 100, 8):
        packets[number] = packets[number]._replace(written_twice=(0,))
    packets[120] = packets[120]._replace(written_twice=(0,), lost=0)
    found = [(kind, place) for kind, seq, place in events_of(FOUR, packets) if seq == packets[120].seq]
    assert found == [("capture_duplicate", "A"), ("lost", "AB")]


def test_an_acknowledgement_that_only_a_capture_has_twice_is_not_lost() -> None:
    """Neither the host nor the capture did so elsewhere; but two equal ones of a host take a loss besides."""
    packets = [one._replace(ip_id=0, length=one.length * (at % 4 > 0)) for at, one in enumerate(talk(200))]
    packets[120] = packets[120]._replace(written_twice=(0,))
    packets[150] = packets[150]._replace(lost=0)
    assert events_of(FOUR, packets) == [("capture_duplicate", packets[120].seq, "A"), ("lost", packets[150].seq, "AB")]


def test_a_repeat_that_is_late_is_no_copy_of_what_came_long_before() -> None:
    packets = [one._replace(ip_id=0) for one in talk(200)]
    packets.append(packets[40]._replace(at=packets[40].at + 30_000, held={1: 3_000}))
    assert {kind for kind, _, _ in events_of(FOUR, packets)} <= {"reordered", "delayed"}


def test_a_packet_that_a_capture_missed_is_late_as_usual_on_the_longer_way() -> None:
    """Delays vary more over two hops than over the last one; an equal one came before, and it is no copy of that."""
    packets = [one._replace(ip_id=0, held={0: 53 * at % 4000}) for at, one in enumerate(talk(200))]
    packets[40] = packets[40]._replace(held={0: 3300}, unseen=(1,))
    packets.append(packets[40]._replace(at=packets[40].at - 20_000, held={}, unseen=()))
    assert [event for event in events_of(THREE, packets) if event[0] in ("lost", "duplicated", "appeared")] == []


def test_a_capture_that_writes_everything_twice() -> None:
    """A mirror of both sides of a port, say; acknowledgements without payload among it, and no IP identifications."""
    packets = [one._replace(ip_id=0, length=one.length * (at % 4)) for at, one in enumerate(talk(140))]
    packets[:100] = [one._replace(written_twice=(0,)) for one in packets[:100]]
    assert {kind for kind, _, _ in events_of(FOUR, packets)} == {"capture_duplicate", "duplicated"}
    back = [one.seq for one in packets[:100] if not one.is_forward]
    assert [seq for kind, seq, place in events_of(FOUR, packets) if kind == "duplicated" and place == "BA"] == back


@pytest.mark.parametrize(("others", "kind"), [(0, "maybe_lost"), (9, "lost")])
def test_one_of_two_equal_acknowledgements_that_were_sent_at_once(others: int, kind: str) -> None:
    """It is lost if others are lost, too; if nothing else is, the capture may have written it twice."""
    packets = [one._replace(ip_id=0) for one in talk(400)]
    for number in range(0, 20 * others, 20):
        packets[number] = packets[number]._replace(lost=0)
    same = [Sent(50_000 + 10 * at, 1_000_001, 0, ack=7) for at in range(4)]
    same[2] = same[2]._replace(lost=0)
    found = [event for event in events_of(FOUR, packets + same) if event[1] == 1_000_001]
    assert found == [(kind, 1_000_001, "AB")]


def test_one_of_many_equal_acknowledgements_that_may_be_a_captures_own_is_no_loss() -> None:
    """The host sends two at once now and then, a packet is lost now and then, and this sensor wrote none twice."""
    packets = [one._replace(ip_id=0) for one in talk(200)]
    pairs = [Sent(5_050 + 9_000 * (at // 2) + 8 * (at % 2), 100_001 + at // 2, 0, ack=7) for at in range(40)]
    packets[120] = packets[120]._replace(lost=0)
    single = Sent(100_500, 200_001, 0, ack=7, written_twice=(0,))
    expected = [("lost", packets[120].seq, "AB"), ("maybe_lost", single.seq, "AB")]
    assert events_of(FOUR, [*packets, *pairs, single]) == expected


def test_a_loss_beside_an_equal_packet_from_nowhere_may_be_that_one() -> None:
    """One sensor missed the first one, and wrote the second one twice: so one seems late, and lost behind it."""
    packets = [one._replace(ip_id=0) for one in talk(400)]
    for number in range(60, 400, 14):
        packets[number] = packets[number]._replace(held={1: 9_000})
    again = packets[40]._replace(at=packets[40].at + 26_000, written_twice=(2,))
    packets[40] = packets[40]._replace(unseen=(2,))
    found = [(kind, place) for kind, seq, place in events_of(FOUR, [*packets, again]) if seq == again.seq]
    assert ("maybe_lost", "CD") in found
    assert "lost" not in {kind for kind, _ in found}


def test_an_equal_packet_that_a_capture_missed_is_neither_lost_nor_a_copy() -> None:
    packets = [one._replace(ip_id=0) for one in talk(200)]
    packets.append(packets[40]._replace(at=packets[40].at + 1_500, unseen=(2,), held={2: 100}))
    found = [event for event in events_of(FOUR, packets) if event[0] in ("lost", "duplicated", "capture_loss")]
    assert found == [("capture_loss", packets[40].seq, "C")]


def test_an_equal_packet_that_was_held_as_others_were_is_neither_lost_nor_a_copy() -> None:
    packets = [one._replace(ip_id=0) for one in talk(200)]
    for number in range(60, 200, 14):
        packets[number] = packets[number]._replace(held={1: 9_000})
    packets.append(packets[40]._replace(at=packets[40].at - 1_000, held={1: 8_000}))
    assert {kind for kind, _, _ in events_of(FOUR, packets)} == {"reordered"}


@pytest.mark.parametrize("hop", [1, 2])
def test_a_packet_that_is_overtaken_by_its_copy_is_neither_lost_nor_copied_again(hop: int) -> None:
    packets = talk(200)
    packets.append(packets[40]._replace(at=packets[40].at + 300, unseen=(0,)))
    packets[40] = packets[40]._replace(held={hop: 9_000})
    found = [(kind, place) for kind, seq, place in events_of(FOUR, packets) if seq == packets[40].seq]
    assert found == [("duplicated", "AB"), ("reordered", ("BC", "CD")[hop - 1])]


def test_a_copy_that_a_capture_missed_and_that_is_late_is_neither_lost_nor_copied_again() -> None:
    packets = talk(200)
    for number in range(62, 200, 40):
        packets[number] = packets[number]._replace(unseen=(2,), held={2: 300})
    packets.append(packets[40]._replace(at=packets[40].at + 800, unseen=(0, 2), held={2: 9_000}))
    found = [(kind, place) for kind, seq, place in events_of(FOUR, packets) if seq == packets[40].seq]
    assert found == [("capture_loss", "C"), ("duplicated", "AB")]


def test_an_acknowledgement_that_equal_ones_overtake_is_neither_lost_nor_a_copy() -> None:
    packets = [one._replace(ip_id=0) for one in talk(200)]
    for number in range(60, 200, 28):
        packets[number] = packets[number]._replace(held={1: 5_000})
    same = [Sent(50_000 + 30 * at, 1_000_001, 0, ack=7) for at in range(16)]
    same[2] = same[2]._replace(held={1: 4_500})
    assert [event for event in events_of(FOUR, packets + same) if event[1] == 1_000_001] == []


def test_an_equal_packet_is_not_taken_for_a_faster_one() -> None:
    """The first of two is lost; the second was sent too late to have come by so early, had it been the first."""
    packets = talk(100)
    same = [Sent(50_500, 100_001, lost=1), Sent(51_000, 100_001), Sent(51_400, 100_001, lost=0)]
    assert events_of(FOUR, packets + same) == [("lost", 100_001, "AB"), ("lost", 100_001, "BC")]


def test_many_equal_packets_are_parted_where_they_pause() -> None:
    packets = [one._replace(ip_id=0) for one in talk(400)]
    same = [Sent(20_000 + 7 * at + 60_000 * (at // 200), 100_001, 0, ack=7) for at in range(1000)]
    same[250], same[650] = same[250]._replace(lost=1), same[650]._replace(lost=2)
    assert events_of(FOUR, packets + same) == [("lost", 100_001, "BC"), ("lost", 100_001, "CD")]


def test_a_packet_that_is_overtaken_and_one_that_is_late() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(held={1: 3500})
    assert events_of(FOUR, packets) == [("reordered", packets[40].seq, "BC")]
    packets[40] = packets[40]._replace(held={1: 1900})
    assert events_of(FOUR, packets) == [("delayed", packets[40].seq, "BC")]


def test_what_a_sensor_missed_is_not_lost() -> None:
    packets = talk(100)
    for number in (40, 51, 60):
        packets[number] = packets[number]._replace(unseen=(1,))
    expected = [("capture_loss", packets[number].seq, "B") for number in (40, 51, 60)]
    assert events_of(FOUR, packets) == sorted(expected)


def test_a_packet_that_was_not_seen_before() -> None:
    packets = talk(100)
    packets[40] = packets[40]._replace(unseen=(0,))
    assert events_of(THREE, packets) == [("appeared", packets[40].seq, "AB")]


@pytest.mark.parametrize(("begin", "end"), [(30, None), (None, -30), (30, -30)])
def test_a_sensor_that_starts_late_or_ends_early_says_nothing_of_the_rest(begin: int | None, end: int | None) -> None:
    packets = talk(200)
    packets[100] = packets[100]._replace(lost=0)
    sensors = THREE.sensors(packets)
    sensors[1] = cut(sensors[1], begin or 0, end or len(sensors[1].segments.ts))
    assert happened(trace(sensors)) == [("lost", packets[100].seq, "AB")]


def _only_forward(sensor: Sensor) -> Sensor:
    rows = np.flatnonzero(sensor.segments.dport == 80)
    return Sensor(take_segments(sensor.segments, rows), sensor.first, sensor.last)


def test_a_sensor_that_sees_one_direction() -> None:
    """What goes back is judged by the others, and its clock is not compared."""
    packets = talk(200)
    packets[100] = packets[100]._replace(lost=0)
    packets[121] = packets[121]._replace(lost=1)
    sensors = THREE.sensors(packets)
    sensors[1] = _only_forward(sensors[1])
    paths = trace(sensors)
    assert not paths.order_is_known
    assert [clock.is_known for clock in paths.clocks] == [True, False, True]
    assert happened(paths) == [("lost", packets[100].seq, "AB"), ("lost", packets[121].seq, "CA")]


def test_a_sensor_at_the_end_that_sees_one_direction_is_no_first_sensor_of_the_other() -> None:
    """Two equal acknowledgements that only the others see are no copies."""
    packets = [one._replace(ip_id=0) for one in talk(200)]
    packets += [Sent(50_500 + 10 * at, 100_001, 0, ack=7, is_forward=False) for at in range(2)]
    sensors = THREE.sensors(packets)
    sensors[2] = _only_forward(sensors[2])
    assert happened(trace(sensors)) == []


def test_one_direction_only_and_routers_between() -> None:
    """The captures are named against the way; the time to live falls along it."""
    packets = [one for one in talk(200) if one.is_forward]
    packets[50] = packets[50]._replace(lost=1)
    sensors = [_only_forward(one) for one in THREE._replace(ttl=(64, 63, 62)).sensors(packets)]
    paths = trace(sensors[::-1])
    assert not any(clock.is_known for clock in paths.clocks[1:])
    assert happened(paths) == [("lost", packets[50].seq, "BA")]


def test_conversations_in_both_directions_over_the_same_way() -> None:
    """One client is at each end."""
    packets = talk(200) + [one._replace(is_forward=not one.is_forward) for one in talk(200, 3, port=50_000)]
    packets[50] = packets[50]._replace(lost=1)
    packets[250] = packets[250]._replace(lost=1)
    assert events_of(THREE, packets) == sorted([("lost", packets[50].seq, "BC"), ("lost", packets[250].seq, "BA")])


def test_identifications_that_a_middlebox_rewrites() -> None:
    packets = talk(200)
    packets[50] = packets[50]._replace(lost=1)
    sensors = THREE.sensors(packets)
    sensors[1].segments.ip_id[:] += 7_000
    assert happened(trace(sensors)) == [("lost", packets[50].seq, "BC")]


def test_clocks_are_compared_by_both_directions() -> None:
    clocks = trace(FOUR.sensors(talk(100))).clocks
    assert [clock.offset for clock in clocks] == [0, 120_500_000, -38_250_000, 7_125_000]
    assert [clock.uncertainty for clock in clocks] == [0, 2_000_000, 11_000_000, 15_000_000]
    assert all(clock.is_known for clock in clocks)


def test_unequal_ways_are_within_the_stated_uncertainty() -> None:
    packets = [one._replace(held={0: 5000} if one.is_forward else {}) for one in talk(100)]
    clock = trace(THREE.sensors(packets)).clocks[1]
    assert clock.offset != 120_500_000
    assert abs(clock.offset - 120_500_000) <= clock.uncertainty


def test_equal_packets_of_which_each_capture_missed_another_one_do_not_move_clocks() -> None:
    """The first sensor missed the first one, and its repeat was lost before the second: these are no pair."""
    packets = [one._replace(ip_id=0) for one in talk(200)]
    again = packets[40]._replace(at=packets[40].at + 60_000, lost=0)
    packets[40] = packets[40]._replace(unseen=(0,))
    paths = trace(THREE.sensors([*packets, again]))
    assert [clock.offset for clock in paths.clocks] == [1_000 * offset for offset in THREE.offsets]
    assert happened(paths) == [("appeared", again.seq, "AB"), ("lost", again.seq, "AB")]


def test_drift_is_found_and_taken_out() -> None:
    packets = [one._replace(at=200 * one.at) for one in talk(2000)]
    packets[1000] = packets[1000]._replace(lost=0)
    paths = trace(THREE._replace(drifts_ppm=(0.0, 80.0, -50.0)).sensors(packets))
    assert [round(1e6 * clock.drift, 1) for clock in paths.clocks] == [0.0, 80.0, -50.0]
    delays = paths.passages.time[:, 1] - paths.passages.time[:, 0]
    forward = paths.packets.is_forward & paths.passages.seen[:, 1]
    assert np.abs(delays[forward] - 2_000_000).max() < 100_000
    assert happened(paths) == [("lost", packets[1000].seq, "AB")]


def test_drift_is_found_in_seconds() -> None:
    """Equal packets that come by as fast as ever are not taken for others, of which one is lost."""
    packets = [one._replace(at=50 * one.at, ip_id=0) for one in talk(60)]
    for side in (True, False):
        packets += [Sent(500 * at + 1_000 * side, 1_000_001, 0, 1, side) for at in range(0, 6_000, 1_000)]
    paths = trace(FOUR._replace(drifts_ppm=(0.0, 60.0, -40.0, 30.0)).sensors(packets))
    assert [round(1e6 * clock.drift) for clock in paths.clocks] == [0, 60, -40, 30]
    assert happened(paths) == []


def test_what_queues_do_in_half_a_minute_is_no_drift() -> None:
    """It is there from the tenth second on, for one direction only."""
    packets = [one._replace(at=125 * one.at, held={0: 400_000 * (at > 80)}) for at, one in enumerate(talk(200))]
    packets = [one._replace(held={}) if not one.is_forward else one for one in packets]
    paths = trace(THREE.sensors(packets))
    assert all(abs(clock.drift) <= 1e-4 for clock in paths.clocks)


def test_packets_that_hosts_send_now_and_then_tell_the_clocks_later_on() -> None:
    """Other packets come in the first half second only, and one sensor ends before the others."""
    packets = [one._replace(at=one.at // 2, ip_id=0, held={1: 300}) for one in talk(100)]
    for side in (True, False):
        packets += [Sent(1_000_000 * at + 70_000 * side, 1_000_001, 0, 1, side) for at in range(1, 9)]
    sensors = FOUR._replace(drifts_ppm=(0.0, 5.0, -80.0, 60.0)).sensors(packets)
    sensors[2] = cut(sensors[2], 0, -6)
    paths = trace(sensors)
    assert [round(1e6 * clock.drift) for clock in paths.clocks] == [0, 5, -80, 60]
    assert happened(paths) == []


def test_captures_that_share_nothing() -> None:
    sensors = [*THREE.sensors(talk(50))[:1], *THREE.sensors(talk(50, port=50_000))[:1]]
    paths = trace(sensors)
    assert not paths.order_is_known
    assert happened(paths) == []


def test_captures_without_packets() -> None:
    empty = cut_to_nothing(THREE.sensors(talk(10))[0])
    assert happened(trace([empty, empty])) == []
    assert happened(trace([THREE.sensors(talk(10))[0], empty])) == []


def cut_to_nothing(sensor: Sensor) -> Sensor:
    """Return a sensor without rows."""
    return Sensor(take_segments(sensor.segments, np.empty(0, np.int64)), 0, 0)


def test_a_capture_beside_itself() -> None:
    """Nothing tells which of two is first where all passed both at the same time."""
    sensor = FOUR.sensors(talk(100))[0]
    assert happened(trace([sensor, sensor])) == []


@pytest.mark.parametrize("given", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
def test_sensors_of_which_each_two_share_other_conversations(given: tuple[int, ...]) -> None:
    """What the ends saw says nothing of the others then; how far they are from an end does."""
    network = Network(delays=(200, 9000), offsets=(0, 1_205, -382))
    packets = [
        one._replace(unseen=(unseen,))
        for number, unseen in enumerate((1, 2, 0))
        for one in talk(200, first=50 * number, port=40_000 + number)
    ]
    sensors = network.sensors(packets)
    order = [given[place] for place in trace([sensors[number] for number in given]).order]
    assert order in ([0, 1, 2], [2, 1, 0])
