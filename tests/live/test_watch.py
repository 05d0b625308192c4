"""``segwatch watch`` on live traffic: what it counts, keeps and says at the end."""

import json
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.namespaces import CLIENT_SIDE, SERVER_ADDRESSES, SERVER_SIDE, Network, network
from tests.live.rate import measure
from tests.live.traffic import Talk, serving

SEGWATCH = (sys.executable, "-m", "segwatch")
_SEGMENTS = "SELECT sensor, sum(client_segments + server_segments), uniqExact(session) FROM intervals GROUP BY sensor"


def documents(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects among the lines of a log."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def query(net: Network, statement: str, **environment: str) -> list[list[str]]:
    """Return the rows that the store, which only the router's namespace can reach, gives for a statement."""
    process = net.start(net.router, *SEGWATCH, "query", "--format", "tsv", statement, **environment)
    assert process.wait(60) == 0, net.log(process)
    return [line.split("\t") for line in net.log(process).splitlines()[1:]]


def watch_traffic(net: Network, *options: str, talk: Talk, **environment: str) -> list[dict[str, Any]]:
    """Return what watch printed of traffic between client and server."""
    net.start(net.server, *serving(SERVER_ADDRESSES), ready="listening")
    watch = net.start(
        net.router, *SEGWATCH, "watch", "--allow-root", "--json", "--filter", "tcp", *options,
        ready='"kind": "interval"', **environment,
    )  # fmt: skip
    net.run(net.client, *talk.command())
    net.stop(watch, signal.SIGINT)
    return documents(net.log(watch))


def test_live_traffic_is_counted(tmp_path: Path) -> None:
    talk = Talk(SERVER_ADDRESSES, bulk_bytes=1 << 18, short=30)
    with network(tmp_path) as net:
        *intervals, summary = watch_traffic(net, "--interface", CLIENT_SIDE, talk=talk)
    assert summary["kind"] == "summary"
    assert summary["conversations"] == 2 * (2 + talk.short + 2 * talk.reset + talk.refused)
    assert summary["resets"]["refused"] == 2 * talk.refused
    assert summary["segments"] == summary["frames"] == summary["capture"]["frames"]
    assert summary["capture"]["kernel_drops"] == summary["capture"]["shed_segments"] == 0
    assert summary["payload_bytes"] >= 4 * talk.bulk_bytes
    assert {one["server"] for one in summary["worst_conversations"]} <= set(SERVER_ADDRESSES)
    seen = [one["since_start"]["segments"] for one in intervals]
    assert seen == sorted(seen)


def test_two_interfaces_have_everything_twice(tmp_path: Path) -> None:
    talk = Talk(SERVER_ADDRESSES[:1], bulk_bytes=1 << 16, short=10, refused=1, reset=1)
    with network(tmp_path) as net:
        *_, summary = watch_traffic(net, "--interface", CLIENT_SIDE, "--interface", SERVER_SIDE, talk=talk)
    assert summary["name"] == f"{CLIENT_SIDE}, {SERVER_SIDE}"
    assert summary["conversations"] == 2 * (2 + talk.short + 2 * talk.reset + talk.refused)
    assert summary["hosts"] == 2


def test_history_is_kept_as_a_sensors(tmp_path: Path) -> None:
    talk = Talk(SERVER_ADDRESSES, bulk_bytes=1 << 16, short=10)
    at = {"SEGWATCH_DATA_DIR": str(tmp_path / "data")}
    with network(tmp_path) as net:
        try:
            *_, summary = watch_traffic(net, "--interface", CLIENT_SIDE, "--store", "--name", "here", talk=talk, **at)
            rows = query(net, _SEGMENTS, **at)
            states = query(net, "SELECT interface, state, segments FROM sensors ORDER BY ts", **at)
            refused = query(net, "SELECT count() FROM anomalies WHERE reset = 'refused'", **at)
        finally:
            net.start(net.router, *SEGWATCH, "db", "stop", **at).wait()
    assert rows == [["here", str(summary["segments"]), "1"]]
    assert {interface for interface, _, _ in states} == {CLIENT_SIDE}
    assert (states[0][1], states[-1][1:]) == ("starting", ["stopping", str(summary["segments"])])
    assert refused == [[str(2 * talk.refused)]]
    assert summary["capture"]["lost_rows"] == 0


def test_small_packets_are_all_counted(tmp_path: Path) -> None:
    if shutil.which("ethtool") is None:
        pytest.skip("frames of a BPF program need a receive queue, which ethtool switches on")
    measured = measure(50_000, 2, 256, tmp_path)
    assert measured["captured"] + measured["kernel_drops"] == measured["sent"] > 0
    assert measured["analysed"] + measured["shed_segments"] == measured["captured"]
    assert measured["conversations"] == 256
