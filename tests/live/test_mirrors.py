"""What a sensor in the wrong place says of itself: packets that it sees twice, conversations that it sees half."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.capture.live.one_way import LEAST_SEGMENTS
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality
from tests.live.namespaces import SERVER_ADDRESSES, SERVER_SIDE, Network, network
from tests.live.recorded import sessions, statuses
from tests.live.recorder import Recording, arguments
from tests.live.traffic import Talk, serving

TCP = {"capture_filter": "tcp"}
SLOW = Talk(SERVER_ADDRESSES, bulk_bytes=20_000, short=3, refused=1, reset=1, slow=2 * LEAST_SEGMENTS)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """Give a network with a server."""
    with network(tmp_path) as made:
        made.start(made.server, *serving(SERVER_ADDRESSES), ready="listening")
        yield made


def rows_with(segments: SegmentColumns, bit: Quality) -> np.ndarray:
    """Return which rows have a bit of ``quality``."""
    return segments.quality & np.uint32(bit) != 0


def test_any_on_a_router_sees_packets_twice(net: Network, tmp_path: Path) -> None:
    """The second time with a lower TTL; what has no identification is not told apart from what was sent again."""
    path = tmp_path / "messages"
    sensor = net.start(net.router, *arguments(path, Recording(["any"], TCP)), ready="Capturing")
    net.run(net.client, *SLOW.command())
    net.stop(sensor)
    ((_, segments),) = sessions(path)
    marked = rows_with(segments, Quality.SEEN_TWICE)
    numbered = (segments.ip_id != 0) & ~rows_with(segments, Quality.IPV6)
    assert len(np.unique(segments.ttl[numbered])) == 2
    received = segments.ttl == segments.ttl[numbered].max()
    # Where the processor was away for longer than a copy may take, one is missed.
    assert np.count_nonzero(marked[numbered]) >= 0.9 * np.count_nonzero(numbered) // 2
    assert not (marked & numbered & received).any()
    assert not (marked & ~numbered).any()
    assert statuses(path)[-1].seen_twice == np.count_nonzero(marked)


@pytest.mark.parametrize("direction", ["in", "both"])
def test_one_direction_of_an_interface_makes_conversations_one_way(
    net: Network, tmp_path: Path, direction: str
) -> None:
    path = tmp_path / "messages"
    recording = Recording([SERVER_SIDE], {**TCP, "direction": direction})
    sensor = net.start(net.router, *arguments(path, recording), ready="Capturing")
    net.run(net.client, *SLOW.command())
    net.stop(sensor)
    ((_, segments),) = sessions(path)
    marked = rows_with(segments, Quality.ONE_WAY)
    end = statuses(path)[-1]
    assert end.seen_twice == 0
    if direction == "both":
        assert (end.one_way_conversations, np.count_nonzero(marked)) == (0, 0)
        return
    # Only those that were slow lasted long enough; each has its own port of the client.
    assert end.one_way_conversations == len(SERVER_ADDRESSES) == len(np.unique(segments.dport[marked]))
    for port in np.unique(segments.dport[marked]):
        mine = segments.dport == port
        assert np.count_nonzero(mine & ~marked) >= LEAST_SEGMENTS - 1
        first = int(np.flatnonzero(mine & marked)[0])
        assert marked[first:][mine[first:]].all()
