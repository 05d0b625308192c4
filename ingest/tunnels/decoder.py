"""The slow, broad decoder: any link type and tunnel, from the outside in, to the TCP headers of a frame."""

from collections import Counter

import numpy as np
import numpy.typing as npt

from ingest.decode.slow_path import ROWS_PER_FRAME
from ingest.decode.status import STATUS_TEXTS, Status
from ingest.decode.transport import decode_tcp
from ingest.tunnels.fragments import FragmentTable, NumberedFragments
from ingest.tunnels.layers import LAYERS
from ingest.tunnels.peers import L2tpPeers
from ingest.tunnels.view import CutError, View
from ingest.tunnels.walk import IpHeader, Kind, Memory, Next, Walk
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

LAYERS_PER_FRAME = 64
"""Headers one inside the other that are followed; more are not found in any network."""
HEADERS_PER_FRAME = 4096
"""Headers that are read of one frame with many payloads."""
SKIP_REASONS = 1024
"""Distinct reasons that are counted; what comes after them is counted under one name."""
TCP = 6
QUOTED_TCP = 16
"""Bytes of a quoted TCP header that have an effect; the classic quote of 8 has none."""
IPV4_MAPPED = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


class TunnelDecoder:
    """Decodes frames one by one; keeps fragments of incomplete datagrams and peers of tunnels between them."""

    def __init__(self) -> None:
        self._memory = Memory(FragmentTable(), NumberedFragments(), L2tpPeers())
        self.skipped: Counter[str] = Counter()
        """Frames without a row, by reason."""

    @property
    def fragments(self) -> FragmentTable:
        """Fragments of incomplete datagrams; its ``dropped`` counts those given up for want of room."""
        return self._memory.fragments

    def decode(
        self, frame_bytes: memoryview, linktype: int, wirelen: int, ts: int, frame: int, out: SegmentColumns, row: int
    ) -> int:
        """Decode one frame and write a row for each TCP header in it, in order.

        Args:
            frame_bytes: the captured bytes.
            linktype: LINKTYPE_ value of the interface.
            wirelen: bytes on the wire.
            ts: capture time, nanoseconds since 1970-01-01 UTC.
            frame: number of the frame in its capture session, 1-based.
            out: columns that the rows go to; up to ``ROWS_PER_FRAME`` rows are written, fewer where they end.
            row: first row to write.

        Returns:
            Rows written. For 0, ``skipped`` has counted the reason. No bytes make this raise.

        """
        data = memoryview(frame_bytes).cast("B")
        walk = Walk(self._memory, LAYERS_PER_FRAME)
        first = View(data, 0, min(len(data), wirelen), wirelen)
        waiting = [(Next(Kind.LINKTYPE, linktype, first), walk)]
        end = min(row + ROWS_PER_FRAME, len(out.ts))
        written = row
        headers = 0
        reason = ""
        while waiting and headers < HEADERS_PER_FRAME:
            headers += 1
            (kind, number, view), walk = waiting.pop()
            if kind is Kind.IP_PROTOCOL and number == TCP and walk.ip is not None:
                if written < end and _write_segment(view, walk, walk.ip, out, written):
                    out.ts[written] = ts
                    out.frame[written] = frame
                    written += 1
                else:
                    reason = walk.reason or "more TCP headers than room for them"
                continue
            waiting.extend(_payloads(kind, number, view, walk))
            reason = walk.reason or reason
        if written == row:
            self._skip(reason or "no payload")
        return written - row

    def _skip(self, reason: str) -> None:
        if reason not in self.skipped and len(self.skipped) >= SKIP_REASONS:
            reason = "other reasons"
        self.skipped[reason] += 1


def _payloads(kind: Kind, number: int, view: View, walk: Walk) -> list[tuple[Next, Walk]]:
    """Read one header; return its payloads, last first, each with the state that it goes on with."""
    walk.layers_left -= 1
    layer = LAYERS.get((kind, number))
    if layer is None:
        walk.reason = f"{kind.value} {number:#06x}"
        return []
    if walk.layers_left < 0:
        walk.reason = "too many headers, one inside the other"
        return []
    try:
        answer = layer(view, walk)
    except CutError:
        walk.reason = "cut before a TCP header"
        return []
    if answer is None:
        return []
    if isinstance(answer, Next):
        return [(answer, walk)]
    return [(payload, walk.fork()) for payload in reversed(answer)]


def _write_segment(view: View, walk: Walk, ip: IpHeader, out: SegmentColumns, row: int) -> bool:
    """Write all columns of a row but time and frame; return whether the header has anything to say."""
    if walk.in_error and view.captured < QUOTED_TCP:
        walk.reason = "TCP header quoted in ICMP that is too short"
        return False
    quality = _quality(walk, ip)
    buffer = np.frombuffer(view.data, np.uint8)
    buffer.setflags(write=False)  # the kernel is compiled once, for frames and for reassembled bytes alike
    status = decode_tcp(out, row, buffer, view.start, view.captured_end, view.wire, quality)
    if status != Status.DECODED:
        walk.reason = STATUS_TEXTS[Status(status)]
        return False
    if quality & (Quality.FRAGMENT | Quality.QUOTED_IN_ICMP):
        out.payload_len[row] = 0
    out.src[row] = _address(ip.source)
    out.dst[row] = _address(ip.destination)
    out.ip_id[row] = ip.identification
    out.ttl[row] = ip.ttl
    out.dscp_ecn[row] = ip.dscp_ecn
    out.vlan[row] = walk.vlan
    out.tunnel_kind[row] = walk.tunnel_kind
    out.tunnel_id[row] = walk.tunnel_id
    return True


def _quality(walk: Walk, ip: IpHeader) -> int:
    """Return the bits of ``Quality`` that the layers around the TCP header decide.

    A sampled header counts as the first fragment of something: it belongs to a conversation but is not analysed.
    """
    quality = 0
    if ip.version == 6:
        quality |= Quality.IPV6
    if ip.total_length_zero:
        quality |= Quality.TOTAL_LENGTH_ZERO
    if walk.reassembled:
        quality |= Quality.REASSEMBLED
    if walk.fragmented or walk.sampled:
        quality |= Quality.FRAGMENT
    if walk.in_error:
        quality |= Quality.QUOTED_IN_ICMP
    return int(quality)


def _address(raw: bytes) -> npt.NDArray[np.uint64]:
    """Return an address as a record keeps it: 16 bytes, IPv4 mapped into IPv6."""
    return np.frombuffer(raw if len(raw) == 16 else IPV4_MAPPED + raw, np.uint64)
