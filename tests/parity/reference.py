"""tshark's word on every TCP frame of a capture, and comparing ours with it."""

import csv
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES

REFERENCE_VERSION: Final = "4.0."
"""The version of tshark whose labels are the reference."""

NUMBER_FIELDS: Final = {
    "dup_ack_num": "tcp.analysis.duplicate_ack_num",
    "dup_ack_frame": "tcp.analysis.duplicate_ack_frame",
    "bytes_in_flight": "tcp.analysis.bytes_in_flight",
    "rto": "tcp.analysis.rto",
    "ack_rtt": "tcp.analysis.ack_rtt",
    "window": "tcp.window_size",
    "window_scale": "tcp.window_size_scalefactor",
    "rto_frame": "tcp.analysis.rto_frame",
    "acks_frame": "tcp.analysis.acks_frame",
    "initial_rtt": "tcp.analysis.initial_rtt",
    "push_bytes": "tcp.analysis.push_bytes_sent",
    "seq": "tcp.seq",
    "ack": "tcp.ack",
    "nxtseq": "tcp.nxtseq",
    "len": "tcp.len",
    "time_relative": "tcp.time_relative",
    "time_delta": "tcp.time_delta",
    "completeness": "tcp.completeness",
}
"""Column of ``segwatch labels`` to field of tshark."""

COMPARED: Final = ("stream", "labels", *NUMBER_FIELDS, "events")
Rows = dict[int, dict[str, str]]


def event_field(name: str) -> str:
    """Return tshark's field of an event."""
    return f"tcp.analysis.{name}" if name.startswith("tfo_") else f"tcp.connection.{name}"


def require_tshark() -> str:
    """Return the path of tshark 4.0, or skip the test where it is missing or another version."""
    path = shutil.which("tshark")
    if path is None:
        pytest.skip("tshark is not installed; Debian's package tshark is the reference")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    if not version.startswith(REFERENCE_VERSION):
        pytest.skip(f"tshark {version} is installed; the rules are those of {REFERENCE_VERSION}x")
    return path


def ask_tshark(capture: Path) -> Rows:
    """Return tshark's rows of a capture by frame number, in the columns and text forms of ``segwatch labels``.

    Frames whose TCP header is quoted in an ICMP error are left out, as ``segwatch labels`` does.
    """
    labels = {name: f"tcp.analysis.{name}" for name in LABEL_NAMES}
    events = {name: event_field(name) for name in EVENT_NAMES}
    fields = [
        "frame.number",
        "frame.protocols",
        "tcp.stream",
        *NUMBER_FIELDS.values(),
        *labels.values(),
        *events.values(),
    ]
    command = [require_tshark(), "-n", "-r", str(capture), "-Y", "tcp", "-T", "fields"]
    command += ["-E", "separator=/t", "-E", "occurrence=f", "-E", "quote=n"]
    for field in fields:
        command += ["-e", field]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    rows: Rows = {}
    for line in answer.stdout.splitlines():
        value = dict(zip(fields, line.split("\t"), strict=True))
        protocols = value["frame.protocols"].split(":")
        if {"icmp", "icmpv6"} & set(protocols[: protocols.index("tcp")]):
            continue
        row = {column: value[field] for column, field in NUMBER_FIELDS.items()}
        row["stream"] = value["tcp.stream"]
        row["labels"] = plain_labels({name for name, field in labels.items() if value[field]})
        row["events"] = ",".join(sorted(name for name, field in events.items() if value[field]))
        rows[int(value["frame.number"])] = row
    return rows


def plain_labels(names: set[str]) -> str:
    """Return label names as text; tshark says retransmission of fast and spurious ones, too."""
    if names & {"fast_retransmission", "spurious_retransmission"}:
        names = names - {"retransmission"}
    return ",".join(sorted(names))


def read_rows(path: Path) -> Rows:
    """Read a TSV of labelled segments."""
    with path.open(newline="", encoding="utf-8") as file:
        return {int(row["frame"]): row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


def differences(reference: Rows, ours: Rows, columns: tuple[str, ...] = COMPARED) -> list[str]:
    """Return a line for every frame on which two readings differ."""
    found = [f"frame {frame}: only the reference has it" for frame in sorted(reference.keys() - ours.keys())]
    found += [f"frame {frame}: only ours has it" for frame in sorted(ours.keys() - reference.keys())]
    for frame in sorted(reference.keys() & ours.keys()):
        wrong = [
            f"{column}: {reference[frame][column] or '-'} is {ours[frame][column] or '-'}"
            for column in columns
            if reference[frame][column] != ours[frame][column]
        ]
        if wrong:
            found.append(f"frame {frame}: " + "; ".join(wrong))
    return found
