"""Kafka goes away under live traffic: what was captured meanwhile waits on disk, and nothing is shed for it."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from ingest.publish.spool.file import spool_paths
from segwatch.kafka.admin import create_topics
from segwatch.kafka.broker.local import LocalBroker
from segwatch.messages.status import SensorStatus
from segwatch.records.segments import join_segments
from tests.live.namespaces import SERVER_ADDRESSES, SERVER_SIDE, Network, network
from tests.live.outage import outage_trial
from tests.live.spooled import spooled_bytes
from tests.live.traffic import Talk, serving
from tests.pipeline.published import Message, message_count, sessions, statuses

PARTITIONS = 3
AWAY_SECONDS = 10
TALK = Talk(SERVER_ADDRESSES, bulk_bytes=200_000, short=200)


class Rig(NamedTuple):
    """Traffic through a router that has a broker of its own, and may have a sensor."""

    net: Network
    broker: LocalBroker
    spool: Path

    def sensor(self) -> list[str]:
        """Return the command line of a sensor."""
        return [
            sys.executable, "-m", "segwatch", "sensor", "--interface", SERVER_SIDE, "--allow-root", "--name", "edge",
            "--filter", "tcp", "--buffer-size", "128m", "--kafka", self.broker.address.bootstrap,
            "--spool", str(self.spool),
        ]  # fmt: skip

    def talk(self) -> None:
        """Let the client do something."""
        self.net.run(self.net.client, *TALK.command())


@pytest.fixture
def rig(kafka_installed: None, tmp_path: Path) -> Iterator[Rig]:
    """Give traffic and a broker."""
    with network(tmp_path) as net, net.inside(net.router):
        net.start(net.server, *serving(SERVER_ADDRESSES), ready="listening")
        broker = LocalBroker(tmp_path / "kafka")
        try:
            create_topics(broker.start(), PARTITIONS)
            yield Rig(net, broker, tmp_path / "spool")
        finally:
            broker.stop()


def check_whole(messages: dict[int, list[Message]], said: list[SensorStatus]) -> None:
    """See that every frame of a session is there once, in order, and that the sensor says so."""
    assert set(messages) == set(range(PARTITIONS))
    for made in messages.values():
        headers = [header for header, _ in made]
        assert [header.batch for header in headers] == list(range(len(made)))
        assert [header.last for header in headers] == [False] * (len(made) - 1) + [True]
        assert {header.keep_one_in for header in headers} == {1}
        assert np.all(np.diff(join_segments([segments for _, segments in made]).frame.astype(np.int64)) > 0)
    rows = join_segments([segments for made in messages.values() for _, segments in made])
    assert np.array_equal(np.sort(rows.frame), np.arange(1, len(rows.ts) + 1))
    last = said[-1]
    assert (last.state, last.frames, last.segments) == ("stopping", len(rows.ts), len(rows.ts))
    assert (last.kernel_drops, last.shed_segments, last.dropped_segments) == (0, 0, 0)


def test_live_traffic_of_an_outage_arrives_whole_and_in_order(rig: Rig) -> None:
    net = rig.net
    sensor = net.start(net.router, *rig.sensor(), ready=f"Capturing {SERVER_SIDE}")
    rig.talk()
    net.wait(lambda: message_count(rig.broker.address) > 0, sensor)
    rig.broker.kill()
    begin, spooled = time.monotonic(), 0
    while time.monotonic() - begin < AWAY_SECONDS:
        rig.talk()
        spooled = max(spooled, spooled_bytes(rig.spool))
    assert spooled > 0
    rig.broker.start()
    rig.talk()
    net.stop(sensor)
    assert "segments go to the spool" in net.log(sensor)
    assert "answers again" in net.log(sensor)
    assert spool_paths(rig.spool) == []
    ((session, messages),) = sessions(rig.broker.address).items()
    said = statuses(rig.broker.address, session)
    check_whole(messages, said)
    assert said[-1].published_segments == said[-1].segments


def test_a_sensor_starts_and_ends_while_kafka_is_away(rig: Rig) -> None:
    """Its spool knows the topic from an earlier start; the next start sends what this one captured."""
    net = rig.net
    net.stop(net.start(net.router, *rig.sensor(), ready=f"Capturing {SERVER_SIDE}"))
    earlier = set(sessions(rig.broker.address))
    rig.broker.kill()
    away = net.start(net.router, *rig.sensor(), ready=f"Capturing {SERVER_SIDE}")
    rig.talk()
    net.stop(away)
    assert "messages stay in the spool" in net.log(away)
    rig.broker.start()
    after = net.start(net.router, *rig.sensor(), ready=f"Capturing {SERVER_SIDE}")
    net.wait(lambda: not any(path.stat().st_size for path in spool_paths(rig.spool)), after)
    net.stop(after)
    assert "messages that an earlier start left" in net.log(after)
    found = sessions(rig.broker.address)
    (session,) = [one for one, made in found.items() if one not in earlier and rows_in(made)]
    for made in found[session].values():
        assert [header.batch for header, _ in made] == list(range(len(made)))
    rows = join_segments([segments for made in found[session].values() for _, segments in made])
    assert np.array_equal(np.sort(rows.frame), np.arange(1, len(rows.ts) + 1))
    assert f"{SERVER_SIDE}: {len(rows.ts):,} segments" in net.log(away)


def rows_in(messages: dict[int, list[Message]]) -> int:
    """Return how many segments there are."""
    return sum(len(segments.ts) for made in messages.values() for _, segments in made)


@pytest.mark.usefixtures("kafka_installed")
@pytest.mark.parametrize("spool_bytes", [1 << 30, 1 << 20], ids=["room", "no room"])
def test_fifty_thousand_packets_a_second_through_an_outage(tmp_path: Path, spool_bytes: int) -> None:
    result = outage_trial(tmp_path, 15, 50_000, spool_bytes)
    assert result["faults"] == [], result
    assert result["sent"] > 0
    assert (result["given up by the spool"] > 0) is (spool_bytes < 1 << 30), result
