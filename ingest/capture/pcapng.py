"""pcapng (``draft-ietf-opsawg-pcapng``), read as Wireshark's ``wiretap/pcapng.c`` does."""

import struct

import numpy as np
import numpy.typing as npt

from ingest.capture.indexing import (
    DAMAGED,
    FULL,
    MAXIMUM_RECORD,
    MORE,
    STRUCTURE,
    DamagedError,
    Progress,
    largest_frame,
    load_ordered_16,
    load_ordered_32,
    registered_link_type,
)
from ingest.capture.resolution import RESOLUTION_FIELDS, nanoseconds_since_1970, resolution_fields
from segwatch.compilation import kernel
from segwatch.errors import InputError
from segwatch.records.frames import FrameColumns

SECTION_HEADER = 0x0A0D0D0A
"""Block type; it reads the same in both byte orders."""
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
JOURNAL_EXPORT = 9
SYSDIG_EVENT = 0x204
SYSDIG_EVENT_V2 = 0x216
SYSDIG_EVENT_V2_LARGE = 0x221
CUSTOM = 0x0BAD
CUSTOM_NOT_COPIED = 0x40000BAD

BYTE_ORDER_MAGIC = 0x1A2B3C4D
OPTION_END = 0
OPTION_TIME_RESOLUTION = 9
OPTION_TIME_OFFSET = 14

BLOCK_FRAME = 12
"""Bytes of a block around its body: type and length before, the length again behind."""

# Fields of an interface in the indexer's table, after those of its time resolution.
LINK_TYPE, SNAPLEN, LARGEST_FRAME, USED, INTERFACE_FIELDS = range(RESOLUTION_FIELDS, RESOLUTION_FIELDS + 5)

BLOCK_TOO_SHORT, BLOCK_TOO_LONG, TRAILER_DIFFERS, NO_SUCH_INTERFACE, FRAME_TOO_LARGE, FRAME_BEYOND_BLOCK = range(
    DAMAGED, DAMAGED + 6
)


class PcapngFormat:
    """A pcapng file; sections may differ in byte order, interfaces in link type and time resolution."""

    header_bytes = 0

    def __init__(self, name: str, head: bytes) -> None:
        """Look at the first section header in ``head``; raise InputError, with ``name``, where it makes no sense."""
        self._big_endian = False
        self._interfaces = np.zeros((8, INTERFACE_FIELDS), np.int64)
        self._count = 0
        self._link_types: set[int] = set()
        self.snaplen = 0
        try:
            needed = self._section(memoryview(head))
        except DamagedError as error:
            raise InputError(f"{name} is no readable pcapng file: {error}.") from None
        if needed < 0:
            raise InputError(f"{name} is cut short in the header of the pcapng file: there is no frame in it.")
        self.description = "pcapng, " + ("big endian" if self._big_endian else "little endian")

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""
        interfaces = self._interfaces[: self._count]
        return self._link_types | set(interfaces[interfaces[:, USED] != 0, LINK_TYPE].tolist())

    def index(self, columns: FrameColumns, rows: int, start: int, end: int, frame: int) -> Progress:
        """Fill ``columns`` from row ``rows`` on with the whole records between ``start`` and ``end`` of its buffer."""
        interfaces = self._interfaces[: self._count]
        return Progress(*index_pcapng(columns, rows, start, end, frame, self._big_endian, interfaces))

    def structure(self, record: memoryview) -> int:
        """Take a section header or an interface description; return as ``CaptureFormat.structure`` says."""
        (block_type,) = struct.unpack_from(self._order + "I", record)
        return self._section(record) if block_type == SECTION_HEADER else self._interface(record)

    def sentence(self, stop: int, detail: int) -> str:
        """Return in words what is wrong with a block."""
        return {
            BLOCK_TOO_SHORT: f"a block of {detail} bytes is too short for its kind",
            BLOCK_TOO_LONG: f"a block of {detail} bytes is larger than the maximum of {MAXIMUM_RECORD}",
            TRAILER_DIFFERS: f"the two lengths of a block differ, the second is {detail}",
            NO_SUCH_INTERFACE: f"a frame is of interface {detail}, but the section has {self._count} so far",
            FRAME_TOO_LARGE: f"a frame of {detail} bytes is larger than the maximum of its link type",
            FRAME_BEYOND_BLOCK: f"a frame of {detail} bytes is larger than its block",
        }[stop]

    @property
    def _order(self) -> str:
        return ">" if self._big_endian else "<"

    def _section(self, record: memoryview) -> int:
        if len(record) < 16:
            return -16
        for order in "<>":
            length, magic = struct.unpack_from(order + "II", record, 4)
            if magic == BYTE_ORDER_MAGIC:
                break
        else:
            raise DamagedError("the byte order of a section header is unknown")
        length = _whole_block(record, length, order, 28)
        if length < 0:
            return length
        major, minor = struct.unpack_from(order + "HH", record, 12)
        if (major, minor) not in ((1, 0), (1, 2)):
            raise DamagedError(f"a section is of version {major}.{minor}, and only 1.0 can be read")
        self._link_types = self.link_types
        self._big_endian = order == ">"
        self._count = 0
        return length

    def _interface(self, record: memoryview) -> int:
        (length,) = struct.unpack_from(self._order + "I", record, 4)
        length = _whole_block(record, length, self._order, 20)
        if length < 0:
            return length
        link_type, _, snaplen = struct.unpack_from(self._order + "HHI", record, 8)
        link_type = registered_link_type(link_type)
        resolution, offset = self._time_options(record[16 : length - 4])
        if self._count == len(self._interfaces):
            self._interfaces = np.concatenate([self._interfaces, np.zeros_like(self._interfaces)])
        row = [*resolution_fields(resolution, offset), link_type, snaplen, largest_frame(link_type), 0]
        self._interfaces[self._count] = row
        self._count += 1
        self.snaplen = max(self.snaplen, snaplen)
        return length

    def _time_options(self, options: memoryview) -> tuple[int, int]:
        """Return ``if_tsresol`` (6: microseconds, where it is missing) and ``if_tsoffset`` (seconds)."""
        resolution, offset = 6, 0
        position = 0
        while position + 4 <= len(options):
            code, size = struct.unpack_from(self._order + "HH", options, position)
            value = options[position + 4 : position + 4 + size]
            if len(value) < size:
                raise DamagedError(f"an option of {size} bytes is larger than its interface description")
            if code == OPTION_END:
                break
            if code == OPTION_TIME_RESOLUTION and size == 1:
                resolution = value[0]
            elif code == OPTION_TIME_OFFSET and size == 8:
                (offset,) = struct.unpack(self._order + "q", value)
            position += 4 + (size + 3 & ~3)
        return resolution, offset


def _whole_block(record: memoryview, length: int, order: str, least: int) -> int:
    """Return the block's length with its padding, negative where ``record`` does not hold all of it."""
    if length < least:
        raise DamagedError(f"a block of {length} bytes is too short for its kind")
    length = length + 3 & ~3
    if length > MAXIMUM_RECORD:
        raise DamagedError(f"a block of {length} bytes is larger than the maximum of {MAXIMUM_RECORD}")
    if len(record) < length:
        return -length
    (trailer,) = struct.unpack_from(order + "I", record, length - 4)
    if trailer + 3 & ~3 != length:
        raise DamagedError(f"the two lengths of a block differ, the second is {trailer}")
    return length


@kernel
def index_pcapng(
    columns: FrameColumns,
    rows: int,
    start: int,
    end: int,
    frame: int,
    big_endian: bool,
    interfaces: npt.NDArray[np.int64],
) -> tuple[int, int, int, int, int]:
    """Fill rows from whole packet blocks between ``start`` and ``end``; return the fields of Progress.

    Wireshark numbers journal entries, system calls and custom blocks like frames; they get no row here.
    """
    buffer = columns.buffer
    capacity = columns.offset.shape[0]
    position = start
    while rows < capacity:
        if position + BLOCK_FRAME > end:
            return position, rows, frame, MORE, BLOCK_FRAME
        block_type = load_ordered_32(buffer, position, big_endian)
        if block_type in (SECTION_HEADER, INTERFACE_DESCRIPTION):
            return position, rows, frame, STRUCTURE, 0
        total = load_ordered_32(buffer, position + 4, big_endian)
        if total < least_length(block_type):
            return position, rows, frame, BLOCK_TOO_SHORT, total
        length = (total + 3) & ~3
        if length > MAXIMUM_RECORD:
            return position, rows, frame, BLOCK_TOO_LONG, total
        if position + length > end:
            return position, rows, frame, MORE, length
        trailer = load_ordered_32(buffer, position + length - 4, big_endian)
        if (trailer + 3) & ~3 != length:
            return position, rows, frame, TRAILER_DIFFERS, trailer
        if block_type in (ENHANCED_PACKET, SIMPLE_PACKET, OBSOLETE_PACKET):
            stop, detail = index_packet(columns, rows, position, length, block_type, big_endian, interfaces)
            if stop:
                return position, rows, frame, stop, detail
            frame += 1
            columns.frame[rows] = frame
            rows += 1
        elif counts_as_frame(block_type):
            frame += 1
        position += length
    return position, rows, frame, FULL, 0


@kernel
def least_length(block_type: int) -> int:
    """Return the least total length of a block of this type."""
    if block_type in (ENHANCED_PACKET, OBSOLETE_PACKET):
        return 32
    if block_type in (SIMPLE_PACKET, CUSTOM, CUSTOM_NOT_COPIED):
        return 16
    return BLOCK_FRAME


@kernel
def counts_as_frame(block_type: int) -> bool:
    """Return whether Wireshark 4.0 gives a frame number to this block that holds no packet."""
    return block_type in (
        JOURNAL_EXPORT,
        CUSTOM,
        CUSTOM_NOT_COPIED,
        SYSDIG_EVENT,
        SYSDIG_EVENT_V2,
        SYSDIG_EVENT_V2_LARGE,
    )


@kernel
def index_packet(
    columns: FrameColumns,
    row: int,
    position: int,
    length: int,
    block_type: int,
    big_endian: bool,
    interfaces: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Fill all of a row but its number from one packet block; return 0, or a code of damage, and its detail."""
    buffer = columns.buffer
    interface, header = 0, 28
    if block_type == ENHANCED_PACKET:
        interface = load_ordered_32(buffer, position + 8, big_endian)
    elif block_type == OBSOLETE_PACKET:
        interface = load_ordered_16(buffer, position + 8, big_endian)
    else:
        header = 12
    if interface >= interfaces.shape[0]:
        return NO_SUCH_INTERFACE, interface
    properties = interfaces[interface]
    if block_type == SIMPLE_PACKET:
        original = load_ordered_32(buffer, position + 8, big_endian)
        captured = original if properties[SNAPLEN] == 0 else min(original, int(properties[SNAPLEN]))
        time = 0
    else:
        captured = load_ordered_32(buffer, position + 20, big_endian)
        original = load_ordered_32(buffer, position + 24, big_endian)
        time_high = load_ordered_32(buffer, position + 12, big_endian)
        time_low = load_ordered_32(buffer, position + 16, big_endian)
        time = nanoseconds_since_1970(time_high, time_low, properties)
    if captured > properties[LARGEST_FRAME]:
        return FRAME_TOO_LARGE, captured
    if header + captured + 4 > length:
        return FRAME_BEYOND_BLOCK, captured
    properties[USED] = 1
    columns.offset[row] = position + header
    columns.caplen[row] = captured
    columns.wirelen[row] = original
    columns.ts[row] = time
    columns.linktype[row] = properties[LINK_TYPE]
    return 0, 0
