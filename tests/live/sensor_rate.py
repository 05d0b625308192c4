"""How many small packets a second a sensor takes that publishes to Kafka: python -m tests.live.sensor_rate.

A local Kafka runs on the same processors. The highest rate without a drop or a conversation that is shed is looked for
by halving; then twice that rate is offered, and the labels of the conversations that are kept throughout are compared
with those that they have where nothing is shed.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from processors.engine import Engine
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.topics import SEGMENTS
from segwatch.messages.segments import read_segments
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns, join_segments, take_segments
from segwatch.vocabulary import Label, Quality
from tests.live.flood import PAYLOAD_BYTES, REPEAT_EVERY, arguments
from tests.live.namespaces import CLIENT_SIDE, Network, network
from tests.live.recorded import kept_at
from tests.pipeline.published import every_message

PARTITIONS = 8
_PATIENCE_SECONDS = 60


class Rig:
    """A veth pair, a Kafka, and what is offered to a sensor between them."""

    def __init__(self, net: Network, broker: LocalBroker, buffer_size: str, flows: int) -> None:
        self.broker = broker
        self._net = net
        self._buffer_size = buffer_size
        self._flows = flows

    def offer(self, rate: int, seconds: float) -> dict[str, Any]:
        """Offer frames to a new sensor; return what was sent and what became of it."""
        net = self._net
        sensor = net.start(
            net.router, sys.executable, "-m", "segwatch", "sensor", "--interface", CLIENT_SIDE, "--allow-root",
            "--json", "--kafka", self.broker.address.bootstrap, "--buffer-size", self._buffer_size,
            "--filter", "tcp and net 10.99.0.0/16", "--spool", str(net.folder / "spool"), ready="Capturing",
        )  # fmt: skip
        sender = net.start(net.router, *arguments(CLIENT_SIDE, self._flows, rate, seconds, repeats=True))
        assert sender.wait(seconds + _PATIENCE_SECONDS) == 0, net.log(sender)
        sent = json.loads(net.log(sender).splitlines()[-1])
        net.stop(sensor)
        text = net.log(sensor)
        (session,) = json.loads(text[text.index("\n{") :])["sessions"]
        names = (
            "session",
            "frames",
            "segments",
            "kernel_drops",
            "interface_drops",
            "shed_segments",
            "dropped_segments",
        )
        return {"offered_a_second": round(sent["rate"]), "sent": sent["sent"]} | {name: session[name] for name in names}


@contextmanager
def rig(folder: Path, buffer_size: str, flows: int) -> Iterator[Rig]:
    """Give a rig."""
    with network(folder) as net, net.inside(net.router):
        # So that the pair has a receive queue for frames of a BPF program.
        net.run(net.router, "ethtool", "-K", CLIENT_SIDE, "gro", "on")
        broker = LocalBroker(folder / "kafka")
        try:
            create_topics(broker.start(), PARTITIONS)
            yield Rig(net, broker, buffer_size, flows)
        finally:
            broker.stop()


def highest_rate(rig: Rig, lowest: int, highest: int, seconds: float, steps: int) -> list[dict[str, Any]]:
    """Return the attempts, each with whether it was ``whole``; the last rate that was is the highest without a drop."""
    attempts = []
    low, high = lowest, highest
    for _ in range(steps):
        rate = (low + high) // 2
        told = rig.offer(rate, seconds)
        whole = told["frames"] == told["segments"] == told["sent"] and not told["dropped_segments"]
        attempts.append({**told, "whole": whole})
        low, high = (rate, high) if whole else (low, rate)
    return attempts


def overload(rig: Rig, rate: int, seconds: float) -> dict[str, Any]:
    """Offer more than can be taken; return what was shed, and how the labels of what was kept differ.

    ``different`` counts rows without ``capture_loss`` and must be 0.
    """
    told = rig.offer(rate, seconds)
    every = (read_segments(content) for _, content in every_message(rig.broker.address, SEGMENTS))
    messages = [message for message in every if message[0].session == told["session"]]
    rows = join_segments([segments for _, segments in messages])
    level = max(header.keep_one_in for header, _ in messages)
    return told | compared(take_segments(rows, np.argsort(rows.frame, kind="stable")), level)


def compared(segments: SegmentColumns, level: int) -> dict[str, Any]:
    """Compare the conversations that are kept at a level, of one in so many, with what they are without overload."""
    kept = kept_at(segments, level)
    different = labels_of(kept) != _labels_without_overload(kept)
    marked = (kept.quality & np.uint32(Quality.CAPTURE_LOSS)) != 0
    return {
        "keep_one_in": level,
        "kept_conversations": len(np.unique(kept.sport)),
        "kept_segments": len(kept.ts),
        "marked_segments": int(marked.sum()),
        "different_marked": int((different & marked).sum()),
        "different": int((different & ~marked).sum()),
    }


def labels_of(segments: SegmentColumns) -> npt.NDArray[np.uint32]:
    """Return (N,) the labels of segments."""
    findings = empty_findings(len(segments.ts))
    Engine().analyze(segments, findings)
    return findings.labels


def _labels_without_overload(kept: SegmentColumns) -> npt.NDArray[np.uint32]:
    """Return (N,) the labels that the segments have when all of their conversations' segments are there.

    A conversation is a stream of payloads, and the last segment of every ``REPEAT_EVERY`` is the one before it again.
    """
    number = (kept.seq.astype(np.int64) - 1) // PAYLOAD_BYTES
    order = np.lexsort((np.arange(len(number)), kept.sport))
    again = np.zeros(len(number), np.bool_)
    same = (np.diff(number[order]) == 0) & (np.diff(kept.sport[order].astype(np.int64)) == 0)
    again[order[1:]] = same & (number[order[1:]] % (REPEAT_EVERY - 1) == REPEAT_EVERY - 2)
    return np.where(again, np.uint32(Label.RETRANSMISSION), np.uint32(0))


def main() -> int:
    """Measure as the command line says, and print it as JSON; 1 if a label differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.sensor_rate", description=__doc__)
    parser.add_argument("--lowest", type=int, default=50_000, help="packets a second [50000]")
    parser.add_argument("--highest", type=int, default=1_250_000, help="packets a second [1250000]")
    parser.add_argument("--steps", type=int, default=6, help="how often the range is halved [6]")
    parser.add_argument("--seconds", type=float, default=5, help="how long each [5]")
    parser.add_argument("--flows", type=int, default=4096, help="conversations, a power of two [4096]")
    parser.add_argument("--buffer-size", default="64m", help="the kernel's ring [64m]")
    parser.add_argument("--overload", type=int, default=0, metavar="RATE", help="offer this, and look for no rate")
    chosen = parser.parse_args()
    measured: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, rig(Path(folder), chosen.buffer_size, chosen.flows) as made:
        rate = chosen.overload
        if not rate:
            attempts = highest_rate(made, chosen.lowest, chosen.highest, chosen.seconds, chosen.steps)
            highest = max((one["offered_a_second"] for one in attempts if one["whole"]), default=chosen.lowest)
            measured = {"attempts": attempts, "highest_rate_without_drop": highest}
            rate = 2 * highest
        measured["overload"] = overload(made, rate, chosen.seconds)
    sys.stdout.write(f"{json.dumps(measured, indent=2)}\n")
    return int(measured["overload"]["different"] > 0)


if __name__ == "__main__":
    sys.exit(main())
