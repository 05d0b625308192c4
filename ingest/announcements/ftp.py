"""Connections that an FTP control connection announces (RFC 959 PORT and PASV, RFC 2428 EPRT and EPSV).

Wireshark prepares the conversation of an announced data connection, and its completeness then lacks the SYN
(docs/labels.md). So the first segment of an announced connection is marked ``Quality.ANNOUNCED``. Nothing of the
control connection's text is kept but the announced end. As in Wireshark, only text that reaches dissectors counts
(``sequence``), every announcement serves one connection, and numbers are read leniently.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from ingest.announcements.payload import Rows, captured_payload, conversation_keys, frame_places
from ingest.announcements.sequence import NOT_ANALYSED, Numbers, Segment
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Flag, Quality

FTP_PORT: Final = 21
FTP_DATA_PORT: Final = 20
MOST_PENDING: Final = 1024
"""Announced connections that are waited for, and that were marked; the oldest are forgotten beyond it."""

MOST_CONTROLS: Final = 16384
"""Control connections whose sequence numbers are remembered; the oldest are forgotten beyond it."""

_NUMBERS = rb"(?<!\d)(\d{1,18})" + rb",\s*([+-]?\d{1,18})" * 5
_PASSIVE = re.compile(rb"\A227[ -][^\r\n]*?" + _NUMBERS)
_EXTENDED_PASSIVE = re.compile(rb"\A229[ -][^\r\n(]*\((?:([!-/:-@\[-`{-~])\1{0,2})?[ \t]*(\d{1,18})(?=[^\r\n]*\))")
_ACTIVE = re.compile(rb"\APORT[ ]+[^\r\n]*?" + _NUMBERS)
_EXTENDED_ACTIVE = re.compile(rb"\AEPRT[ ]+([^\d\s])([12])\1([0-9A-Fa-f.:]{2,45})\1(\d{1,5})\1")
_UNREADABLE: Final = int(Quality.HEADER_UNREADABLE)
_SYN: Final = int(Flag.SYN)
_OPENING_MASK: Final = int(Flag.SYN | Flag.ACK)


class _Announced(NamedTuple):
    """One end is known whole; of the other one only the address."""

    address: bytes
    port: int
    other: bytes


def _mapped(address: bytes) -> bytes:
    return b"\0" * 10 + b"\xff\xff" + address


def _host_and_port(numbers: tuple[bytes, ...]) -> tuple[bytes, int]:
    """Return address and port of six decimal numbers; numbers above 255 run over as in Wireshark's arithmetic."""
    first, second, third, fourth, high, low = (int(number) for number in numbers)
    address = (first << 24 | second << 16 | third << 8 | fourth) & 0xFFFFFFFF
    return _mapped(address.to_bytes(4, "big")), (high & 0xFF) << 8 | low & 0xFF


def _announced(text: bytes, source: bytes, destination: bytes, *, request: bool) -> _Announced | None:
    """Read the first line of a control segment's text."""
    if request:
        if match := _ACTIVE.match(text):
            address, _ = _host_and_port(match.groups())
            return _Announced(destination, FTP_DATA_PORT, address)
        if match := _EXTENDED_ACTIVE.match(text):
            try:
                other = ipaddress.ip_address(match[3].decode()).packed
            except ValueError:
                return None
            return _Announced(source, int(match[4]) & 0xFFFF, _mapped(other) if len(other) == 4 else other)
        return None
    if match := _PASSIVE.match(text):
        return _Announced(*_host_and_port(match.groups()), destination)
    if match := _EXTENDED_PASSIVE.match(text):
        return _Announced(source, min(int(match[2]), 0xFFFF), destination)
    return None


class DataConnections:
    """Remembers what was announced, and marks the first segment of each announced connection."""

    def __init__(self) -> None:
        self._pending: dict[_Announced, int] = {}
        self._served: dict[tuple[_Announced, int], int] = {}
        """Announced ends and other ports of the connections that were marked: the initial number, -1 if not known."""
        self._controls: dict[int, Numbers] = {}

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> None:
        """Set ``Quality.ANNOUNCED`` in ``segments``, which were decoded from ``frames``, both in capture order."""
        control = np.flatnonzero((segments.sport == FTP_PORT) | (segments.dport == FTP_PORT))
        control = control[segments.quality[control] & NOT_ANALYSED == 0]
        start = 0
        for row, announced in self._heard(frames, segments, control):
            self._mark_rows(segments, start, row + 1)
            self._pending[announced] = self._pending.pop(announced, 0) + 1
            if len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]
            start = row + 1
        self._mark_rows(segments, start, len(segments.ts))

    def _heard(self, frames: FrameColumns, segments: SegmentColumns, rows: Rows) -> Iterator[tuple[int, _Announced]]:
        """Yield rows that announce a connection, with what they announce."""
        if not len(rows):
            return
        keys = conversation_keys(segments, rows)
        places = frame_places(frames, segments, rows)
        for row, key, place in zip(rows.tolist(), keys.tolist(), places.tolist(), strict=True):
            if not self._is_dissected(segments, row, key):
                continue
            text = captured_payload(frames, place, segments, row)
            request = int(segments.dport[row]) == FTP_PORT
            source = segments.src[row].tobytes()
            announced = _announced(text, source, segments.dst[row].tobytes(), request=request)
            if announced:
                yield row, announced

    def _is_dissected(self, segments: SegmentColumns, row: int, key: int) -> bool:
        """Say whether the payload of a control segment reaches dissectors; numbers count from the first payload on."""
        numbers = self._controls.get(key)
        if numbers is None and not segments.payload_len[row]:
            return False
        segment = Segment.of(segments, row)
        opens = segment.flags & _OPENING_MASK == _SYN
        if numbers is None or (opens and numbers.are_replaced_by(segment)):
            numbers = self._controls[key] = Numbers()
            if len(self._controls) > MOST_CONTROLS:
                del self._controls[next(iter(self._controls))]
        return numbers.gives_to_dissectors(segment, cut=bool(int(segments.quality[row]) & int(Quality.PAYLOAD_CUT)))

    def _mark_rows(self, segments: SegmentColumns, start: int, end: int) -> None:
        """Mark the first segment of each pending connection among the rows from ``start`` to ``end``."""
        if not self._pending or start >= end:
            return
        ports = np.fromiter({announced.port for announced in self._pending}, np.uint16)
        part = slice(start, end)
        candidates = np.isin(segments.sport[part], ports) | np.isin(segments.dport[part], ports)
        candidates &= segments.quality[part] & _UNREADABLE == 0
        for row in (np.flatnonzero(candidates) + start).tolist():
            source, destination = segments.src[row].tobytes(), segments.dst[row].tobytes()
            sport, dport = int(segments.sport[row]), int(segments.dport[row])
            for announced, other_port in (
                (_Announced(source, sport, destination), dport),
                (_Announced(destination, dport, source), sport),
            ):
                if announced in self._pending and self._begins(segments, row, (announced, other_port)):
                    self._use(announced)
                    segments.quality[row] |= int(Quality.ANNOUNCED)
                    break

    def _begins(self, segments: SegmentColumns, row: int, connection: tuple[_Announced, int]) -> bool:
        """Say whether a segment begins a connection: a marked one is begun anew by another initial number alone."""
        opens = int(segments.flags[row]) & _OPENING_MASK == _SYN
        number = int(segments.seq[row]) if opens else -1
        if connection in self._served and (not opens or self._served[connection] == number):
            return False
        self._served[connection] = number
        if len(self._served) > MOST_PENDING:
            del self._served[next(iter(self._served))]
        return True

    def _use(self, announced: _Announced) -> None:
        self._pending[announced] -= 1
        if not self._pending[announced]:
            del self._pending[announced]
