"""Whatever is done to packets at random is found, each thing once, at its place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths.made import Network, Sent, events_of, talk

NETWORK = Network(delays=(2000, 9000, 4000), offsets=(0, 120_500, -38_250, 7_125))
PACKETS, REPEATED_AFTER = 160, 60_000
SENSORS = "ABCD"

DEEDS = st.one_of(
    st.tuples(st.just("lost"), st.integers(0, 2)),
    st.tuples(st.just("duplicated"), st.integers(0, 2)),
    st.tuples(st.just("capture_loss"), st.integers(1, 2)),
    st.tuples(st.just("capture_duplicate"), st.integers(1, 2)),
    st.tuples(st.just("reordered"), st.integers(0, 2)),
)


def _done(packet: Sent, kind: str, where: int) -> Sent:
    if kind == "lost":
        return packet._replace(lost=where)
    if kind == "duplicated":
        return packet._replace(doubled=where)
    if kind == "capture_loss":
        return packet._replace(unseen=(where,))
    if kind == "capture_duplicate":
        return packet._replace(written_twice=(where,))
    return packet._replace(held={where: 3500})


def _place(packet: Sent, kind: str, where: int) -> str:
    if kind.startswith("capture"):
        return SENSORS[where]
    way = SENSORS if packet.is_forward else SENSORS[::-1]
    return way[where : where + 2]


@settings(max_examples=60, deadline=None)
@given(
    deeds=st.dictionaries(st.integers(10, 39).map(lambda number: 3 * number + 1), DEEDS, max_size=12),
    with_ip_id=st.booleans(),
)
def test_what_is_done_to_packets_is_found_once(deeds: dict[int, tuple[str, int]], with_ip_id: bool) -> None:
    packets = talk(PACKETS)
    expected = []
    for number, deed in deeds.items():
        packet = packets[number]
        packets[number] = _done(packet, *deed)
        expected.append((deed[0], packet.seq, _place(packet, *deed)))
        if deed[0] == "lost":
            packets.append(packet._replace(at=packet.at + REPEATED_AFTER, ip_id=1000 + number))
    if not with_ip_id:
        packets = [packet._replace(ip_id=0) for packet in packets]
    assert events_of(NETWORK, packets) == sorted(expected)
