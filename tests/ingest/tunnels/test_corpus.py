"""Real captures and the specification's cases: TCP where tshark finds it, with the fields that it reads."""

import csv
import gzip
import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.capture.reader import open_capture
from ingest.decode.decoder import Decoder
from ingest.decode.slow_path import ROWS_PER_FRAME
from ingest.tunnels.decoder import TunnelDecoder
from segwatch.errors import InputError
from segwatch.records.segments import SegmentColumns, empty_segments
from segwatch.vocabulary import Quality
from tests.support import CASES, captures_directory

SHARES = 8
LARGE = 200_000
"""Bytes of a capture that only the whole decoder reads."""
NOT_ANALYSED = Quality.FRAGMENT | Quality.QUOTED_IN_ICMP | Quality.SHORT_SEGMENT
FIELDS = ("srcip", "srcport", "dstip", "dstport", "seq_raw", "ack_raw", "flags", "window", "len")

Row = dict[str, str]


def _address(raw: Any, quality: int) -> str:
    octets = raw.tobytes()
    return str(ipaddress.ip_address(octets if quality & Quality.IPV6 else octets[12:]))


def _row(out: SegmentColumns, row: int) -> Row:
    """Return a row in the oracle's words; a field that tshark does not show is empty."""
    quality = int(out.quality[row])
    unreadable = bool(quality & Quality.HEADER_UNREADABLE)
    return {
        "srcip": _address(out.src[row], quality),
        "srcport": str(out.sport[row]),
        "dstip": _address(out.dst[row], quality),
        "dstport": str(out.dport[row]),
        "seq_raw": "" if unreadable else str(out.seq[row]),
        "ack_raw": "" if unreadable else str(out.ack[row]),
        "flags": "" if unreadable else f"{int(out.flags[row]):#06x}",
        "window": "" if unreadable else str(out.window[row]),
        "len": "" if unreadable or quality & NOT_ANALYSED else str(out.payload_len[row]),
        "quoted": "1" if quality & Quality.QUOTED_IN_ICMP else "",
    }


def _slow_path_alone(path: Path) -> dict[int, list[Row]]:
    """Return the rows of every frame of a capture, all of them decoded by the slow path."""
    decoder, out = TunnelDecoder(), empty_segments(ROWS_PER_FRAME)
    rows: dict[int, list[Row]] = defaultdict(list)
    with open_capture(path) as reader:
        while (frames := reader.read(4096)) is not None:
            content = memoryview(frames.buffer)
            columns = (frames.offset, frames.caplen, frames.linktype, frames.wirelen, frames.ts, frames.frame)
            for offset, caplen, *fields in zip(*(column.tolist() for column in columns), strict=True):
                count = decoder.decode(content[offset : offset + caplen], *fields, out, 0)
                if count:
                    rows[fields[-1]] += [_row(out, row) for row in range(count)]
    return rows


def _both_paths(path: Path) -> dict[int, list[Row]]:
    """Return the rows of every frame of a capture, as the whole decoder gives them."""
    decoder = Decoder()
    rows: dict[int, list[Row]] = defaultdict(list)
    with open_capture(path) as reader:
        while (frames := reader.read(4096)) is not None:
            segments = decoder.decode(frames)
            for row, number in enumerate(segments.frame.tolist()):
                rows[number].append(_row(segments, row))
    return rows


def _layers(line: Row) -> Iterator[Row]:
    """Return the fields of each TCP header that tshark found in a frame."""
    count = int(line["tcp_layers"] or 1)
    for layer in range(count):
        yield {field: line[field].split(";")[layer] if count > 1 else line[field] for field in ("stream", *FIELDS)}


def _expected(path: Path) -> dict[int, list[Row]]:
    """Return what tshark shows of every frame with TCP, less what is out of scope here."""
    rows: dict[int, list[Row]] = {}
    with gzip.open(path, "rt", newline="") as text:
        for line in csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE):
            before_tcp = line["protocols"].split(":tcp")[0].split(":")
            is_quoted = "icmp" in before_tcp or "icmpv6" in before_tcp
            if "wg" in before_tcp or (is_quoted and not line["stream"]):
                continue  # WireGuard needs keys; the classic quote of 8 bytes has no effect
            rows[int(line["frame"])] = layers = list(_layers(line))
            for row in layers:
                for end in ("srcip", "dstip"):
                    row[end] = str(ipaddress.ip_address(row[end]))
                if "ipv6.routing" in before_tcp:
                    row["dstip"] = ""  # the oracle has the header's, we that of the last segment, as tcp.stream does
                if is_quoted:
                    row["seq_raw"] = ""  # tshark does not show it for IPv4
    return rows


def _differences(found: dict[int, list[Row]], expected: dict[int, list[Row]]) -> Iterator[str]:
    for frame in sorted(found.keys() | expected.keys()):
        ours, theirs = found.get(frame, []), expected.get(frame, [])
        if len(ours) != len(theirs):
            yield f"frame {frame}: {len(ours)} headers, tshark {len(theirs)}"
            continue
        for our, their in zip(ours, theirs, strict=True):
            for field in FIELDS:
                if their[field] != our[field] and (their[field] or field not in ("dstip", "seq_raw")):
                    yield f"frame {frame}: {field} {our[field]!r}, tshark {their[field]!r}"


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("decoded", [_slow_path_alone, _both_paths])
def test_real_captures(share: int, decoded: Callable[[Path], dict[int, list[Row]]]):
    """The same frames have TCP, and every header has the same fields."""
    folder = captures_directory()
    names = sorted(path.name.removesuffix(".tsv.gz") for path in (folder / "oracle").glob("*.tsv.gz"))
    if decoded is _slow_path_alone:  # the large ones hold plain Ethernet, which is not what it is for
        names = [name for name in names if (folder / name).stat().st_size < LARGE]
    found: list[str] = []
    for name in names[share::SHARES]:
        try:
            rows = decoded(folder / name)
        except InputError:
            continue  # formats that the reader refuses are its own tests' subject
        expected = _expected(folder / "oracle" / f"{name}.tsv.gz")
        found += [f"{name}: {difference}" for difference in _differences(rows, expected)]
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:20])


@pytest.mark.parametrize("path", sorted(CASES.glob("*.pcap")), ids=lambda path: path.stem)
def test_specification_case(path: Path):
    """Frames and payload lengths are those of the specification's cases (which leave quoted headers out)."""
    found = {
        frame: rows[0]["len"]
        for frame, rows in _slow_path_alone(path).items()
        if not all(row["quoted"] for row in rows)
    }
    with path.with_suffix(".tsv").open(newline="") as text:
        expected = {int(line["frame"]): line["len"] for line in csv.DictReader(text, delimiter="\t")}
    assert found == expected
