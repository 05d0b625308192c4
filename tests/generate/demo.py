"""The capture that comes with segwatch: three minutes on a small network where several things go wrong.

``10.20.0.0/16`` is the office; ``192.0.2.0/24``, ``198.51.100.0/24`` and ``2001:db8::/32`` are outside.
"""

import gzip
import ipaddress
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.generate import episodes as play
from tests.generate import wire
from tests.generate.packets import CLIENT, CONVERSATION, SERVER, Conversations, Layout, Packets
from tests.generate.script import ACK, FIN, PSH, RST, SEGMENT, SYN, Script, close_connection, open_connection, transfer
from tests.generate.traffic import START

SNAPLEN = 96
SECOND = 1_000_000
WALK_THROUGH = Path(__file__).resolve().parent.parent / "data" / "cases" / "seed-article.pcap"
"""A conversation of 38 packets over a lossy path, joined to the capture as it is, at second 30."""
WALK_THROUGH_START = 30 * SECOND

Story = Callable[[Script, np.random.Generator], None]


def healthy_download(script: Script, rng: np.random.Generator) -> None:
    """Play an ordinary page."""
    open_connection(script, 18_000)
    play.request(script, rng)
    script.wait(SECOND)
    transfer(script, int(rng.integers(6, 30)), windows=[502, 501, 500])
    close_connection(script, 18_000)


def slow_backup_server(script: Script, rng: np.random.Generator) -> None:
    """Play a server that cannot write as fast as it is sent to: its window fills up and closes, again and again."""
    open_connection(script, 900)
    for attempt in range(6):
        transfer(script, 40, CLIENT, windows=[400, 300, 200, 100])
        script.acknowledge(SERVER, window=20)
        script.segment(CLIENT, SEGMENT, after=200)
        script.segment(CLIENT, (20 << 7) - SEGMENT, ACK | PSH)
        script.acknowledge(SERVER, window=0, after=400)
        for doubling in range(3):
            probe = script.segment(CLIENT, 1, after=400_000 << doubling, delivered=False)
            script.next[CLIENT] = probe
            script.acknowledge(SERVER, window=0, after=500)
        script.acknowledge(SERVER, window=600, after=int(rng.integers(1, 4)) * SECOND + attempt)
    close_connection(script, 900)


def lossy_path(script: Script, rng: np.random.Generator) -> None:
    """Play a download over a path that loses one segment in thirty."""
    open_connection(script, 85_000)
    script.segment(CLIENT, 420, ACK | PSH)
    script.acknowledge(SERVER, after=85_000)
    for _ in range(14):
        transfer(script, int(rng.integers(10, 24)))
        trouble = [play.lost_after_capture, play.lost_before_capture, play.timed_out][int(rng.integers(0, 3))]
        trouble(script, rng)
        script.wait(int(rng.integers(1, 5)) * SECOND)
    play.spurious(script, rng)
    close_connection(script, 85_000)


def reordering_path(script: Script, rng: np.random.Generator) -> None:
    """Play a load balancer that spreads one connection over two links."""
    open_connection(script, 24_000)
    script.segment(CLIENT, 300, ACK | PSH)
    script.acknowledge(SERVER, after=24_000)
    for _ in range(25):
        transfer(script, int(rng.integers(4, 12)))
        play.reordered(script, rng)
    close_connection(script, 24_000)


def refused_port(script: Script, rng: np.random.Generator) -> None:
    """Play a port where nobody listens."""
    play.refused(script, rng)


def filtered_port(script: Script, rng: np.random.Generator) -> None:
    """Swallow the SYN in a firewall."""
    play.unanswered(script, rng)


def handshake_aborted(script: Script, rng: np.random.Generator) -> None:
    """Play a port scan: the client resets as soon as it is answered."""
    script.segment(CLIENT, flags=SYN, window=1024, layout=Layout.NONE)
    script.segment(SERVER, flags=SYN | ACK, window=64240, layout=Layout.NONE, after=400)
    script.segment(CLIENT, flags=RST, window=0, layout=Layout.NONE, after=50)


def server_aborts(script: Script, rng: np.random.Generator) -> None:
    """Let the server process die in the middle of an answer, which it says twice."""
    open_connection(script, 1_100)
    play.request(script, rng)
    transfer(script, 9)
    script.segment(SERVER, flags=RST | ACK, window=0, layout=Layout.NONE, after=70_000)
    script.segment(CLIENT, 120, ACK | PSH, after=3_000, delivered=False)
    script.segment(SERVER, flags=RST, window=0, layout=Layout.NONE, after=600)


def client_aborts(script: Script, rng: np.random.Generator) -> None:
    """Let the user close the page."""
    open_connection(script, 31_000)
    transfer(script, 17)
    script.segment(CLIENT, flags=RST | ACK, window=0, layout=Layout.NONE, after=2_000)


def reset_after_close(script: Script, rng: np.random.Generator) -> None:
    """Close at the client while the server still sends: late data is answered with resets."""
    open_connection(script, 15_000)
    transfer(script, 8)
    script.segment(CLIENT, flags=FIN | ACK, after=300)
    for _ in range(2):
        script.segment(SERVER, SEGMENT, after=7_000, delivered=False)
        script.segment(CLIENT, flags=RST, window=0, layout=Layout.NONE, after=30, sequence=script.received[SERVER])


def half_open(script: Script, rng: np.random.Generator) -> None:
    """Restart a host: it knows nothing of the connection that its peer goes on with."""
    script.segment(CLIENT, 64, ACK | PSH, sequence=5_000, acknowledgment=9_000, delivered=False)
    script.segment(SERVER, flags=RST, window=0, layout=Layout.NONE, after=700, sequence=9_000)


def injected_reset(script: Script, rng: np.random.Generator) -> None:
    """Play a reset that the server never sent: wrong sequence number, strange time to live; the transfer goes on."""
    open_connection(script, 40_000)
    transfer(script, 12)
    ahead = script.next[SERVER] + 200_000
    upcoming = script.next[SERVER]
    script.segment(SERVER, flags=RST, window=0, layout=Layout.NONE, sequence=ahead, ttl=121, delivered=False, after=300)
    script.next[SERVER] = upcoming
    transfer(script, 6)
    close_connection(script, 40_000)


def dead_peer(script: Script, rng: np.random.Generator) -> None:
    """Send keep-alives to a host that has gone; after the last one the connection is reset."""
    open_connection(script, 12_000)
    play.request(script, rng)
    play.keep_alive(script, rng)
    script.wait(10 * SECOND)
    for _ in range(4):
        script.segment(SERVER, sequence=script.next[SERVER] - 1, after=10 * SECOND)
    script.segment(SERVER, flags=RST | ACK, window=0, layout=Layout.NONE, after=10 * SECOND)


def idle_then_reset(script: Script, rng: np.random.Generator) -> None:
    """Let a firewall lose patience: after two quiet minutes it resets the connection in the server's name."""
    open_connection(script, 700)
    play.request(script, rng)
    script.segment(SERVER, flags=RST, window=0, layout=Layout.NONE, after=125 * SECOND, ttl=255)


def database_session(script: Script, rng: np.random.Generator) -> None:
    """Play many small questions and answers."""
    open_connection(script, 600)
    for _ in range(60):
        play.request(script, rng)
        script.wait(int(rng.integers(1, 20)) * 100_000)
    close_connection(script, 600)


CAST: tuple[tuple[Story, float, str, int, str, int, int], ...] = (
    (slow_backup_server, 4, "10.20.1.14", 41200, "10.20.0.12", 10000, 0),
    (slow_backup_server, 70, "10.20.1.15", 41873, "10.20.0.12", 10000, 0),
    (lossy_path, 8, "10.20.3.7", 50110, "198.51.100.20", 443, 0),
    (lossy_path, 61, "10.20.3.7", 50162, "198.51.100.20", 443, 0),
    (reordering_path, 20, "2001:db8:20::7", 40022, "2001:db8:ffff::80", 443, 0),
    (refused_port, 15, "10.20.2.9", 39200, "10.20.0.30", 5432, 0),
    (refused_port, 16, "10.20.2.9", 39202, "10.20.0.30", 5432, 0),
    (refused_port, 18, "10.20.2.9", 39204, "10.20.0.30", 5432, 0),
    (refused_port, 22, "10.20.2.9", 39206, "10.20.0.30", 5432, 0),
    (filtered_port, 33, "10.20.2.9", 39300, "192.0.2.99", 8443, 0),
    (filtered_port, 51, "10.20.2.9", 39302, "192.0.2.99", 8443, 0),
    (handshake_aborted, 42, "203.0.113.66", 54321, "10.20.0.40", 22, 0),
    (server_aborts, 37, "10.20.2.31", 47001, "10.20.0.21", 8080, 0),
    (server_aborts, 95, "10.20.2.32", 47044, "10.20.0.21", 8080, 0),
    (client_aborts, 58, "10.20.3.8", 52007, "192.0.2.10", 443, 0),
    (reset_after_close, 64, "10.20.3.9", 52801, "192.0.2.10", 443, 0),
    (half_open, 81, "10.20.1.22", 42424, "10.20.0.21", 8080, 0),
    (injected_reset, 88, "10.20.3.11", 53100, "198.51.100.77", 443, 0),
    (dead_peer, 25, "10.20.3.12", 53777, "192.0.2.25", 993, 0),
    (idle_then_reset, 12, "10.20.1.40", 44040, "10.20.0.50", 6379, 0),
    (healthy_download, 66, "10.20.3.13", 55555, "192.0.2.10", 443, 0),
    (healthy_download, 78, "10.20.3.13", 55555, "192.0.2.10", 443, 0),
    (database_session, 2, "10.20.1.50", 45050, "10.20.0.60", 3306, 42),
    (database_session, 3, "2001:db8:20::51", 45051, "2001:db8:20::60", 3306, 42),
)
"""Story, second of its start, client, server, VLAN. The same four-tuple twice is a port reused."""
BYSTANDERS = 40


def demo_capture(seed: int = 7) -> bytes:
    """Return the bytes of the demonstration capture (pcap, microseconds, Ethernet)."""
    rng = np.random.default_rng(seed)
    cast = list(CAST)
    for number in range(BYSTANDERS):
        server = ("192.0.2.10", "198.51.100.31", "10.20.0.70")[number % 3]
        cast.append(
            (
                healthy_download,
                float(rng.uniform(0, 170)),
                f"10.20.4.{number + 10}",
                40000 + 37 * number,
                server,
                443,
                0,
            )
        )
    conversations = np.zeros(len(cast), CONVERSATION)
    parts = []
    for number, (story, second, client, client_port, server, server_port, vlan) in enumerate(cast):
        _meet(conversations, number, (client, server), (client_port, server_port), vlan)
        conversations["initial"][number] = rng.integers(0, 1 << 32, 2)
        script = Script(now=START + int(second * SECOND))
        story(script, rng)
        parts.append(script.packets(number))
    return _file(np.concatenate(parts), conversations)


def _meet(
    conversations: Conversations, number: int, addresses: tuple[str, str], ports: tuple[int, int], vlan: int
) -> None:
    for side, text in enumerate(addresses):
        address = ipaddress.ip_address(text)
        conversations["address"][number, side, : len(address.packed)] = list(address.packed)
        conversations["ipv6"][number] = address.version == 6
    conversations["port"][number] = ports
    conversations["vlan"][number] = vlan


def _file(packets: Packets, conversations: Conversations) -> bytes:
    packets = packets[np.argsort(packets["time"], kind="stable")]
    data = wire.capture_records(packets, conversations, SNAPLEN).tobytes()
    records = _records(data) + _records(_walk_through())
    records.sort(key=lambda record: struct.unpack_from("<II", record))
    return wire.file_header(SNAPLEN) + b"".join(records)


def _records(data: bytes) -> list[bytes]:
    records, at = [], 0
    while at < len(data):
        following = at + wire.RECORD_HEADER + struct.unpack_from("<I", data, at + 8)[0]
        records.append(data[at:following])
        at = following
    return records


def _walk_through() -> bytes:
    """Return the records of the walk-through, moved in time."""
    data = WALK_THROUGH.read_bytes()
    nanoseconds = struct.unpack_from("<I", data)[0] == 0xA1B23C4D
    records = _records(data[24:])
    unit = 1000 if nanoseconds else 1
    times = [
        seconds * SECOND + fraction // unit
        for seconds, fraction in (struct.unpack_from("<II", record) for record in records)
    ]
    moved = [START + WALK_THROUGH_START + time - times[0] for time in times]
    return b"".join(
        struct.pack("<II", *divmod(time, SECOND)) + record[8:] for time, record in zip(moved, records, strict=True)
    )


def write_demo(path: Path, capture: bytes) -> None:
    """Write the capture, compressed with gzip, without a time in it."""
    path.write_bytes(gzip.compress(capture, 9, mtime=0))
