"""A fleet beside one pipeline: a sensor is killed and started again, another one is cut off from Kafka for a while.

In the end what ClickHouse has of each session is compared with what ``segwatch`` says of tcpdump's capture there.
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segwatch.records.segments import SegmentColumns, join_segments
from tests.live.dumps import places_of, restamp
from tests.live.fleet_network import PLACES, FleetNetwork, hub_cluster
from tests.live.fleet_sensors import PATIENCE_SECONDS, Fleet
from tests.live.namespaces import made, skip_without
from tests.live.spooled import spooled_bytes
from tests.pipeline.answers import differences, store_offline
from tests.pipeline.cluster import Cluster
from tests.pipeline.published import decoded, sessions, without_repetitions

KILLED: Final = "router1"
CUT_OFF: Final = "server"
DUMP_SECONDS: Final = 30.0
"""How long tcpdump may take to write what it has captured."""
MOST_LOST_NANOSECONDS: Final = 2_000_000_000
"""A kill loses what was in no message yet (200 ms), and what was not acknowledged in time to be spooled (1 s)."""
_STATES = """
SELECT sensor, interface, session, argMax(state, ts), max(frames), max(segments), max(published_segments),
    max(kernel_drops + interface_drops), max(shed_segments), max(dropped_segments), max(spooled_batches)
FROM sensors GROUP BY ALL
"""


class Session(NamedTuple):
    """A capture session, as it is in Kafka."""

    sensor: str
    interface: str
    session: str
    segments: SegmentColumns
    """In the order of their frames."""
    is_whole: bool
    """Whether it has come to its end."""


class State(NamedTuple):
    """What a session's sensor has said last, as it is in ClickHouse."""

    state: str
    frames: int
    segments: int
    published: int
    """Of all interfaces of the sensor."""
    capture_drops: int
    shed: int
    dropped: int
    spooled: int
    """Messages, the most there were."""


class Times(NamedTuple):
    """When what happened, in nanoseconds since the epoch."""

    killed: int
    captured_again: int
    ended: int


@contextmanager
def running(folder: Path) -> Iterator[tuple[Fleet, Cluster]]:
    """Give a fleet and its pipeline, both at work; this thread is in the hub's network meanwhile."""
    skip_without("ethtool", "tcpdump")
    with made(FleetNetwork(folder)) as net, net.inside(net.hub):
        cluster = hub_cluster(folder)
        try:
            cluster.start()
            for _ in range(2):
                cluster.spawn("processor", "--checkpoint-seconds", "2")
            cluster.spawn("sink")
            fleet = Fleet(net)
            fleet.start()
            yield fleet, cluster
        finally:
            cluster.stop()


def fleet_trial(folder: Path, cut_seconds: float) -> dict[str, Any]:
    """Run a fleet; return what became of each session, and ``faults``: what should not be, in sentences."""
    with running(folder) as (fleet, cluster):
        _wait_for_rows(fleet, cluster, {(place.host,) for place in PLACES})
        told, times = _disturb(fleet, cluster, cut_seconds)
        times = times._replace(ended=fleet.end())
        cluster.wait_until_stored(PATIENCE_SECONDS)
        found, faults = _published(cluster)
        _wait_for_ends(fleet, cluster, found)
        states = _states(cluster)
        shown = []
        for one in found:
            state = states[one.sensor, one.interface, one.session]
            about, wrong = _compared(fleet, cluster, one, state, times)
            shown.append(about)
            faults += wrong
        fleet.end_dumps()
        faults += _told_apart(cluster, found, states)
        different = differences(cluster, [one.session for one in found if not one.is_whole])
        faults += [f"ClickHouse and tcpdump's files differ in {table}: {what}" for table, what in different.items()]
        return {"cut_seconds": cut_seconds, **told, "sessions": shown, "faults": faults}


def _wait_for_rows(fleet: Fleet, cluster: Cluster, sensors: set[tuple[str, ...]]) -> None:
    """Wait until there are rows of all these sensors."""
    exists = "SELECT count() FROM system.tables WHERE name = 'anomalies'"
    fleet.wait(lambda: cluster.query(exists, "system") != [(0,)], CUT_OFF)
    wanted = "SELECT DISTINCT sensor FROM anomalies"
    fleet.wait(lambda: set(cluster.query(wanted)) >= sensors, CUT_OFF)


def _disturb(fleet: Fleet, cluster: Cluster, cut_seconds: float) -> tuple[dict[str, Any], Times]:
    """Cut one sensor off, kill another one meanwhile and start it again, connect the first, and wait for its spool."""
    others = f"SELECT count() FROM anomalies WHERE sensor NOT IN ('{CUT_OFF}', '{KILLED}')"
    spool = fleet.spool(CUT_OFF)
    fleet.net.unplug(CUT_OFF)
    begin, before = time.monotonic(), cluster.query(others)
    killed = fleet.kill(KILLED)
    captured_again = fleet.restart(KILLED)
    fleet.wait(lambda: time.monotonic() - begin > cut_seconds, CUT_OFF, cut_seconds)
    fleet.wait(lambda: spooled_bytes(spool) > 0, CUT_OFF)
    fleet.wait(lambda: cluster.query(others) > before, CUT_OFF)
    spooled = spooled_bytes(spool)
    fleet.net.plug(CUT_OFF)
    cut, back = time.monotonic() - begin, time.monotonic()
    fleet.wait(lambda: spooled_bytes(spool) == 0, CUT_OFF)
    told = {
        "cut off": {
            "sensor": CUT_OFF,
            "seconds": round(cut, 1),
            "spooled_bytes": spooled,
            "seconds until the spool was sent": round(time.monotonic() - back, 1),
        }
    }
    return told, Times(killed, captured_again, 0)


def _published(cluster: Cluster) -> tuple[list[Session], list[str]]:
    """Return what was published of all sessions; numbers of messages and frames have no gaps."""
    found, faults = [], []
    for session, partitions in sorted(sessions(cluster.address).items()):
        made = [without_repetitions(messages) for messages in partitions.values()]
        header = made[0][0][0]
        if any([one.batch for one, _ in kept] != list(range(len(kept))) for kept in made):
            faults.append(f"{header.sensor}/{header.interface}: messages are missing")
        rows = join_segments([segments for kept in made for _, segments in kept])
        order = np.argsort(rows.frame, kind="stable")
        rows = SegmentColumns(*(column[order] for column in rows))
        is_whole = all(kept[-1][0].last for kept in made)
        # A kill may meet messages of some partitions before those of others: see _compared.
        if rows.frame[0] != 1 or (is_whole and not np.array_equal(rows.frame, np.arange(1, len(rows.ts) + 1))):
            faults.append(f"{header.sensor}/{header.interface}: frames are missing")
        found.append(Session(header.sensor, header.interface, session, rows, is_whole))
    return found, faults


def _states(cluster: Cluster) -> dict[tuple[str, str, str], State]:
    """Return what ClickHouse has of the sensors themselves, by sensor, interface and session."""
    rows = cluster.query(_STATES)
    return {
        (sensor, interface, uuid.UUID(str(session)).hex): State(*rest) for sensor, interface, session, *rest in rows
    }


def _wait_for_ends(fleet: Fleet, cluster: Cluster, found: list[Session]) -> None:
    """Wait until ClickHouse has the last state of each session that has come to its end."""
    whole = sum(one.is_whole for one in found)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(state.state == "stopping" for state in _states(cluster).values()) < whole:
        assert time.monotonic() < deadline, cluster.logs()
        time.sleep(0.2)


def _compared(
    fleet: Fleet, cluster: Cluster, one: Session, state: State, times: Times
) -> tuple[dict[str, Any], list[str]]:
    """Store offline what a session should have given; return figures, and what is wrong about what it has captured."""
    path, count = fleet.dump(one.sensor, one.interface), len(one.segments.ts)
    about = {"sensor": one.sensor, "interface": one.interface, "session": one.session, "segments": count}
    name = f"{one.sensor}/{one.interface}"
    places, dumped = _find(path, one.segments)
    if places is None:
        return about, [f"{name}: its {count} segments are not in tcpdump's {len(dumped.ts)}, one by one"]
    target = fleet.net.folder / f"{one.session}.pcap"
    restamp(path, places, one.segments.ts, target)
    store_offline(cluster, [(str(target), one.session)], one.sensor)
    rows = cluster.query(f"SELECT count() FROM anomalies WHERE session = '{uuid.UUID(one.session)}'")
    about |= {"anomalies": rows[0][0], "most messages in the spool": state.spooled}
    faults = [f"{name}: no anomalies"] if rows == [(0,)] else []
    again = one.sensor == KILLED and one.is_whole
    before, after = dumped.ts[: places[0]], dumped.ts[places[-1] + 1 :]
    missed = int((before > times.captured_again).sum()) if again else len(before)
    if one.is_whole:
        missed += int((after < times.ended).sum())
        faults += _whole(name, count, state)
    else:
        between = np.delete(dumped.ts[: places[-1]], places[:-1])[places[0] :]
        lost = np.concatenate([between, after[after < times.killed]])
        if times.killed - lost.min(initial=times.killed) > MOST_LOST_NANOSECONDS:
            faults.append(f"{name}: what the kill lost begins {times.killed - lost.min()} ns before it")
        about["lost by the kill"] = {
            "segments": len(lost),
            "milliseconds before": round(float(times.killed - lost.min()) / 1e6) if len(lost) else 0,
        }
        if count < state.published:
            faults.append(f"{name}: {count} segments, though {state.published} were acknowledged")
    return about, [*faults, f"{name}: {missed} segments were not captured"] if missed else faults


def _find(path: Path, segments: SegmentColumns) -> tuple[NDArray[np.int64] | None, SegmentColumns]:
    """Return where in a dump the segments of a session are, and the dump, as soon as it has all of the session."""
    deadline = time.monotonic() + DUMP_SECONDS
    while True:
        dumped = decoded(path)
        places = places_of(segments, dumped)
        if places is not None or time.monotonic() > deadline:
            return places, dumped
        time.sleep(0.5)


def _whole(name: str, count: int, state: State) -> list[str]:
    """Return what is wrong about the last state of a session that has come to its end, and lost nothing."""
    faults = []
    if (state.state, state.frames, state.segments) != ("stopping", count, count) or state.published < count:
        faults.append(f"{name}: {count} segments, and the sensor says: {state}")
    if state.capture_drops or state.shed or state.dropped:
        faults.append(f"{name}: the sensor admits losses: {state}")
    return faults


def _told_apart(cluster: Cluster, found: list[Session], states: dict[tuple[str, str, str], State]) -> list[str]:
    """Return what is wrong about the sessions: one for each interface, two where the sensor was killed."""
    faults = []
    there = {(one.sensor, one.interface, one.session) for one in found}
    wanted = [(place.host, interface) for place in PLACES for interface in place.interfaces]
    wanted += [(place.host, interface) for place in PLACES if place.host == KILLED for interface in place.interfaces]
    if sorted((sensor, interface) for sensor, interface, _ in there) != sorted(wanted):
        faults.append(f"the sessions are {sorted(there)}")
    if set(states) != there:
        faults.append(f"ClickHouse has states of {sorted(states)}, and Kafka segments of {sorted(there)}")
    if sum(not one.is_whole for one in found) != 1:
        faults.append("there is not one session without an end")
    for table in ("anomalies", "intervals"):
        rows = cluster.query(f"SELECT DISTINCT sensor, session FROM {table}")
        stored = {(sensor, uuid.UUID(str(session)).hex) for sensor, session in rows}
        least = {(one.sensor, one.session) for one in found if one.is_whole or table == "anomalies"}
        if not least <= stored <= {(one.sensor, one.session) for one in found}:
            faults.append(f"{table} has rows of {sorted(stored)}, and Kafka segments of {sorted(there)}")
    return faults
