"""Live capture says what a file says: the sensor beside tcpdump, on both sides of a router that loses packets."""

import shutil
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ingest.capture.reader import open_capture
from segwatch.cli.main import run
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality
from tests.live.dumps import SNAPLEN, dumping
from tests.live.namespaces import CLIENT_SIDE, SERVER_ADDRESSES, SERVER_SIDE, network
from tests.live.recorded import sessions, statuses, write_labels
from tests.live.recorder import Recording, arguments
from tests.live.traffic import Talk, serving
from tests.pipeline.published import decoded

LONGEST_FRAME = 1500 + 22
"""Of an interface with the usual MTU: Ethernet with two tags."""
ONE_SECOND = 1_000_000_000


def labels_of_file(capture: Path) -> list[str]:
    """Return what ``segwatch labels`` says of a file."""
    made = capture.with_suffix(".tsv")
    assert run(["labels", str(capture), "--output", str(made)]) == 0
    return made.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("loss", [False, True])
def test_labels_of_live_traffic_equal_those_of_the_file(tmp_path: Path, loss: bool) -> None:
    sides = (CLIENT_SIDE, SERVER_SIDE)
    with network(tmp_path) as net:
        if shutil.which("tcpdump") is None:
            pytest.skip("the comparison needs tcpdump")
        if loss:
            net.lose_packets(net.router)
        net.start(net.server, *serving(SERVER_ADDRESSES), ready="listening")
        recording = Recording(list(sides), {"capture_filter": "tcp", "snaplen": SNAPLEN})
        sensor = net.start(net.router, *arguments(tmp_path / "messages", recording), ready=f"Capturing {sides[1]}")
        dumps = [
            net.start(net.router, *dumping(side, tmp_path / f"{side}.pcap"), ready="listening on") for side in sides
        ]
        net.run(net.client, *Talk(SERVER_ADDRESSES).command())
        for host in (net.client, net.server):  # a FIN that was lost is sent again after the program's end
            net.wait(lambda host=host: net.has_silent_connections(host), sensor)
        net.stop(sensor)
        recorded = {one.interface: one for one in sessions(tmp_path / "messages")}
        for side, dump in zip(sides, dumps, strict=True):
            # tcpdump that is told to end forgets what the kernel has not handed over yet.
            frames = len(recorded[side].segments.ts)
            net.wait(lambda path=tmp_path / f"{side}.pcap", count=frames: len(decoded(path).ts) >= count, dump)
            net.stop(dump, signal.SIGINT)
    ends = {one.interface: one for one in statuses(tmp_path / "messages") if one.state == "stopping"}
    assert set(recorded) == set(ends) == set(sides)
    for side in sides:
        segments, end = recorded[side].segments, ends[side]
        assert (end.kernel_drops, end.shed_segments, end.undecoded, end.problem) == (0, 0, 0, "")
        assert end.segments == end.frames == len(segments.ts)
        assert loss or (end.seen_twice, end.one_way_conversations) == (0, 0)
        capture = tmp_path / f"{side}.pcap"
        long = frames_above(capture, LONGEST_FRAME)
        assert end.super_segments == len(long)
        assert segments.frame[(segments.quality & np.uint32(Quality.SUPER_SEGMENT)) != 0].tolist() == long
        live = write_labels(with_stamps_of(capture, segments), tmp_path / "live.tsv")
        file = labels_of_file(capture)
        check_same(live, file)
        column = file[0].split("\t").index("labels")
        seen = Counter(name for line in file[1:] for name in line.split("\t")[column].split(","))
        if loss:
            assert seen["retransmission"] + seen["fast_retransmission"] + seen["out_of_order"], seen


def with_stamps_of(capture: Path, segments: SegmentColumns) -> SegmentColumns:
    """Return the segments with the times of a file.

    The kernel stamps a packet anew for every socket that captures it, some microseconds apart.
    """
    stamps = decoded(capture).ts
    assert len(stamps) == len(segments.ts)
    assert np.abs(stamps - segments.ts).max() < ONE_SECOND
    return segments._replace(ts=stamps)


def frames_above(capture: Path, size: int) -> list[int]:
    """Return the numbers of the frames of a capture that were longer than ``size`` bytes."""
    with open_capture(capture) as reader:
        found = []
        while (frames := reader.read(10_000)) is not None:
            found += frames.frame[frames.wirelen > size].tolist()
        return found


def check_same(live: list[str], file: list[str]) -> None:
    """See that the lines are the same."""
    assert len(live) == len(file)
    assert live[0] == file[0]
    different = [(one, other) for one, other in zip(live, file, strict=True) if one != other]
    assert different == [], (len(different), live[0])
