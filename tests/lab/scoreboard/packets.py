"""The packets of a stored capture with what the scoreboard needs of their TCP options."""

import gzip
import struct
from pathlib import Path
from typing import Final, NamedTuple

import dpkt

from tests.lab.endpoint import PORT

_SECOND: Final = 1_000_000_000
_BLOCK: Final = struct.Struct(">II")
_STAMPS: Final = struct.Struct(">II")


class Packet(NamedTuple):
    """A TCP segment. Numbers are as they stand in the header."""

    time: int
    """Nanoseconds since 1970."""
    port: int
    """The client's; it names the connection."""
    by_client: bool
    is_syn: bool
    has_ack: bool
    seq: int
    span: int
    """Sequence numbers that it takes: payload, SYN and FIN."""
    ack: int
    ip_id: int
    stamps: tuple[int, int] | None
    """Timestamp and echo (RFC 7323)."""
    sacks: tuple[tuple[int, int], ...]
    """Blocks of RFC 2018 and 2883, in their order."""
    permits_sacks: bool = False

    @property
    def flow(self) -> tuple[int, bool]:
        """Names the connection and the direction."""
        return self.port, self.by_client


def read(path: Path) -> list[Packet]:
    """Return the packets of a capture, in the order of their frames."""
    with gzip.open(path, "rb") as file:
        return [_packet(time, frame) for time, frame in dpkt.pcap.Reader(file)]


def _packet(time: float, frame: bytes) -> Packet:
    ip = dpkt.ethernet.Ethernet(frame).data
    tcp = ip.data
    is_syn, is_fin = bool(tcp.flags & dpkt.tcp.TH_SYN), bool(tcp.flags & dpkt.tcp.TH_FIN)
    length = ip.len - ip.hl * 4 - tcp.off * 4
    by_client = tcp.dport == PORT
    options = dict(dpkt.tcp.parse_opts(tcp.opts))
    stamps = options.get(dpkt.tcp.TCP_OPT_TIMESTAMP)
    return Packet(
        time=int(time * _SECOND),
        port=tcp.sport if by_client else tcp.dport,
        by_client=by_client,
        is_syn=is_syn,
        has_ack=bool(tcp.flags & dpkt.tcp.TH_ACK),
        seq=tcp.seq,
        span=length + is_syn + is_fin,
        ack=tcp.ack,
        ip_id=ip.id,
        stamps=_STAMPS.unpack(stamps) if stamps else None,
        sacks=tuple(_BLOCK.iter_unpack(options.get(dpkt.tcp.TCP_OPT_SACK, b""))),
        permits_sacks=dpkt.tcp.TCP_OPT_SACKOK in options,
    )
