"""Connections that an FTP control connection announces (RFC 959 PORT and PASV, RFC 2428 EPRT and EPSV).

Wireshark prepares the conversation of an announced data connection, and its completeness then lacks the SYN
(docs/labels.md). So the first segment of an announced connection is marked ``Quality.ANNOUNCED``. Nothing of the
control connection's text is kept but the announced end.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from ingest.announcements.payload import Rows, captured_payload, frame_places
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

FTP_PORT: Final = 21
FTP_DATA_PORT: Final = 20
MOST_PENDING: Final = 1024
"""Announced connections that are waited for; the oldest are forgotten beyond it."""

_NUMBERS = rb"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})"
_PASSIVE = re.compile(rb"\A227[ -][^\r\n]*?" + _NUMBERS)
_EXTENDED_PASSIVE = re.compile(rb"\A229[ -][^\r\n]*?\(([^\d\s])\1\1(\d{1,5})\1?\)")
_ACTIVE = re.compile(rb"\APORT[ ]+" + _NUMBERS)
_EXTENDED_ACTIVE = re.compile(rb"\AEPRT[ ]+([^\d\s])([12])\1([0-9A-Fa-f.:]{2,45})\1(\d{1,5})\1")


class _Announced(NamedTuple):
    """One end is known whole; of the other one only the address."""

    address: bytes
    port: int
    other: bytes


def _mapped(address: bytes) -> bytes:
    return b"\0" * 10 + b"\xff\xff" + address


def _host_and_port(numbers: tuple[bytes, ...]) -> tuple[bytes, int] | None:
    """Return address and port of six decimal numbers, or None where one is no octet."""
    values = [int(number) for number in numbers]
    if max(values) > 0xFF:
        return None
    return _mapped(bytes(values[:4])), values[4] << 8 | values[5]


def _announced(text: bytes, source: bytes, destination: bytes, *, request: bool) -> _Announced | None:
    """Read the first line of a control segment's text."""
    if request:
        if match := _ACTIVE.match(text):
            end = _host_and_port(match.groups())
            return end and _Announced(destination, FTP_DATA_PORT, end[0])
        if match := _EXTENDED_ACTIVE.match(text):
            try:
                address = ipaddress.ip_address(match[3].decode()).packed
            except ValueError:
                return None
            return _Announced(source, int(match[4]) & 0xFFFF, _mapped(address) if len(address) == 4 else address)
        return None
    if match := _PASSIVE.match(text):
        end = _host_and_port(match.groups())
        return end and _Announced(*end, destination)
    if match := _EXTENDED_PASSIVE.match(text):
        return _Announced(source, int(match[2]) & 0xFFFF, destination)
    return None


class DataConnections:
    """Remembers what was announced, and marks the first segment of each announced connection."""

    def __init__(self) -> None:
        self._pending: dict[_Announced, None] = {}

    def mark(self, frames: FrameColumns, segments: SegmentColumns) -> None:
        """Set ``Quality.ANNOUNCED`` in ``segments``, which were decoded from ``frames``, both in capture order."""
        control = np.flatnonzero((segments.sport == FTP_PORT) | (segments.dport == FTP_PORT))
        speaking = control[segments.payload_len[control] > 0]
        start = 0
        for row, announced in self._heard(frames, segments, speaking):
            self._mark_rows(segments, start, row + 1)
            self._pending.pop(announced, None)
            self._pending[announced] = None
            if len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]
            start = row + 1
        self._mark_rows(segments, start, len(segments.ts))

    def _heard(self, frames: FrameColumns, segments: SegmentColumns, rows: Rows) -> Iterator[tuple[int, _Announced]]:
        """Yield rows that announce a connection, with what they announce."""
        places = frame_places(frames, segments, rows)
        for row, place in zip(rows.tolist(), places.tolist(), strict=True):
            text = captured_payload(frames, place, segments, row)
            request = int(segments.dport[row]) == FTP_PORT
            source = segments.src[row].tobytes()
            announced = _announced(text, source, segments.dst[row].tobytes(), request=request)
            if announced:
                yield row, announced

    def _mark_rows(self, segments: SegmentColumns, start: int, end: int) -> None:
        """Mark the first segment of each pending connection among the rows from ``start`` to ``end``."""
        if not self._pending or start >= end:
            return
        ports = np.fromiter({announced.port for announced in self._pending}, np.uint16)
        part = slice(start, end)
        candidates = np.isin(segments.sport[part], ports) | np.isin(segments.dport[part], ports)
        for row in (np.flatnonzero(candidates) + start).tolist():
            source, destination = segments.src[row].tobytes(), segments.dst[row].tobytes()
            for announced in (
                _Announced(source, int(segments.sport[row]), destination),
                _Announced(destination, int(segments.dport[row]), source),
            ):
                if announced in self._pending:
                    del self._pending[announced]
                    segments.quality[row] |= int(Quality.ANNOUNCED)
                    break
