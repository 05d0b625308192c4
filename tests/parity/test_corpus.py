"""Real captures: labels and numbers of every frame are tshark's."""

import csv
import gzip
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from tests.parity.reference import Rows, differences, plain_labels, read_rows
from tests.support import captures_directory

COLUMNS: Final = (
    "stream", "labels", "dup_ack_num", "dup_ack_frame", "bytes_in_flight", "rto", "ack_rtt", "completeness", "len",
    "src", "sport", "dst", "dport", "seq_raw", "ack_raw", "flags",
)  # fmt: skip
KNOWN: Final = {
    "ntop-nDPI__h323.pcap": "the H.225 dissector announces the H.245 connection, in ASN.1 that is not read",
    "wireshark-wireshark__test__captures__wireguard-ping-tcp-dsb.pcapng": "WireGuard, decrypted with keys in the file",
    "OISF-suricata-verify__tests__transform-base64-7296__input.pcap": "microseconds beyond a second: tshark prints the "
    "same difference of times with too many nanoseconds",
    "the-tcpdump-group-tcpdump__tests__timestamp_invalid_nano.pcap": "nanoseconds beyond a second: printed like that",
    "zeek-zeek__chksums__ip6-route0-tcp-bad-chksum.pcap": "a source route: dst is the final destination, by which "
    "tshark tells streams apart; its field ipv6.dst shows the next hop",
}
"""Captures on which frames differ, with the cause."""


def _reference(path: Path) -> Rows:
    """Read an oracle file; of several TCP layers in one frame the first, quoted headers left out."""
    rows: Rows = {}
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            protocols = row["protocols"].split(":")
            if {"icmp", "icmpv6"} & set(protocols[: protocols.index("tcp")]):
                continue
            row = {column: value.split(";")[0] for column, value in row.items()}
            row["labels"] = plain_labels({name for name in row["labels"].split(",") if name and "tfo" not in name})
            row |= {"src": row["srcip"], "sport": row["srcport"], "dst": row["dstip"], "dport": row["dstport"]}
            if not row["stream"]:
                row |= dict.fromkeys(COLUMNS, "")
            rows[int(row["frame"])] = row
    return rows


def compare_capture(arguments: tuple[Path, Path]) -> tuple[str, int, list[str]]:
    """Label one capture and return its name, its number of TCP frames and the differences."""
    from segwatch.cli.labels import command

    capture, folder = arguments
    output = folder / f"{capture.name}.tsv"
    ended = CliRunner().invoke(command, [str(capture), "-o", str(output)])
    if not output.exists():
        return capture.name, 0, [f"nothing written: {ended.output}{ended.exception!r}"]
    reference = _reference(capture.parent / "oracle" / f"{capture.name}.tsv.gz")
    ours = read_rows(output)
    output.unlink()
    return capture.name, len(reference), differences(reference, ours, COLUMNS)


def compare_all(folder: Path, names: list[Path]) -> dict[str, tuple[int, list[str]]]:
    """Compare captures on all cores; return frames and differences by name."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(compare_capture, [(name, folder) for name in names], chunksize=8)
        return {name: (frames, found) for name, frames, found in results}


def test_no_frame_differs(tmp_path: Path) -> None:
    corpus = captures_directory()
    names = sorted(
        path.parent.parent / path.name.removesuffix(".tsv.gz") for path in (corpus / "oracle").glob("*.tsv.gz")
    )
    results = compare_all(tmp_path, names)
    assert sum(frames for frames, _ in results.values()) > 400_000
    wrong = {name: found for name, (_, found) in results.items() if found and name not in KNOWN}
    assert wrong == {}, f"{sum(map(len, wrong.values()))} frames of {len(wrong)} captures"
    stale = [name for name in KNOWN if name in results and not results[name][1]]
    assert stale == [], "these agree now"
