"""Compiling everything ahead of time, by doing everything once on tiny captures."""

import struct
import tempfile
from importlib import resources
from pathlib import Path
from typing import Final

from ingest.anonymize.addresses import Anonymizer
from ingest.anonymize.crypto_pan import KEY_BYTES
from ingest.capture.live.one_way import OneWay
from ingest.capture.live.seen_twice import SeenTwice
from ingest.capture.reader import open_capture
from ingest.decode.decoder import Decoder
from ingest.publish.batches import Batcher, Session
from processors.engine import Scratch, Timeouts
from processors.paths.network import trace
from processors.stream.outgoing import Kind
from processors.stream.partition import Partition
from processors.stream.settings import StreamSettings
from segwatch.compilation import kernels_are_kept, kernels_directory
from segwatch.errors import UsageError
from segwatch.jobs.analyze import analyse
from segwatch.jobs.compiled import remember_warm
from segwatch.jobs.decoding import BATCH_FRAMES, DecodedCapture
from segwatch.jobs.labels import LabelsJob, Selection
from segwatch.jobs.loading import SYN
from segwatch.jobs.paths.job import sensor_of
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.verdicts import VerdictsJob
from segwatch.jobs.watch.analyst import Analyst, Limits
from segwatch.jobs.watch.filtering import Filter
from segwatch.jobs.watch.picture import Picture
from segwatch.jobs.watch.sheets import VIEWS, sheet_of
from segwatch.messages.anomalies import read_anomalies
from segwatch.output.writers import FORMATS
from segwatch.settings import Settings

_WINDOW: Final = 60_000_000_000
"""Nanoseconds."""


def warm_up() -> None:
    """Run every kernel once; what is not in the cache yet is compiled and put there.

    Raise UsageError where it cannot be kept.
    """
    if not kernels_are_kept():
        raise UsageError(
            f"compiled code cannot be kept: {kernels_directory()} cannot be written; set SEGWATCH_CACHE_DIR to a "
            "folder that can."
        )
    rules = Settings.rules
    with tempfile.TemporaryDirectory(prefix="segwatch-warmup-") as folder:
        captures = _tiny_captures(Path(folder))
        for form in FORMATS:
            LabelsJob(rules, Selection(), form, f"{folder}/labels.{form}").run(captures)
            VerdictsJob(rules, form, f"{folder}/verdicts.{form}").run(captures)
        for capture in captures:
            with CapturePipeline(capture, rules) as pipeline:
                analyse(pipeline)
        _watch(captures[0], rules)
        _paths(captures[0])
        _stream(captures[0], rules)
    remember_warm()


def _watch(capture: str, rules: str) -> None:
    """Watch a capture, as a live one is watched, and look."""
    picture = Picture(_WINDOW, 1)
    analyst = Analyst(picture, rules, Limits(Timeouts(1, 1), 1), judges=True)
    session = analyst.begin(0)
    with DecodedCapture(capture) as decoded:
        for segments in decoded:
            analyst.add(session, segments)
    analyst.pass_time(session, picture.now + 2 * _WINDOW)
    look = analyst.look(since_start=True)
    for view in VIEWS:
        sheet_of(view, look, Filter(), ["warmup"])
    analyst.finish(session)


def _paths(capture: str) -> None:
    """Compare a capture with itself."""
    with DecodedCapture(capture) as decoded:
        sensor, _ = sensor_of(decoded)
    trace([sensor, sensor])


def _stream(capture: str, rules: str) -> None:
    """Take a capture the way of sensor and processor, without Kafka, and read the checkpoints again."""
    batcher = Batcher(Session("warmup", "0" * 32, "", 0, live=False), 1, 0)
    decoder, reader, anonymizer = Decoder(), open_capture(capture), Anonymizer(bytes(KEY_BYTES))
    seen_twice, one_way, messages = SeenTwice(), OneWay("warmup"), []
    while (frames := reader.read(BATCH_FRAMES)) is not None:
        segments = decoder.decode(frames)
        seen_twice.mark(segments)
        one_way.mark(segments)
        messages += batcher.add(anonymizer.anonymized(segments), 0)
    reader.close()
    partition = Partition(0, StreamSettings(partitions=1, rules=rules), Scratch())
    checkpoints: dict[bytes, bytes] = {}
    for offset, message in enumerate([*messages, *batcher.finish(0)]):
        for outgoing in partition.apply(offset, 0, message.content).outgoing:
            if outgoing.kind is Kind.ANOMALIES:
                read_anomalies(outgoing.content)
        checkpoints.update({key: value for key, value in partition.checkpoint() if value is not None})
        partition.is_durable()
    Partition(0, StreamSettings(partitions=1, rules=rules), Scratch()).load(checkpoints.get)


def _tiny_captures(folder: Path) -> tuple[str, ...]:
    """Write a capture of each format."""
    demonstration = resources.files("segwatch") / "data" / "demo.pcap.gz"
    contents = {
        "demo.pcap.gz": demonstration.read_bytes(),
        "one.pcapng": _pcapng(_TUNNELLED_SYN),
        "one.snoop": _snoop(SYN),
        "one.cap": _netmon(SYN),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return tuple(str(folder / name) for name in contents)


_TUNNELLED_SYN = SYN[:14] + bytes.fromhex("4500003c00000000400400000900000109000002") + SYN[14:]
"""A SYN in IPv4 in IPv4, which takes the decoder's slow path."""


def _pcapng(frame: bytes) -> bytes:
    """Return a section with an interface and an enhanced packet block (draft-ietf-opsawg-pcapng section 4)."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    padded = frame + bytes(-len(frame) % 4)
    size = 32 + len(padded)
    packet = struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(frame), len(frame)) + padded + struct.pack("<I", size)
    return section + interface + packet


def _snoop(frame: bytes) -> bytes:
    """Return a file of version 2 with one Ethernet frame (RFC 1761)."""
    padded = frame + bytes(-len(frame) % 4)
    header = struct.pack(">IIIIII", len(frame), len(frame), 24 + len(padded), 0, 0, 0)
    return b"snoop\0\0\0" + struct.pack(">II", 2, 4) + header + padded


def _netmon(frame: bytes) -> bytes:
    """Return a Network Monitor file of version 2.0 with one Ethernet frame, whose place its table tells."""
    record = struct.pack("<QII", 0, len(frame), len(frame)) + frame
    header = struct.pack("<4sBBH8HII", b"GMBU", 0, 2, 1, 2000, 1, 6, 1, 0, 0, 0, 0, 128 + len(record), 4)
    return header.ljust(128, b"\0") + record + struct.pack("<I", 128)
