"""Connections that a SOCKS proxy passes on (SOCKS 4, 4a and 5; RFC 1928, RFC 1929, RFC 1961).

Wireshark shows what a proxy on port 1080 passes on as a conversation of its own, from the client's port to the port
that it asked for. That conversation takes a stream number when the first payload after the handshake is dissected; that
segment gets ``Quality.PROXIED``. What a payload counts as is Wireshark's decision (``handshake``); segments that it
keeps from dissectors, because they were sent before, count as nothing (``sequence``).
"""

from typing import Final

import numpy as np

from ingest.announcements.handshake import Handshake, Progress
from ingest.announcements.payload import (
    Keys,
    Rows,
    captured_payload,
    conversation_keys,
    end_keys,
    frame_places,
)
from ingest.announcements.ports import SOCKS_PORT, TAKES_BINARY
from ingest.announcements.sequence import NOT_ANALYSED, Numbers, Segment
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Quality

MOST_CONNECTIONS: Final = 16384
"""Connections to port 1080, and proxied conversations, that are remembered; the oldest are forgotten beyond it."""

_CUT: Final = int(Quality.PAYLOAD_CUT)
_SYN: Final = int(Flag.SYN)
_OPENING_MASK: Final = int(Flag.SYN | Flag.ACK)


class _Connection:
    """One connection to or from port 1080, until it is settled: then only its initial numbers are of interest."""

    __slots__ = ("handshake", "numbers", "server", "settled")

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.handshake: Handshake | None = None
        self.server: int | None = None
        self.settled = False

    def is_taken(self, sport: int, dport: int) -> bool:
        """Say whether the other port's dissector takes the payload: the server's is asked first, then the lower."""
        other = dport if sport == SOCKS_PORT else sport
        if not TAKES_BINARY[other]:
            return False
        return other == self.server or (self.server != SOCKS_PORT and other < SOCKS_PORT)


class ProxiedConnections:
    """Follows the handshakes on port 1080, and marks the first segment that is passed on."""

    def __init__(self) -> None:
        self._connections: dict[int, _Connection] = {}
        self._proxied: dict[int, None] = {}

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> None:
        """Set ``Quality.PROXIED`` in ``segments``, which were decoded from ``frames``, both in capture order."""
        rows = np.flatnonzero((segments.sport == SOCKS_PORT) | (segments.dport == SOCKS_PORT))
        if not len(rows):
            return
        rows = rows[segments.quality[rows] & NOT_ANALYSED == 0]
        keys = conversation_keys(segments, rows)
        wanted = self._wanted(segments, rows, keys)
        rows, keys = rows[wanted], keys[wanted]
        places = frame_places(frames, segments, rows)
        for row, key, place in zip(rows.tolist(), keys.tolist(), places.tolist(), strict=True):
            connection = self._connections.get(key)
            if connection and connection.settled and not segments.flags[row] & _SYN:
                continue
            if self._passes_on(frames, place, segments, row, key):
                segments.quality[row] |= int(Quality.PROXIED)

    def _wanted(self, segments: SegmentColumns, rows: Rows, keys: Keys) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Choose the rows of conversations that can change: open ones, beginning ones, and settled ones with a SYN."""
        conversations, places = np.unique(keys, return_inverse=True)
        known = [self._connections.get(key) for key in conversations.tolist()]
        is_open = np.fromiter((bool(each and not each.settled) for each in known), np.bool_, len(known))
        is_new = np.fromiter((each is None for each in known), np.bool_, len(known))
        begins, speaks = np.zeros(len(known), np.bool_), np.zeros(len(known), np.bool_)
        begins[places[segments.flags[rows] & _SYN != 0]] = True
        speaks[places[segments.payload_len[rows] > 0]] = True
        contested = np.zeros(len(known), np.bool_)
        contested[places[TAKES_BINARY[segments.sport[rows]] | TAKES_BINARY[segments.dport[rows]]]] = True
        wanted = is_open | (is_new & (speaks | (begins & contested))) | (~is_new & begins)
        return wanted[places]

    def _passes_on(self, frames: FrameColumns, place: int, segments: SegmentColumns, row: int, key: int) -> bool:
        """Follow a connection by one segment; return whether that one makes a proxied conversation."""
        segment = Segment.of(segments, row)
        connection = self._connections.get(key)
        if connection and segment.flags & _OPENING_MASK == _SYN and connection.numbers.are_replaced_by(segment):
            del self._connections[key]
            connection = None
        if connection is None:
            contested = TAKES_BINARY[segment.sport] or TAKES_BINARY[segment.dport]
            if not segment.length and not (segment.flags & _SYN and contested):
                return False
            connection = self._begin(key)
        if connection.settled:
            return False
        if segment.flags & _SYN:
            connection.server = segment.sport if segment.flags & _OPENING_MASK != _SYN else segment.dport
        cut = bool(int(segments.quality[row]) & _CUT)
        if not connection.numbers.gives_to_dissectors(segment, cut=cut):
            return False
        payload = captured_payload(frames, place, segments, row)
        return bool(payload) and self._dissect(connection, segments, row, segment, payload)

    def _begin(self, key: int) -> _Connection:
        connection = self._connections[key] = _Connection()
        if len(self._connections) > MOST_CONNECTIONS:
            del self._connections[next(iter(self._connections))]
        return connection

    def _dissect(
        self, connection: _Connection, segments: SegmentColumns, row: int, segment: Segment, payload: bytes
    ) -> bool:
        """Hand a payload to the handshake; return whether it makes a proxied conversation."""
        if connection.handshake is None:
            if connection.is_taken(segment.sport, segment.dport):
                connection.settled = True
                return False
            connection.handshake = Handshake(payload[0], segment.dport)
        handshake = connection.handshake
        to_server = segment.dport == handshake.server_port
        progress = handshake.follow(payload, segment.length, segment.frame, to_server=to_server)
        connection.settled = progress is not Progress.OPEN
        return progress is Progress.PASSED_ON and self._is_first(segments, row, segment, handshake.port)

    def _is_first(self, segments: SegmentColumns, row: int, segment: Segment, port: int) -> bool:
        """Note a proxied conversation, which has ``port`` instead of the proxy's; return whether it is a new one."""
        if port == SOCKS_PORT:
            return False
        to_proxy = segment.dport == SOCKS_PORT
        ends = [segment.sport, port] if to_proxy else [port, segment.dport]
        addresses = np.stack([segments.src[row], segments.dst[row]])
        one, other = end_keys(addresses, np.array(ends, np.uint16)).tolist()
        key = (one + other) & 0xFFFFFFFFFFFFFFFF
        if key in self._proxied:
            return False
        self._proxied[key] = None
        if len(self._proxied) > MOST_CONNECTIONS:
            del self._proxied[next(iter(self._proxied))]
        return True
