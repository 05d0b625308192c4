"""Frames of real captures: header fields as tshark 4.0.17 shows them."""

import csv
import gzip
from functools import cache
from ipaddress import IPv6Address

from ingest.capture.reader import open_capture
from ingest.decode.decoder import Decoder
from segwatch.vocabulary import Quality
from tests.support import captures_directory

FIELDS = ("srcip", "srcport", "dstip", "dstport", "seq_raw", "ack_raw", "len", "flags", "window")
NOT_ANALYSED = Quality.SHORT_SEGMENT | Quality.HEADER_UNREADABLE

HEADER_ADDRESS = {("zeek-zeek__chksums__ip6-route0-tcp-bad-chksum.pcap", 1)}
"""A routing header: tshark shows the IPv6 header's destination, but files the segment under the final one, as we do."""
DECRYPTED = {"wireshark-wireshark__test__captures__wireguard-ping-tcp-dsb.pcapng"}
"""The capture carries the keys of its WireGuard tunnel, which we do not read."""


class Declined:
    """A slow path that only notes which frames it is given."""

    def __init__(self):
        self.skipped = {}
        self.frames = set()

    def decode(self, frame_bytes, linktype, wirelen, ts, frame, out, row):
        self.frames.add(frame)
        return 0


@cache
def text(packed, ipv6):
    """Return an address of 16 bytes as tshark writes it, in the one notation that Python has."""
    address = IPv6Address(packed)
    return str(address) if ipv6 or address.ipv4_mapped is None else str(address.ipv4_mapped)


@cache
def python_notation(address):
    """Return an address in the notation of ``text``: ::ffff:1.2.3.4 is ::ffff:102:304 there."""
    return str(IPv6Address(address)) if ":" in address else address


def row_as_text(segments, row):
    """Return the fields of a row as the oracle writes them; empty where tshark shows none."""
    quality = int(segments.quality[row])
    readable = not quality & Quality.HEADER_UNREADABLE
    ipv6 = bool(quality & Quality.IPV6)
    return (
        text(segments.src[row].tobytes(), ipv6),
        str(segments.sport[row]),
        text(segments.dst[row].tobytes(), ipv6),
        str(segments.dport[row]),
        str(segments.seq[row]) if readable else "",
        str(segments.ack[row]) if readable else "",
        str(segments.payload_len[row]) if not quality & NOT_ANALYSED else "",
        f"0x{segments.flags[row]:04x}" if readable else "",
        str(segments.window[row]) if readable else "",
    )


def decoded(path):
    """Return the rows of a capture by frame number, and the frames that were declined."""
    declined = Declined()
    decoder = Decoder(declined)
    rows = {}
    with open_capture(path) as reader:
        while (frames := reader.read(4096)) is not None:
            segments = decoder.decode(frames)
            for row, frame in enumerate(segments.frame.tolist()):
                rows[frame] = row_as_text(segments, row)
    return rows, declined.frames


def reference(row):
    """Return the fields of an oracle row; addresses in one notation."""
    return tuple(python_notation(row[name]) if name.endswith("ip") else row[name] for name in FIELDS)


def test_headers_of_the_corpus():
    folder = captures_directory()
    compared = 0
    with (folder / "manifest.tsv").open() as stream:
        captures = [row["file"] for row in csv.DictReader(stream, delimiter="\t") if "netmon" not in row["format"]]
    for name in captures:
        if name in DECRYPTED:
            continue
        rows, declined = decoded(folder / name)
        with gzip.open(folder / "oracle" / f"{name}.tsv.gz", "rt") as stream:
            oracle = {int(row["frame"]): row for row in csv.DictReader(stream, delimiter="\t")}
        assert rows.keys() <= oracle.keys(), name
        for frame, row in oracle.items():
            if frame in declined or (name, frame) in HEADER_ADDRESS:
                continue
            assert rows.get(frame) == reference(row), (name, frame, row["protocols"])
            compared += 1
    assert compared > 400_000
