"""The fast path and dpkt agree on every frame that both can read."""

import dpkt
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.decode.mutations import mutated, outcome, seeds
from tests.ingest.decode.support import address_text


def by_dpkt(data):
    """Return the fields of the first TCP header in an Ethernet frame as dpkt reads it, None where it finds none."""
    try:
        packet = dpkt.ethernet.Ethernet(data).data
    except dpkt.Error:
        return None
    if not isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)) or not isinstance(packet.data, dpkt.tcp.TCP):
        return None
    segment = packet.data
    fields = {
        "src": address_text(packet.src),
        "sport": segment.sport,
        "dport": segment.dport,
        "seq": segment.seq,
        "ack": segment.ack,
        "flags": segment.flags & 0xFF,
        "window": segment.win,
    }
    if isinstance(packet, dpkt.ip.IP):
        fields |= {"ttl": packet.ttl, "ip_id": packet.id, "dscp_ecn": packet.tos}
        if not packet.opts:
            fields["dst"] = address_text(packet.dst)
    elif not packet.extension_hdrs:
        fields |= {"ttl": packet.hlim, "dscp_ecn": packet.fc, "dst": address_text(packet.dst)}
    return fields


def agree(frame):
    """Compare the two readings of an Ethernet frame; return whether both had one."""
    ours, theirs = outcome(frame), by_dpkt(frame.data)
    if not isinstance(ours, dict) or theirs is None or frame.linktype != 1:
        return False
    ours["flags"] &= 0xFF
    assert {name: ours[name] for name in theirs} == theirs
    return True


def test_unchanged_frames():
    assert sum(map(agree, seeds())) > 100


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_changed_frames(random):
    agree(mutated(random))


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.just((1, b"")),
            st.tuples(st.sampled_from([2, 3, 4, 8, 34, 99, 254]), st.binary(max_size=18)),
            # A shorter one ends the list for tshark, and for us; so does a short multipath option.
            st.tuples(st.just(5), st.binary(min_size=8, max_size=8)),
        ),
        max_size=6,
    )
)
def test_options(options):
    """Known options of their own length, as dpkt splits the list; the last of several counts, as in tshark."""
    packed = b""
    for kind, data in options:
        option = bytes([kind]) + (bytes([len(data) + 2]) + data) * (kind != 1)
        # Whole options only: dpkt takes a cut one for a shorter one.
        packed += option if len(packed) + len(option) <= 40 else b""
    packed += b"\0" * (-len(packed) % 4)
    segment = dpkt.tcp.TCP(sport=1, dport=2, off=5 + len(packed) // 4, opts=packed)
    packet = dpkt.ip.IP(src=b"\1\2\3\4", dst=b"\5\6\7\10", p=6, data=segment, len=20 + len(segment))
    ethernet = bytes(dpkt.ethernet.Ethernet(data=packet))
    row = outcome(seeds()[0]._replace(data=ethernet, on_wire=len(ethernet), linktype=1))
    expected = {"mss": 0, "wscale": -1, "tsval": 0, "tsecr": 0}
    for kind, data in _whole_options(packed):
        if kind == 2 and len(data) == 2:
            expected["mss"] = int.from_bytes(data, "big")
        elif kind == 3 and len(data) == 1:
            expected["wscale"] = min(data[0], 127)
        elif kind == 8 and len(data) == 8:
            expected |= {"tsval": int.from_bytes(data[:4], "big"), "tsecr": int.from_bytes(data[4:], "big")}
    assert {name: row[name] for name in expected} == expected


def _whole_options(packed):
    """Split options with dpkt; its mark of a malformed one ends the list."""
    for option in dpkt.tcp.parse_opts(packed):
        if option is None or option[0] == 0:
            return
        yield option
