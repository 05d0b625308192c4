"""The TCP header and its options, by specification 2.1 and 2.2."""

import pytest

from ingest.decode.status import Status
from segwatch.vocabulary import Quality
from tests.ingest.decode.support import decoded, ethernet, frame, ipv4, status_of, tcp

TIMESTAMPS = bytes.fromhex("0101080a0000000500000006")
HEADERS = 54


def segment(options=b"", captured=None, **fields):
    """Decode a segment with ten bytes of payload; of its header and options, ``captured`` bytes are there."""
    packet = ethernet(ipv4(tcp(options, b"x" * 10, **fields)))
    return decoded(frame(packet, None if captured is None else 34 + captured))


def option(data, captured=None):
    """Decode a segment with options, padded with NOPs; ``captured`` bytes of the options are there."""
    return segment(data + b"\1" * (-len(data) % 4), None if captured is None else 20 + captured)


def test_every_field_of_a_plain_segment():
    row = segment(flags=0xE12)
    assert row == {
        "ts": 1000,
        "frame": 1,
        "src": "10.0.0.1",
        "dst": "10.0.0.2",
        "sport": 1000,
        "dport": 80,
        "seq": 7,
        "ack": 9,
        "flags": 0xE12,
        "window": 500,
        "payload_len": 10,
        "ip_id": 77,
        "ttl": 61,
        "dscp_ecn": 0x2A,
        "wscale": -1,
        "mss": 0,
        "tsval": 0,
        "tsecr": 0,
        "sack": [],
        "sack_count": 0,
        "mptcp": 0,
        "vlan": 0,
        "tunnel_kind": 0,
        "tunnel_id": 0,
        "quality": 0,
    }


@pytest.mark.parametrize("captured", [0, 1, 3])
def test_without_ports_there_is_no_row(captured):
    packet = ethernet(ipv4(tcp(payload=b"x" * 10)))
    assert status_of(frame(packet, 34 + captured)) is Status.TRANSPORT_CUT


@pytest.mark.parametrize("captured", [4, 8, 15])
def test_below_16_bytes_only_ports_are_known(captured):
    row = segment(captured=captured)
    assert row["quality"] == Quality.HEADER_UNREADABLE
    assert (row["sport"], row["dport"]) == (1000, 80)
    rest = ("seq", "ack", "flags", "window", "payload_len", "mss", "tsval", "tsecr", "sack_count", "mptcp")
    assert {row[name] for name in rest} == {0}
    assert row["wscale"] == -1


@pytest.mark.parametrize("captured", [16, 19])
def test_below_20_bytes_the_header_is_cut_and_length_known(captured):
    row = segment(TIMESTAMPS, captured=captured)
    assert row["quality"] == Quality.HEADER_CUT | Quality.PAYLOAD_CUT
    assert (row["seq"], row["window"], row["payload_len"], row["tsval"]) == (7, 500, 10, 0)


def test_a_datagram_shorter_than_the_header_is_read_as_far_as_it_goes():
    assert status_of(frame(ethernet(ipv4(tcp()[:3])))) is Status.TRANSPORT_CUT
    assert decoded(frame(ethernet(ipv4(tcp()[:10]))))["quality"] == Quality.HEADER_UNREADABLE
    row = decoded(frame(ethernet(ipv4(tcp()[:18]))))
    assert row["quality"] == Quality.SHORT_SEGMENT | Quality.HEADER_CUT
    assert (row["seq"], row["payload_len"]) == (7, 0)


@pytest.mark.parametrize(("offset", "length"), [(0, 30), (3, 18), (4, 14)])
def test_small_data_offsets_lengthen_the_payload(offset, length):
    row = segment(offset=offset)
    assert (row["quality"], row["payload_len"]) == (Quality.OFFSET_TOO_SMALL, length)


def test_data_offset_beyond_the_segment():
    row = segment(offset=15)
    assert row["quality"] == Quality.SHORT_SEGMENT | Quality.OPTIONS_CUT  # the payload is read as an option
    assert row["payload_len"] == 0
    packet = decoded(frame(ethernet(ipv4(tcp(offset=15)))))
    assert packet["quality"] == Quality.SHORT_SEGMENT | Quality.OPTIONS_CUT


def test_cut_payload_does_not_shorten_the_length():
    row = segment(captured=25)
    assert (row["quality"], row["payload_len"]) == (Quality.PAYLOAD_CUT, 10)


def test_options_of_an_opening_segment():
    row = option(bytes.fromhex("020405b4 0402 080a0000000100000002 01 030307"))
    assert (row["mss"], row["tsval"], row["tsecr"], row["wscale"]) == (1460, 1, 2, 7)
    assert row["quality"] == Quality.SACK_PERMITTED | Quality.TIMESTAMPS


def test_timestamps_alone_in_the_usual_layout():
    row = segment(TIMESTAMPS)
    assert (row["tsval"], row["tsecr"], row["quality"]) == (5, 6, Quality.TIMESTAMPS)


def test_usual_layout_that_is_not_whole():
    assert segment(TIMESTAMPS, captured=31)["quality"] == Quality.OPTIONS_CUT | Quality.PAYLOAD_CUT
    row = option(TIMESTAMPS[:2] + b"\x08\x0b" + bytes(8))
    assert (row["tsval"], row["quality"]) == (0, 0)


@pytest.mark.parametrize(("shift", "stored"), [(0, 0), (14, 14), (127, 127), (128, 127), (255, 127)])
def test_window_scale_is_kept_as_sent(shift, stored):
    assert option(bytes([3, 3, shift]))["wscale"] == stored


@pytest.mark.parametrize("data", ["03040700", "02030501", "080b000000000000000000", "0403ff"])
def test_known_options_of_another_length_are_passed_over(data):
    row = option(bytes.fromhex(data) + b"\x02\x04\x05\xb4")
    assert (row["wscale"], row["tsval"], row["mss"], row["quality"]) == (-1, 0, 1460, 0)


@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_sack_blocks(blocks):
    edges = list(range(10, 10 + 2 * blocks))
    row = option(bytes([5, 2 + 8 * blocks]) + b"".join(edge.to_bytes(4, "big") for edge in edges))
    assert (row["sack_count"], row["sack"]) == (blocks, edges)


def test_sack_keeps_whole_blocks_only():
    row = option(bytes([5, 13, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]))
    assert (row["sack"], row["quality"]) == ([1, 2], 0)
    row = option(bytes([5, 9]) + bytes(7))
    assert (row["sack"], row["quality"]) == ([], Quality.OPTIONS_CUT)
    assert option(bytes([5, 8]) + bytes(6), captured=7)["quality"] == Quality.OPTIONS_CUT | Quality.PAYLOAD_CUT


def test_blocks_before_a_cut_stay():
    row = option(bytes([5, 18]) + bytes([0, 0, 0, 1] * 4), captured=11)
    assert (row["sack"], row["quality"]) == ([1, 1], Quality.OPTIONS_CUT | Quality.PAYLOAD_CUT)


def test_four_blocks_are_kept_of_several_options():
    two = bytes([5, 18]) + bytes([0, 0, 0, 1] * 4)
    assert option(two + two)["sack_count"] == 4
    assert option(two[:2] + two[2:] + bytes([5, 10]) + bytes(8))["sack"] == [1, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("subtype", "mask"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 64), (7, 128), (8, 0), (15, 0)]
)
def test_multipath_subtypes(subtype, mask):
    row = option(bytes([30, 12, subtype << 4]) + bytes(9))
    assert (row["mptcp"], row["quality"]) == (mask, 0)


def test_multipath_options_add_up_and_short_ones_count_as_cut():
    row = option(bytes([30, 4, 0x20, 0, 30, 4, 0x30, 0]))
    assert (row["mptcp"], row["quality"]) == (4 | 8, 0)
    assert option(bytes([30, 2, 1, 1]))["quality"] == Quality.OPTIONS_CUT
    assert option(bytes([30, 3, 0x20, 1]))["quality"] == Quality.OPTIONS_CUT
    assert option(bytes([30, 3, 0x50, 1]))["quality"] == 0
    assert option(bytes([30, 11, 0x70]) + bytes(8))["quality"] == Quality.OPTIONS_CUT


@pytest.mark.parametrize(
    ("flags", "length"),
    [(0, 4), (1, 8), (2, 4), (3, 12), (4, 14), (5, 18), (8, 4), (12, 18), (7, 22), (13, 22), (15, 26)],
)
def test_a_data_sequence_signal_has_what_its_flags_say(flags, length):
    signal = bytes([30, length, 0x20, flags]) + bytes(length - 4)
    assert option(signal)["quality"] == 0
    assert option(bytes([30, length - 1]) + signal[2:-1])["quality"] == Quality.OPTIONS_CUT


@pytest.mark.parametrize("subtype", [9, 12, 15])
def test_unknown_multipath_subtypes_have_no_parts(subtype):
    assert option(bytes([30, 3, subtype << 4, 1]))["quality"] == 0


def test_a_selective_negative_acknowledgment_counts_as_cut():
    assert option(bytes.fromhex("1506 0001 0002 030307"))["quality"] == Quality.OPTIONS_CUT
    assert option(bytes.fromhex("1505 0001 02 030307"))["wscale"] == 7


@pytest.mark.parametrize(
    ("data", "quality"),
    [
        ("2202", Quality.FAST_OPEN),
        ("220461626364", Quality.FAST_OPEN | Quality.FAST_OPEN_COOKIE),
        ("fd04f989", Quality.FAST_OPEN),
        ("fe06f9896162", Quality.FAST_OPEN | Quality.FAST_OPEN_COOKIE),
        ("fd04f988", 0),
        ("fe03f9", 0),
    ],
)
def test_fast_open(data, quality):
    assert option(bytes.fromhex(data))["quality"] == quality


@pytest.mark.parametrize("data", ["0200", "0201", "02ff", "630a", "010101 02"])
def test_malformed_lengths_end_the_list(data):
    row = option(bytes.fromhex("030305") + bytes.fromhex(data) + bytes.fromhex("020405b4") * ("01" not in data[:2]))
    assert (row["wscale"], row["mss"], row["quality"]) == (5, 0, 0)


def test_end_of_list():
    row = option(bytes.fromhex("030305 00 020405b4"))
    assert (row["wscale"], row["mss"]) == (5, 0)


@pytest.mark.parametrize("captured", [3, 4, 5, 6])
def test_an_option_past_the_captured_bytes_keeps_what_came_before(captured):
    row = option(bytes.fromhex("030305 020405b4 01"), captured=captured)
    assert (row["wscale"], row["mss"]) == (5, 0)
    assert row["quality"] == Quality.OPTIONS_CUT | Quality.PAYLOAD_CUT


@pytest.mark.parametrize("short", ["0502", "0509 01020304050607", "1e02", "1e03 20", "1e0b 70 0102030405060708"])
def test_an_option_without_its_parts_ends_the_list(short):
    row = option(bytes.fromhex("020405b4" + short + "030305"))
    assert (row["mss"], row["wscale"], row["quality"]) == (1460, -1, Quality.OPTIONS_CUT)


@pytest.mark.parametrize(
    ("captured", "quality"), [(5, Quality.OPTIONS_CUT), (9, Quality.OPTIONS_CUT), (10, 0), (11, 0)]
)
def test_a_length_beyond_the_list_counts_as_cut_where_the_list_cannot_be_shown(captured, quality):
    row = option(bytes.fromhex("030305 63ff 00000000000000"), captured=captured)
    assert (row["wscale"], row["quality"]) == (5, quality | Quality.PAYLOAD_CUT)


@pytest.mark.parametrize(("captured", "quality"), [(4, Quality.OPTIONS_CUT), (7, Quality.OPTIONS_CUT), (8, 0)])
def test_the_end_of_the_list_needs_what_stands_behind_it(captured, quality):
    row = option(bytes.fromhex("030305 00 00000000"), captured=captured)
    assert (row["wscale"], row["quality"]) == (5, quality | Quality.PAYLOAD_CUT)


@pytest.mark.parametrize(
    ("data", "needed"),
    [
        ("0204000000000000", 4), ("0208000000000000", 2), ("0308000000000000", 2), ("0408000000000000", 2),
        ("0808000000000000", 2), ("1308000000000000", 2), ("6308000000000000", 8), ("2208000000000000", 8),
        ("050e" + 12 * "00" + "0101", 16), ("0510" + 14 * "00", 14),
    ],
)  # fmt: skip
def test_a_known_option_of_another_length_may_be_cut(data, needed):
    options = bytes.fromhex(data)
    for captured in range(2, len(options)):
        cut = captured < needed or (options[1] < len(options) and captured < len(options))
        expected = Quality.PAYLOAD_CUT | (Quality.OPTIONS_CUT if cut else 0)
        assert option(options, captured=captured)["quality"] == expected, captured


def test_options_whole_and_payload_cut():
    row = option(bytes.fromhex("030305 020405b4 01"), captured=8)
    assert (row["mss"], row["quality"]) == (1460, Quality.PAYLOAD_CUT)
