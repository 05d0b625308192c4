"""The measurements of rates, and that their comparison of labels can fail."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import Quality
from tests.live import flood
from tests.live.flood import PAYLOAD_BYTES, REPEAT_EVERY
from tests.live.namespaces import CLIENT_SIDE, network
from tests.live.recorded import sessions, statuses
from tests.live.recorder import Recording, arguments
from tests.live.sensor_rate import compared, highest_rate, labels_of, overload, rig
from tests.processors.builder import CLIENT, Segment, columns

MANY_FLOWS = 1 << 15
"""So many that some are kept however much is shed."""
FLOWS, ROUNDS = 8, 3 * REPEAT_EVERY


def offered() -> SegmentColumns:
    """Return what a flood offers: one segment of each flow after the other."""
    described = []
    for place in range(FLOWS * ROUNDS):
        number = place // FLOWS
        sent = number - (number + 1) // REPEAT_EVERY
        described.append(
            Segment(
                place / 100, CLIENT, "A", 1 + PAYLOAD_BYTES * sent, 1, PAYLOAD_BYTES, client_port=2000 + place % FLOWS
            )
        )
    return columns(described)


def test_whole_conversations_have_the_labels_that_they_have_without_overload() -> None:
    told = compared(offered(), 1)
    assert (told["different"], told["different_marked"], told["marked_segments"]) == (0, 0, 0)
    assert (told["kept_conversations"], told["kept_segments"]) == (FLOWS, FLOWS * ROUNDS)
    assert np.count_nonzero(labels_of(offered())) == FLOWS * ROUNDS // REPEAT_EVERY


def test_a_lost_segment_is_noticed_and_where_it_was_admitted_counted_apart() -> None:
    rows = take_segments(offered(), np.delete(np.arange(FLOWS * ROUNDS), 10 * FLOWS))
    assert compared(rows, 1)["different"] == 1
    rows.quality[10 * FLOWS :] |= np.uint32(Quality.CAPTURE_LOSS)
    told = compared(rows, 1)
    assert (told["different"], told["different_marked"]) == (0, 1)


def test_only_conversations_kept_at_the_level_are_compared() -> None:
    told = compared(offered(), 4)
    assert told["keep_one_in"] == 4
    assert told["kept_conversations"] < FLOWS
    assert told["kept_segments"] == told["kept_conversations"] * ROUNDS


@pytest.mark.usefixtures("kafka_installed")
def test_rates_are_measured(tmp_path: Path) -> None:
    if shutil.which("ethtool") is None:
        pytest.skip("frames of a BPF program need a receive queue, which ethtool switches on")
    with rig(tmp_path, "64m", 256) as made:
        (attempt,) = highest_rate(made, 10_000, 50_000, 1, 1)
        told = overload(made, 50_000, 1)
    assert attempt["segments"] + attempt["shed_segments"] + attempt["kernel_drops"] == attempt["sent"] > 0
    assert attempt["whole"] is (attempt["segments"] == attempt["sent"])
    assert told["different"] == 0
    assert told["kept_segments"] > 0


def test_shedding_harms_no_conversation_that_is_kept(tmp_path: Path) -> None:
    """More comes than a slow publisher takes."""
    if shutil.which("ethtool") is None:
        pytest.skip("frames of a BPF program need a receive queue, which ethtool switches on")
    options = {"capture_filter": "tcp and net 10.99.0.0/16", "buffer_bytes": 128 << 20}
    slow = Recording([CLIENT_SIDE], options, most_rows=30_000, least_rows=1, seconds_a_row=0.0001)
    with network(tmp_path) as net:
        net.run(net.router, "ethtool", "-K", CLIENT_SIDE, "gro", "on")
        sensor = net.start(net.router, *arguments(tmp_path / "messages", slow), ready="Capturing")
        net.run(net.router, *flood.arguments(CLIENT_SIDE, MANY_FLOWS, 60_000, 4, repeats=True))
        net.stop(sensor)
    (recorded,) = sessions(tmp_path / "messages")
    end = statuses(tmp_path / "messages")[-1]
    told = compared(recorded.segments, max(header.keep_one_in for header in recorded.headers))
    assert end.shed_segments > 0
    assert told["keep_one_in"] > 1
    assert told["kept_segments"] > 0
    assert told["different"] == 0
