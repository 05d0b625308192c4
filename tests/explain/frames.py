"""Captures of one conversation, made frame by frame."""

from pathlib import Path
from typing import Any

import dpkt

from tests.explain.telling import explained

ENDS = ((10, 0, 0, 1), 40000), ((10, 0, 0, 2), 80)
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


def frame(
    sender: str, seq: int, flags: int, payload: bytes = b"", options: bytes = b"", number: int = 0, **fields: int
) -> bytes:
    """Return a segment of the client or the server in an Ethernet frame; ``number``: IP's identification."""
    (source, port), (target, other) = ENDS if sender == "client" else reversed(ENDS)
    numbers = {"seq": seq, "ack": 1, "win": 8192} | fields
    tcp = dpkt.tcp.TCP(sport=port, dport=other, flags=flags, data=payload, opts=options, **numbers)
    tcp.off = 5 + len(options) // 4
    ip = dpkt.ip.IP(id=number, src=bytes(source), dst=bytes(target), p=dpkt.ip.IP_PROTO_TCP, data=tcp)
    return bytes(dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_IP, data=ip))


def written(folder: Path, *frames: bytes, gap: float = 1) -> Path:
    """Write a capture of frames that come so many seconds apart."""
    path = folder / "capture.pcap"
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file)
        for place, one in enumerate(frames):
            writer.writepkt(one, ts=1_700_000_000 + place * gap)
    return path


def story_of_frames(folder: Path, *frames: bytes) -> dict[str, Any]:
    """Return the story of frames that come a second apart."""
    (story,) = explained(written(folder, *frames), "--stream", "0")["explained"]
    return dict(story)
