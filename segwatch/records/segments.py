"""Segment records: one row per TCP header, header fields only, in capture order."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SACK_EDGES = 8
"""Edges kept of the selective acknowledgement option: four blocks (RFC 2018 section 3)."""
NO_WINDOW_SCALE = -1
"""``wscale`` of a segment without that option."""


class SegmentColumns(NamedTuple):
    """Columns of N segments; row i of every column belongs to one segment.

    Kernels take this tuple as it is. Numbers are in host byte order.
    """

    ts: npt.NDArray[np.int64]
    """(N,) capture time, nanoseconds since 1970-01-01 UTC."""
    frame: npt.NDArray[np.int64]
    """(N,) number of the frame in its capture session, 1-based, counted over all frames."""
    src: npt.NDArray[np.uint64]
    """(N, 2) the 16 bytes of the source address as they are on the wire (IPv4 as ::ffff:a.b.c.d)."""
    dst: npt.NDArray[np.uint64]
    """(N, 2) the 16 bytes of the destination address; of a source-routed packet the final one."""
    sport: npt.NDArray[np.uint16]
    dport: npt.NDArray[np.uint16]
    seq: npt.NDArray[np.uint32]
    """(N,) raw sequence number."""
    ack: npt.NDArray[np.uint32]
    """(N,) raw acknowledgment number field, whether or not the ACK flag is set."""
    flags: npt.NDArray[np.uint16]
    """(N,) the 12 bits after the data offset (``vocabulary.Flag`` and three reserved bits)."""
    window: npt.NDArray[np.uint16]
    """(N,) raw window field."""
    payload_len: npt.NDArray[np.uint32]
    """(N,) payload bytes as the headers and the wire length say, never the captured bytes; 0 where not analysable."""
    ip_id: npt.NDArray[np.uint16]
    """(N,) IPv4 identification; 0 for IPv6."""
    ttl: npt.NDArray[np.uint8]
    """(N,) time to live or hop limit."""
    dscp_ecn: npt.NDArray[np.uint8]
    """(N,) type of service or traffic class octet."""
    wscale: npt.NDArray[np.int8]
    """(N,) shift of the window scale option as sent (0 to 127: 128 and more are stored as 127), -1 without one."""
    mss: npt.NDArray[np.uint16]
    """(N,) maximum segment size option, 0 without one."""
    tsval: npt.NDArray[np.uint32]
    tsecr: npt.NDArray[np.uint32]
    sack: npt.NDArray[np.uint32]
    """(N, 8) left and right edges of up to four blocks; only the first ``sack_count`` blocks have a meaning."""
    sack_count: npt.NDArray[np.uint8]
    """(N,) selective acknowledgement blocks present, 0 to 4."""
    mptcp: npt.NDArray[np.uint8]
    """(N,) multipath TCP option types seen, one bit each: MP_CAPABLE 1, JOIN 2, DSS 4, ADD_ADDR 8, REMOVE_ADDR 16,
    PRIO 32, FAIL 64, FASTCLOSE 128."""
    vlan: npt.NDArray[np.uint16]
    """(N,) identifier of the outermost VLAN tag, 0 without one."""
    tunnel_kind: npt.NDArray[np.uint8]
    """(N,) ``vocabulary.Tunnel``."""
    tunnel_id: npt.NDArray[np.uint32]
    """(N,) VXLAN or GENEVE network, GTP-U tunnel endpoint, GRE key, MPLS label or PPPoE session; 0 without."""
    quality: npt.NDArray[np.uint32]
    """(N,) bits of ``vocabulary.Quality``, and the share of conversations that was kept (``SHARE_MASK``)."""


SEGMENT_TYPES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "ts": (np.int64, ()),
    "frame": (np.int64, ()),
    "src": (np.uint64, (2,)),
    "dst": (np.uint64, (2,)),
    "sport": (np.uint16, ()),
    "dport": (np.uint16, ()),
    "seq": (np.uint32, ()),
    "ack": (np.uint32, ()),
    "flags": (np.uint16, ()),
    "window": (np.uint16, ()),
    "payload_len": (np.uint32, ()),
    "ip_id": (np.uint16, ()),
    "ttl": (np.uint8, ()),
    "dscp_ecn": (np.uint8, ()),
    "wscale": (np.int8, ()),
    "mss": (np.uint16, ()),
    "tsval": (np.uint32, ()),
    "tsecr": (np.uint32, ()),
    "sack": (np.uint32, (SACK_EDGES,)),
    "sack_count": (np.uint8, ()),
    "mptcp": (np.uint8, ()),
    "vlan": (np.uint16, ()),
    "tunnel_kind": (np.uint8, ()),
    "tunnel_id": (np.uint32, ()),
    "quality": (np.uint32, ()),
}
"""Element type and shape after the row dimension, by column."""


def empty_segments(rows: int) -> SegmentColumns:
    """Return uninitialised columns for ``rows`` segments."""
    return SegmentColumns(**{name: np.empty((rows, *shape), dtype) for name, (dtype, shape) in SEGMENT_TYPES.items()})


def take_segments(segments: SegmentColumns, rows: Any) -> SegmentColumns:
    """Return the rows chosen by a slice (views) or by an index array (copies)."""
    return SegmentColumns(*(column[rows] for column in segments))


def join_segments(parts: list[SegmentColumns]) -> SegmentColumns:
    """Return the rows of all parts, one after the other."""
    return SegmentColumns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
