"""Sun snoop (RFC 1761) and its Shomiti dialect, read as Wireshark's ``wiretap/snoop.c`` does."""

import struct

from ingest.capture.indexing import (
    DAMAGED,
    FULL,
    MAXIMUM_RECORD,
    MORE,
    STANDARD_FRAME,
    DamagedError,
    Progress,
)
from ingest.decode.loads import load_32
from segwatch.compilation import kernel
from segwatch.errors import InputError
from segwatch.records.frames import FrameColumns

MAGIC = b"snoop\0\0\0"
FILE_HEADER = 16
RECORD_HEADER = 24
SHOMITI_TRAILER = 16
"""Bytes of padding in the first record from which on a file is taken for Shomiti's."""

LENGTH_TOO_LARGE, FRAME_BEYOND_RECORD = DAMAGED, DAMAGED + 1

LINK_TYPES = {0: 1, 2: 6, 4: 1, 8: 10, 9: 0, 14: 0, 16: 122, 18: 123, 0x80000005: 226}
"""snoop's data link types (IANA registry) as LINKTYPE_ values: Ethernet, token ring, FDDI, loopback, IP over Fibre
Channel, ATM, ipnet. IP over InfiniBand (26) has a header of its own in snoop, and no LINKTYPE_."""

SHOMITI_LINK_TYPES = {0: 1, 2: 6, 4: 1, 8: 10, 10: 1, 11: 6, 12: 1, 13: 6, 14: 6, 19: 1}
"""The same for Shomiti's own numbers; its radio header (18) is not read."""


class SnoopFormat:
    """A snoop file after its header."""

    header_bytes = FILE_HEADER
    snaplen = 0

    def __init__(self, name: str, head: bytes) -> None:
        """Read the file header; raise InputError, with ``name``, for versions and link types that are unknown."""
        if len(head) < FILE_HEADER:
            raise InputError(f"{name} is cut short in the header of the snoop file: there is no frame in it.")
        version, network = struct.unpack_from(">II", head, 8)
        if not 2 <= version <= 5:
            raise InputError(f"{name} is a snoop file of version {version}; versions 2 to 5 can be read.")
        shomiti = False
        if len(head) >= FILE_HEADER + RECORD_HEADER:
            _, included, record = struct.unpack_from(">III", head, FILE_HEADER)
            shomiti = record >= RECORD_HEADER + included + SHOMITI_TRAILER
        link_type = (SHOMITI_LINK_TYPES if shomiti else LINK_TYPES).get(network)
        if link_type is None:
            raise InputError(f"{name} is a snoop file of link type {network}, which cannot be read.")
        self._link_type = link_type
        self._rows = False
        self.description = "snoop" + (", Shomiti" if shomiti else "")

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""
        return {self._link_type} if self._rows else set()

    def index(self, columns: FrameColumns, rows: int, start: int, end: int, frame: int) -> Progress:
        """Fill ``columns`` from row ``rows`` on with the whole records between ``start`` and ``end`` of its buffer."""
        progress = Progress(*index_snoop(columns, rows, start, end, frame, self._link_type))
        self._rows = self._rows or progress.rows > rows
        return progress

    def structure(self, record: memoryview) -> int:
        """Raise: a snoop file has nothing but frames after its header."""
        raise DamagedError(f"a record of {len(record)} bytes is no frame")

    def sentence(self, stop: int, detail: int) -> str:
        """Return in words what is wrong with a record."""
        if stop == LENGTH_TOO_LARGE:
            return f"a record has a length of {detail} bytes, more than the maximum"
        return f"a frame of {detail} bytes is larger than its record"


@kernel
def index_snoop(
    columns: FrameColumns, rows: int, start: int, end: int, frame: int, link_type: int
) -> tuple[int, int, int, int, int]:
    """Fill rows from whole snoop records between ``start`` and ``end``; return the fields of Progress."""
    buffer = columns.buffer
    capacity = columns.offset.shape[0]
    position = start
    while rows < capacity:
        if position + RECORD_HEADER > end:
            return position, rows, frame, MORE, RECORD_HEADER
        original = load_32(buffer, position)
        captured = load_32(buffer, position + 4)
        record = load_32(buffer, position + 8)
        if max(original, captured) > STANDARD_FRAME:
            return position, rows, frame, LENGTH_TOO_LARGE, max(original, captured)
        if RECORD_HEADER + captured > record:
            return position, rows, frame, FRAME_BEYOND_RECORD, captured
        if record > MAXIMUM_RECORD:
            return position, rows, frame, LENGTH_TOO_LARGE, record
        if position + record > end:
            return position, rows, frame, MORE, record
        frame += 1
        columns.offset[rows] = position + RECORD_HEADER
        columns.caplen[rows] = captured
        columns.wirelen[rows] = original
        columns.ts[rows] = load_32(buffer, position + 16) * 1_000_000_000 + load_32(buffer, position + 20) * 1000
        columns.frame[rows] = frame
        columns.linktype[rows] = link_type
        rows += 1
        position += record
    return position, rows, frame, FULL, 0
