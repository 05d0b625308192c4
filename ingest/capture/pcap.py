"""Classic pcap: ``draft-ietf-opsawg-pcap``, with the variants that Wireshark's ``wiretap/libpcap.c`` reads."""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.capture.indexing import (
    DAMAGED,
    FULL,
    MORE,
    DamagedError,
    Progress,
    largest_frame,
    load_ordered_32,
    registered_link_type,
)
from segwatch.compilation import kernel
from segwatch.errors import InputError
from segwatch.records.frames import FrameColumns

MICROSECONDS_MAGIC = 0xA1B2C3D4
NANOSECONDS_MAGIC = 0xA1B23C4D
MODIFIED_MAGIC = 0xA1B2CD34
IXIA_SOFTWARE_MAGIC = 0x1C0001AB
IXIA_HARDWARE_MAGIC = 0x1C0001AC
MAGICS = (MICROSECONDS_MAGIC, NANOSECONDS_MAGIC, MODIFIED_MAGIC, IXIA_SOFTWARE_MAGIC, IXIA_HARDWARE_MAGIC)

FILE_HEADER = 24
IXIA_FILE_HEADER = 28
FRAME_TOO_LARGE = DAMAGED
FRAME_TOO_SMALL = DAMAGED + 1

# Fields of the layout that the indexer is given.
BIG_ENDIAN, RECORD_HEADER, NANOSECONDS_PER_UNIT, LENGTHS, LINK_TYPE, LARGEST_FRAME, PADDING, LAYOUT_FIELDS = range(8)

# Values of the layout's LENGTHS: before version 2.3 the original length stood first, in 2.3 either order occurs.
CAPTURED_FIRST, ORIGINAL_FIRST, SMALLER_IS_CAPTURED = range(3)

AIX_LINK_TYPES = {6: 1, 9: 6, 15: 10, 24: 0}
"""AIX writes RFC 1573 interface types with version 2.2: Ethernet, token ring, FDDI, loopback."""
LINKTYPE_FDDI = 10
AIX_FDDI_PADDING = 3

GUESSED_RECORDS = 3
"""Records that are tried when the magic number does not tell the variant, as in Wireshark."""
GUESS_BYTES = GUESSED_RECORDS * (32 + 262144)
"""Bytes after the file header that such a guess may look at."""


class Variant(NamedTuple):
    """A layout of record headers."""

    name: str
    header: int
    """Bytes of a record header."""


STANDARD = Variant("", 16)
PATCHED_1999 = Variant("patched by A. Kuznetsov, 1999", 24)
PATCHED_1999_SUSE = Variant("patched by A. Kuznetsov, 1999, SuSE 6.3", 28)
NOKIA = Variant("Nokia", 20)
VARIANTS = {MICROSECONDS_MAGIC: (STANDARD, PATCHED_1999, NOKIA), MODIFIED_MAGIC: (PATCHED_1999, PATCHED_1999_SUSE)}


def pcap_magic(head: bytes) -> tuple[int, str] | None:
    """Return the magic number and the byte order (as for ``struct``) of a file that begins with ``head``."""
    for order in "<>":
        if len(head) >= 4 and (magic := struct.unpack_from(order + "I", head)[0]) in MAGICS:
            return magic, order
    return None


class PcapFormat:
    """A pcap file after its header."""

    def __init__(self, name: str, head: bytes) -> None:
        """Read the file header; ``head`` also holds the first records, as many as fit into GUESS_BYTES.

        Raise InputError, with ``name``, for what Wireshark refuses too.
        """
        found = pcap_magic(head)
        assert found is not None  # noqa: S101 - the caller looked at the magic number
        magic, order = found
        self.header_bytes = IXIA_FILE_HEADER if magic in (IXIA_SOFTWARE_MAGIC, IXIA_HARDWARE_MAGIC) else FILE_HEADER
        if len(head) < self.header_bytes:
            raise InputError(f"{name} is cut short in the header of the pcap file: there is no frame in it.")
        major, minor, _, _, self.snaplen, network = struct.unpack_from(order + "HHiIII", head, 4)
        if major < 2:
            raise InputError(f"{name} is a pcap file of version {major}.{minor}; versions from 2.0 on can be read.")
        if network & 0x03FF0000:
            raise InputError(
                f"{name} is no readable pcap file: reserved bits of its link type are set (0x{network:08x})."
            )
        link_type = network & 0xFFFF
        aix = magic == MICROSECONDS_MAGIC and (major, minor) == (2, 2) and network in AIX_LINK_TYPES
        link_type = AIX_LINK_TYPES[network] if aix else registered_link_type(link_type)
        lengths = _order_of_lengths(major, minor)
        if aix or lengths != CAPTURED_FIRST or magic not in VARIANTS:
            variant = STANDARD
        else:
            variant = _guess_variant(
                head[self.header_bytes :], order, VARIANTS[magic], self.snaplen, largest_frame(link_type)
            )
        nanoseconds = aix or magic in (NANOSECONDS_MAGIC, IXIA_HARDWARE_MAGIC)
        self._layout = np.zeros(LAYOUT_FIELDS, np.int64)
        self._layout[BIG_ENDIAN] = order == ">"
        self._layout[RECORD_HEADER] = variant.header
        self._layout[NANOSECONDS_PER_UNIT] = 1 if nanoseconds else 1000
        self._layout[LENGTHS] = lengths
        self._layout[LINK_TYPE] = link_type
        self._layout[LARGEST_FRAME] = largest_frame(link_type)
        self._layout[PADDING] = AIX_FDDI_PADDING if aix and link_type == LINKTYPE_FDDI else 0
        self._rows = False
        parts = ["pcap", variant.name or ("AIX" if aix else "")]
        parts += ["nanoseconds" if nanoseconds else "microseconds", "big endian" if order == ">" else "little endian"]
        self.description = ", ".join(part for part in parts if part)

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""
        return {int(self._layout[LINK_TYPE])} if self._rows else set()

    def index(self, columns: FrameColumns, rows: int, start: int, end: int, frame: int) -> Progress:
        """Fill ``columns`` from row ``rows`` on with the whole records between ``start`` and ``end`` of its buffer."""
        progress = Progress(*index_pcap(columns, rows, start, end, frame, self._layout))
        self._rows = self._rows or progress.rows > rows
        return progress

    def structure(self, record: memoryview) -> int:
        """Raise: a pcap file has nothing but frames after its header."""
        raise DamagedError(f"a record of {len(record)} bytes is no frame")

    def sentence(self, stop: int, detail: int) -> str:
        """Return in words what is wrong with a record."""
        if stop == FRAME_TOO_LARGE:
            return f"a frame of {detail} bytes is larger than the maximum of {self._layout[LARGEST_FRAME]}"
        return f"a frame of {detail} bytes is too small for its padding"


def _order_of_lengths(major: int, minor: int) -> int:
    if (major, minor) < (2, 3) or major == 543:  # DG/UX writes version 543.0
        return ORIGINAL_FIRST
    return SMALLER_IS_CAPTURED if (major, minor) == (2, 3) else CAPTURED_FIRST


def _guess_variant(records: bytes, order: str, variants: tuple[Variant, ...], snaplen: int, largest: int) -> Variant:
    """Return the variant whose record headers make most sense (wiretap's ``libpcap_try_variants``)."""
    return min(variants, key=lambda variant: _oddities(records, order, variant, snaplen, largest))


def _oddities(records: bytes, order: str, variant: Variant, snaplen: int, largest: int) -> int:
    """Return how many things look wrong in the first records when they are read as this variant."""
    odd = 0
    position = 0
    for _ in range(GUESSED_RECORDS):
        if position >= len(records):
            break
        header = records[position : position + variant.header]
        if len(header) < variant.header:
            odd += 1
            break
        _, fraction, captured, original = struct.unpack_from(order + "IIII", header)
        odd += sum(
            (fraction >= 1_000_000, captured > largest, captured > snaplen, original > 128 << 20, captured > original)
        )
        odd += _oddities_of_variant(header, order, variant)
        if captured > largest:
            break
        position += variant.header + captured
        if position > len(records):
            odd += 1
            break
    return odd


def _oddities_of_variant(header: bytes, order: str, variant: Variant) -> int:
    if variant in (PATCHED_1999, PATCHED_1999_SUSE):
        interface, protocol, packet_type = struct.unpack_from(order + "IHB", header, 16)
        plausible = protocol >= 0x0600 or protocol <= 0x17 or protocol in (0x0060, 0x0200, 0x0400)
        return sum((interface > 10000, not plausible, packet_type > 4))
    if variant is NOKIA:
        (stamp,) = struct.unpack_from(order + "I", header, 16)
        known = (stamp & 0x0FFF00F0) == 0x0FBF0000 and stamp >> 28 in (0x9, 0xB) and stamp >> 12 & 0xF in (0xB, 0xD)
        return int(not (known and stamp >> 8 & 0xF in (0x6, 0x9) and stamp & 0xF in (1, 2)))
    return 0


@kernel
def index_pcap(
    columns: FrameColumns, rows: int, start: int, end: int, frame: int, layout: npt.NDArray[np.int64]
) -> tuple[int, int, int, int, int]:
    """Fill rows from whole pcap records between ``start`` and ``end``; return the fields of Progress."""
    buffer = columns.buffer
    big_endian = int(layout[BIG_ENDIAN])
    header = int(layout[RECORD_HEADER])
    nanoseconds_per_unit = layout[NANOSECONDS_PER_UNIT]
    lengths = layout[LENGTHS]
    padding = int(layout[PADDING])
    capacity = columns.offset.shape[0]
    position = start
    while rows < capacity:
        if position + header > end:
            return position, rows, frame, MORE, header
        captured = load_ordered_32(buffer, position + 8, big_endian)
        original = load_ordered_32(buffer, position + 12, big_endian)
        if lengths == ORIGINAL_FIRST or (lengths == SMALLER_IS_CAPTURED and captured > original):
            captured, original = original, captured
        if captured > layout[LARGEST_FRAME]:
            return position, rows, frame, FRAME_TOO_LARGE, captured
        if captured < padding:
            return position, rows, frame, FRAME_TOO_SMALL, captured
        if position + header + captured > end:
            return position, rows, frame, MORE, header + captured
        seconds = load_ordered_32(buffer, position, big_endian)
        fraction = load_ordered_32(buffer, position + 4, big_endian)
        frame += 1
        columns.offset[rows] = position + header + padding
        columns.caplen[rows] = captured - padding
        columns.wirelen[rows] = max(original - padding, 0)
        columns.ts[rows] = seconds * 1_000_000_000 + fraction * nanoseconds_per_unit
        columns.frame[rows] = frame
        columns.linktype[rows] = layout[LINK_TYPE]
        rows += 1
        position += header + captured
    return position, rows, frame, FULL, 0
