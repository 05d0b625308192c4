"""A sensor on real interfaces: rights, own traffic, interfaces that go and come, overload."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Captured, Ended, Event, Filtered, Intake, Opened
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic
from ingest.capture.live.quality import LINGER_NANOSECONDS
from segwatch.errors import UsageError
from segwatch.vocabulary import SHARE_MASK, SHARE_SHIFT, Quality
from tests.live.namespaces import (
    CLIENT_SIDE,
    PATIENCE_SECONDS,
    SERVER_ADDRESSES,
    SERVER_SIDE,
    Network,
    network,
    skip_unless_possible,
)
from tests.live.recorded import Recorded, kept_at, sessions, statuses
from tests.live.recorder import Recording, arguments
from tests.live.traffic import PORT, Talk, serving

FEW = Talk(SERVER_ADDRESSES, bulk_bytes=20_000, short=5, refused=1, reset=1)
LOSS = np.uint32(Quality.CAPTURE_LOSS)


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    """Give a network with a server."""
    with network(tmp_path) as made:
        made.start(made.server, *serving(SERVER_ADDRESSES), ready="listening")
        yield made


def test_without_the_right_a_sentence_says_what_to_do(net: Network, tmp_path: Path) -> None:
    script = """
import sys
from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Captured, Ended, Event, Filtered, Intake, Opened
from ingest.capture.live.options import CaptureOptions
InterfaceCapture(sys.argv[1], CaptureOptions(), Intake(), "").open()
"""
    dropped = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    process = net.start(net.router, *dropped, sys.executable, "-c", script, SERVER_SIDE)
    assert process.wait(60) == 1
    last = net.log(process).splitlines()[-1]
    assert "CAP_NET_RAW" in last
    assert "setcap" in last
    assert "AmbientCapabilities" in last


def test_traffic_to_brokers_is_not_captured(net: Network, tmp_path: Path) -> None:
    """Two brokers have the same port and different addresses; other traffic of theirs is captured."""
    servers = [(address, PORT) for address in SERVER_ADDRESSES]
    recording = Recording([CLIENT_SIDE, "any"], {"capture_filter": "tcp"}, servers)
    sensor = net.start(net.router, *arguments(tmp_path / "messages", recording), ready="Capturing any")
    net.run(net.client, *FEW.command())
    net.stop(sensor)
    first, second = SERVER_ADDRESSES
    clause = f"not (tcp and ((host {first} and port {PORT}) or (host {second} and port {PORT})))"
    assert f"filter: (tcp) and {clause}" in net.log(sensor)
    assert {status.capture_filter for status in statuses(tmp_path / "messages")} == {f"(tcp) and {clause}"}
    recorded = {one.interface: one for one in sessions(tmp_path / "messages")}
    one, every = recorded[CLIENT_SIDE], recorded["any"]
    assert len(one.segments.ts) == 2 * len(SERVER_ADDRESSES) * FEW.refused
    assert len(every.segments.ts) == 2 * len(one.segments.ts)  # it sees them on both sides of the router
    assert talk_with_server(one) == talk_with_server(every) == 0


def test_the_filter_follows_the_brokers() -> None:
    """A broker that was not known at the beginning is left out as soon as it is."""
    skip_unless_possible()
    intake = Intake()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        capture = InterfaceCapture("lo", CaptureOptions(f"port {port}"), intake, "")
        capture.open()
        capture.start()
        converse(server)
        before = events_until(intake, lambda event: isinstance(event, Captured) and event.segments is not None)
        assert isinstance(before[0], Opened)
        capture.exclude(OwnTraffic().clause([("127.0.0.1", port)]))
        (*_, changed) = events_until(intake, lambda event: isinstance(event, Filtered))
        assert changed[1] == f"(port {port}) and not (tcp and ((host 127.0.0.1 and port {port})))"
        converse(server)
        capture.stop()
        after = events_until(intake, lambda event: isinstance(event, Ended))
        assert [event for event in after if isinstance(event, Captured) and event.segments is not None] == []
        capture.join()


def converse(server: socket.socket) -> None:
    """Have a short conversation with ``server``."""
    with closing(socket.create_connection(server.getsockname())) as client, closing(server.accept()[0]) as other:
        client.sendall(b"x")
        other.recv(1)


def events_until(intake: Intake, is_last: Callable[[Event], bool]) -> list[Event]:
    """Return the next events up to one."""
    events: list[Event] = []
    while not events or not is_last(events[-1]):
        event = intake.take(PATIENCE_SECONDS)
        assert event is not None, events
        events.append(event)
    return events


def talk_with_server(recorded: Recorded) -> int:
    """Return how many segments of the server's conversations there are."""
    return int(np.count_nonzero((recorded.segments.sport == PORT) | (recorded.segments.dport == PORT)))


GOING = {
    "down": (("link", "set", "probe", "down"), ("link", "set", "probe", "up")),
    "removed": (("link", "delete", "probe"), ("link", "add", "probe", "type", "veth", "peer", "name", "other")),
    "renamed": (("link", "set", "probe", "name", "elsewhere"), ("link", "set", "elsewhere", "name", "probe")),
}


@pytest.mark.parametrize("what", GOING)
def test_an_interface_that_goes_comes_back_as_a_new_session(net: Network, tmp_path: Path, what: str) -> None:
    going, coming = GOING[what]
    net.ip(net.router, "link", "add", "probe", "type", "veth", "peer", "name", "other")
    for name in ("probe", "other"):
        net.ip(net.router, "link", "set", name, "up")
    recording = Recording(["probe", SERVER_SIDE])
    sensor = net.start(net.router, *arguments(tmp_path / "messages", recording), ready=f"Capturing {SERVER_SIDE}")
    if what == "renamed":
        net.ip(net.router, "link", "set", "probe", "down")
        net.wait(lambda: "Waiting for it" in net.log(sensor), sensor)
    net.ip(net.router, *going)
    net.wait(lambda: "Waiting for it" in net.log(sensor), sensor)
    net.wait(lambda: any(one.state == "failed" for one in statuses(tmp_path / "messages")), sensor)
    net.run(net.client, *FEW.command())  # the other interface is captured all the same
    net.ip(net.router, *coming)
    net.ip(net.router, "link", "set", "probe", "up")
    net.wait(lambda: net.log(sensor).count("Capturing probe") == 2, sensor)
    net.stop(sensor)
    recorded = sessions(tmp_path / "messages")
    assert sorted(one.interface for one in recorded) == ["probe", "probe", SERVER_SIDE]
    assert [talk_with_server(one) > 0 for one in sorted(recorded, key=lambda one: one.interface)] == [
        False,
        False,
        True,
    ]
    said = [one for one in statuses(tmp_path / "messages") if one.interface == "probe"]
    (problem, *_) = {one.problem for one in said if one.state == "failed"}
    assert problem.startswith("probe ")
    assert said[-1].state == "stopping"
    assert said[-1].problem == ""


def test_overload_sheds_whole_conversations(net: Network, tmp_path: Path) -> None:
    """A publisher that is far too slow gets all of some conversations; what it does not get is admitted."""
    tcp = {"capture_filter": "tcp"}
    overload = Recording([SERVER_SIDE], tcp, most_rows=6000, least_rows=1, seconds_a_row=0.001)
    slow = net.start(net.router, *arguments(tmp_path / "slow", overload), ready="Capturing")
    whole = net.start(net.router, *arguments(tmp_path / "whole", Recording([SERVER_SIDE], tcp)), ready="Capturing")
    # The second talk meets what the first one made: a sensor that keeps a share. How soon it does is the machine's.
    for _ in range(2):
        net.run(net.client, *Talk(SERVER_ADDRESSES, bulk_bytes=100_000, short=1500, refused=0, reset=0).command())
        net.wait(lambda: any(one.keep_one_in > 1 for one in statuses(tmp_path / "slow")), slow)
    net.stop(whole)
    net.stop(slow)
    (shed,), (complete,) = sessions(tmp_path / "slow"), sessions(tmp_path / "whole")
    end = statuses(tmp_path / "slow")[-1]
    assert end.kernel_drops == 0
    assert end.shed_segments > 0
    assert end.segments + end.shed_segments == end.frames == len(complete.segments.ts)
    levels = {header.keep_one_in for header in shed.headers}
    assert max(levels) > 1
    shares = set((1 << ((shed.segments.quality & np.uint32(SHARE_MASK)) >> np.uint32(SHARE_SHIFT))).tolist())
    assert max(shares) > 1
    assert shares <= levels
    assert not (complete.segments.quality & np.uint32(SHARE_MASK)).any()
    always, got = (kept_at(segments, max(levels)) for segments in (complete.segments, shed.segments))
    assert len(always.ts) < len(complete.segments.ts)
    missing = always.ts[~np.isin(always.frame, got.frame)]
    spoilt = np.zeros(len(got.ts), np.bool_)
    for time in missing:
        spoilt |= (got.ts > time) & (got.ts <= time + LINGER_NANOSECONDS)
    assert np.all(got.quality[spoilt] & LOSS)


def test_drops_of_the_kernel_are_counted_and_rows_near_them_marked(net: Network, tmp_path: Path) -> None:
    options = {"capture_filter": "tcp", "buffer_bytes": 1 << 20}
    sensor = net.start(
        net.router, *arguments(tmp_path / "messages", Recording([SERVER_SIDE], options)), ready="Capturing"
    )
    net.run(net.client, *FEW.command())
    net.wait(lambda: any(one.segments for one in statuses(tmp_path / "messages")), sensor)
    sensor.send_signal(signal.SIGSTOP)
    net.run(net.client, *Talk(SERVER_ADDRESSES, bulk_bytes=1 << 20, short=1000).command())
    sensor.send_signal(signal.SIGCONT)
    net.run(net.client, *FEW.command())
    net.stop(sensor)
    ((headers, segments),) = sessions(tmp_path / "messages")
    end = statuses(tmp_path / "messages")[-1]
    assert end.kernel_drops > 0
    assert sum(header.kernel_drops for header in headers) == end.kernel_drops
    marked = (segments.quality & LOSS) != 0
    assert not marked[0]
    assert marked[-1]
    assert np.all(np.diff(marked.astype(int)) >= 0)


@pytest.mark.parametrize(
    ("interface", "capture_filter", "sentence"),
    [
        ("nosuch", "", "there is no interface nosuch: segwatch interfaces lists them."),
        ("lo", "foo bar", "the filter 'foo bar' cannot be used on lo: "),
    ],
)
def test_what_cannot_be_captured_is_said_in_a_sentence(interface: str, capture_filter: str, sentence: str) -> None:
    skip_unless_possible()
    with pytest.raises(UsageError, match=f"^{sentence}"):
        InterfaceCapture(interface, CaptureOptions(capture_filter), Intake(), "").open()
