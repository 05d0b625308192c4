"""Packets as Ethernet frames with true checksums, and frames as a capture file."""

import struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from tests.generate.packets import WINDOW_SHIFT, Conversations, Layout, Packets

OPTION_LENGTHS = {Layout.TIMESTAMPS: 12, Layout.OPENING: 20, Layout.SACK: 24, Layout.NONE: 0}
MAXIMUM_SEGMENT = 1460
RECORD_HEADER = 16
ROWS_AT_ONCE = 200_000
Bytes = npt.NDArray[np.uint8]


def file_header(snaplen: int) -> bytes:
    """Return the header of a classic little-endian pcap file with microseconds and LINKTYPE_ETHERNET."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1)


def write_packets(file: BinaryIO, packets: Packets, conversations: Conversations, snaplen: int) -> None:
    """Append capture records for ``packets``, whose ``conversation`` is an index of ``conversations``."""
    parts = (packets[first : first + ROWS_AT_ONCE] for first in range(0, len(packets), ROWS_AT_ONCE))
    file.writelines(capture_records(part, conversations, snaplen).tobytes() for part in parts)


def capture_records(packets: Packets, conversations: Conversations, snaplen: int) -> Bytes:
    """Return the bytes of the capture records of ``packets``, each cut at ``snaplen``."""
    flows = conversations[packets["conversation"]]
    groups = packets["layout"].astype(np.int64) + 4 * flows["ipv6"] + 8 * (flows["vlan"] > 0)
    option_lengths = np.array([OPTION_LENGTHS[layout] for layout in Layout])[packets["layout"]]
    wire = 54 + 20 * flows["ipv6"] + 4 * (flows["vlan"] > 0) + option_lengths + packets["length"]
    captured = np.minimum(wire, snaplen)
    ends = np.cumsum(captured + RECORD_HEADER)
    starts = ends - captured - RECORD_HEADER
    buffer = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    heads = np.stack([packets["time"] // 1_000_000, packets["time"] % 1_000_000, captured, wire], axis=1).astype("<u4")
    _scatter(buffer, starts, heads.view(np.uint8))
    for group in np.unique(groups):
        chosen = np.flatnonzero(groups == group)
        headers = _headers(packets[chosen], flows[chosen], wire[chosen])
        _scatter(buffer, starts[chosen] + RECORD_HEADER, headers[:, :snaplen])
    return buffer


def _scatter(buffer: Bytes, starts: npt.NDArray[np.int64], rows: Bytes) -> None:
    buffer[starts[:, None] + np.arange(rows.shape[1])] = rows


def _put(matrix: Bytes, at: int, values: npt.NDArray[np.generic] | int, dtype: str) -> None:
    """Write big-endian numbers into the columns from ``at`` on."""
    column = np.broadcast_to(np.asarray(values), len(matrix)).astype(dtype)
    matrix[:, at : at + column.itemsize] = column.view(np.uint8).reshape(len(matrix), -1)


def _headers(
    packets: Packets,
    flows: Conversations,
    wire: npt.NDArray[np.int64],
) -> Bytes:
    """Return the headers of packets that have the same layout, IP version and tagging, one row each."""
    ipv6, tagged = bool(flows["ipv6"][0]), bool(flows["vlan"][0])
    options = OPTION_LENGTHS[Layout(int(packets["layout"][0]))]
    network = 18 if tagged else 14
    transport = network + (40 if ipv6 else 20)
    matrix = np.zeros((len(packets), transport + 20 + options), np.uint8)
    server = packets["sender"] == 1
    matrix[:, 0:6] = np.where(server[:, None], [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
    matrix[:, 6:12] = np.where(server[:, None], [2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1])
    if tagged:
        _put(matrix, 12, 0x8100, ">u2")
        _put(matrix, 14, flows["vlan"], ">u2")
    _put(matrix, network - 2, 0x86DD if ipv6 else 0x0800, ">u2")
    if ipv6:
        _ipv6(matrix, network, packets, flows, wire)
    else:
        _ipv4(matrix, network, packets, flows, wire)
    _tcp(matrix, transport, packets, flows)
    _checksum(matrix, network, transport, wire)
    return matrix


def _ends(packets: Packets, flows: Conversations, name: str) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return a pair's values for the sender and for the receiver of each packet."""
    rows, sender = np.arange(len(packets)), packets["sender"]
    return flows[name][rows, sender], flows[name][rows, 1 - sender]


def _ipv4(
    matrix: Bytes,
    at: int,
    packets: Packets,
    flows: Conversations,
    wire: npt.NDArray[np.int64],
) -> None:
    _put(matrix, at, 0x4500, ">u2")
    _put(matrix, at + 2, wire - at, ">u2")
    _put(matrix, at + 4, packets["time"] // 100 & 0xFFFF, ">u2")
    _put(matrix, at + 6, 0x4000, ">u2")
    matrix[:, at + 8] = packets["ttl"]
    matrix[:, at + 9] = 6
    source, destination = _ends(packets, flows, "address")
    matrix[:, at + 12 : at + 16] = source[:, :4]
    matrix[:, at + 16 : at + 20] = destination[:, :4]
    _put(matrix, at + 10, _ones_complement(_words(matrix[:, at : at + 20])), ">u2")


def _ipv6(matrix: Bytes, at: int, packets: Packets, flows: Conversations, wire: npt.NDArray[np.int64]) -> None:
    matrix[:, at] = 0x60
    _put(matrix, at + 4, wire - at - 40, ">u2")
    matrix[:, at + 6] = 6
    matrix[:, at + 7] = packets["ttl"]
    source, destination = _ends(packets, flows, "address")
    matrix[:, at + 8 : at + 24] = source
    matrix[:, at + 24 : at + 40] = destination


def _tcp(matrix: Bytes, at: int, packets: Packets, flows: Conversations) -> None:
    source, destination = _ends(packets, flows, "port")
    initial, peer_initial = (column.astype(np.int64) for column in _ends(packets, flows, "initial"))
    acknowledges = (packets["flags"] & 0x10) > 0
    _put(matrix, at, source, ">u2")
    _put(matrix, at + 2, destination, ">u2")
    _put(matrix, at + 4, (initial + packets["sequence"]) & 0xFFFFFFFF, ">u4")
    _put(matrix, at + 8, np.where(acknowledges, peer_initial + packets["acknowledgment"], 0) & 0xFFFFFFFF, ">u4")
    matrix[:, at + 12] = (matrix.shape[1] - at) // 4 << 4
    matrix[:, at + 13] = packets["flags"]
    _put(matrix, at + 14, packets["window"], ">u2")
    layout = Layout(int(packets["layout"][0]))
    clock = packets["time"] // 1000
    if layout is Layout.OPENING:
        matrix[:, at + 20 : at + 26] = [2, 4, *divmod(MAXIMUM_SEGMENT, 256), 4, 2]
        _timestamps(matrix, at + 26, clock, initial, np.where(acknowledges, peer_initial + clock - 20, 0))
        matrix[:, at + 36 : at + 40] = [1, 3, 3, WINDOW_SHIFT]
    elif layout is not Layout.NONE:
        matrix[:, at + 20 : at + 22] = 1
        _timestamps(matrix, at + 22, clock, initial, peer_initial + clock - 20)
    if layout is Layout.SACK:
        matrix[:, at + 32 : at + 36] = [1, 1, 5, 10]
        _put(matrix, at + 36, (peer_initial + packets["sack_left"]) & 0xFFFFFFFF, ">u4")
        _put(matrix, at + 40, (peer_initial + packets["sack_right"]) & 0xFFFFFFFF, ">u4")


def _timestamps(
    matrix: Bytes, at: int, clock: npt.NDArray[np.int64], offset: npt.NDArray[np.int64], echo: npt.NDArray[np.int64]
) -> None:
    matrix[:, at : at + 2] = [8, 10]
    _put(matrix, at + 2, (clock + offset) & 0xFFFFFFFF, ">u4")
    _put(matrix, at + 6, echo & 0xFFFFFFFF, ">u4")


def _words(matrix: Bytes) -> npt.NDArray[np.int64]:
    """Return the sum of the 16-bit words of each row."""
    return np.asarray(np.ascontiguousarray(matrix).view(">u2").sum(axis=1, dtype=np.int64))


def _ones_complement(total: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    folded = (total & 0xFFFF) + (total >> 16)
    folded = (folded & 0xFFFF) + (folded >> 16)
    return np.asarray(0xFFFF - folded)


def _checksum(matrix: Bytes, network: int, transport: int, wire: npt.NDArray[np.int64]) -> None:
    """Fill in the TCP checksum; the payload is zeros and adds nothing but its length (RFC 9293 section 3.1)."""
    addresses = (
        matrix[:, network + 8 : network + 40] if transport - network == 40 else matrix[:, network + 12 : network + 20]
    )
    total = _words(addresses) + 6 + (wire - transport) + _words(matrix[:, transport:])
    _put(matrix, transport + 16, _ones_complement(total), ">u2")
