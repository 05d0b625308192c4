"""Microsoft Network Monitor 1.x and 2.x, read as Wireshark's ``wiretap/netmon.c`` does.

Frames are found through a table of their places, which stands behind them; so the whole content must be at hand.
The start of the capture is a local time without its zone. It is taken as UTC, so that one file means one time
wherever it is read; Wireshark takes it as local time where Wireshark runs. From version 2.3 on frames have UTC.
"""

import calendar
import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from ingest.capture.indexing import (
    DAMAGED,
    ENDED,
    FULL,
    STANDARD_FRAME,
    TIME_MAXIMUM,
    DamagedError,
    Progress,
    load_ordered_16,
    registered_link_type,
)
from ingest.decode.loads import load_memory_32
from segwatch.compilation import kernel
from segwatch.errors import InputError
from segwatch.records.frames import FrameColumns

MAGICS = (b"RTSS", b"GMBU")
FILE_HEADER = 128
FILE_HEADER_FIELDS = struct.Struct("<4sBBH8HII")
TABLE_ENTRY = 4

TIME_MINIMUM: Final = -(1 << 62)
"""Capture times before 1823 become this, so that differences of times still fit into 64 bits."""
FILETIME_1970: Final = 116_444_736_000_000_000
"""1970-01-01 as a FILETIME, which counts units of 100 ns from 1601-01-01 on."""

# Fields of the layout that the indexer is given.
TABLE_END, RECORD_HEADER, RECORD_TRAILER, NETWORK, START_TIME, LAYOUT_FIELDS = range(6)
# RECORD_TRAILER: bytes behind a frame, none before version 2.1. NETWORK: what the file's header says, for those.

RECORD_HEADER_1 = 8
RECORD_HEADER_2 = 16
TRAILERS = (0, 2, 6, 15)
"""Bytes behind a frame of version 2.0, 2.1 (network), 2.2 (and process), 2.3 and later (and FILETIME, zone)."""
TRAILER_WITH_TIME: Final = 15

NETWORK_ATM: Final = 4
NETWORK_WLAN: Final = 6
ATM_HEADER: Final = 16
"""Two addresses of 6 bytes and the channel, before a frame of an ATM file; wiretap looks for it only before 2.1."""
LAN_EMULATION_HEADER: Final = 2
LINKTYPE_ETHERNET: Final = 1
LINKTYPE_ATM_RFC1483: Final = 100
NO_LINK_TYPE: Final = 0xFFFF
"""Stands for events, filters and other frames that are numbered, but have no LINKTYPE_ value."""
HIDDEN: Final = -1
"""Network of a record to which Wireshark gives no frame number."""

LINK_TYPES = {0: 1, 1: 1, 2: 6, 3: 10, 6: 105, 7: 101, 8: 101, 9: 101, 0xE080: 105}
"""Networks as LINKTYPE_ values: Ethernet (0 from a VPN), token ring, FDDI, 802.11 behind a header of its own, tunnel,
wireless WAN, raw IP, and Message Analyzer's plain 802.11."""
CONVERTED_FROM_PCAP = range(0xE000, 0xF000)
"""Networks whose low 12 bits are a LINKTYPE_ value."""
OF_MESSAGE_ANALYZER = range(0xE080, 0xE08B)
"""Networks among them that are not."""
HIDDEN_NETWORKS = (0xFFFC, 0xFFFD, 0xFFFE)
"""Reassembled payload, adapters, names of hosts."""

TABLE_CUT, RECORD_CUT, FRAME_TOO_LARGE = range(DAMAGED, DAMAGED + 3)


class NetmonFormat:
    """A Network Monitor file; its "records" are the entries of the table of frames."""

    snaplen = 0

    def __init__(self, name: str, content: memoryview) -> None:
        """Read the header of the whole ``content``; raise InputError, with ``name``, where no frame can be found."""
        if len(content) < FILE_HEADER_FIELDS.size:
            raise InputError(f"{name} is cut short in the header of the Network Monitor file: there is no frame in it.")
        _, minor, major, network, *start, table, length = FILE_HEADER_FIELDS.unpack_from(content)
        if major not in (1, 2):
            raise InputError(
                f"{name} is a Network Monitor file of version {major}.{minor}; versions 1 and 2 can be read."
            )
        trailer = TRAILERS[min(minor, 3)] if major == 2 else 0
        self._link_types_of_networks = link_types_of_networks()
        if not trailer and network != NETWORK_ATM and self._link_types_of_networks[network] in (NO_LINK_TYPE, HIDDEN):
            raise InputError(f"{name} is a Network Monitor file of network type {network}, which cannot be read.")
        _check_table(name, len(content), table, length)
        self.header_bytes = table
        self._layout = np.zeros(LAYOUT_FIELDS, np.int64)
        self._layout[TABLE_END] = table + length
        self._layout[RECORD_HEADER] = RECORD_HEADER_1 if major == 1 else RECORD_HEADER_2
        self._layout[RECORD_TRAILER] = trailer
        self._layout[NETWORK] = network
        self._layout[START_TIME] = _start_time(*start)
        self._seen: set[int] = set()
        self.description = f"Network Monitor {major}.{minor}"

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""
        return self._seen

    def index(self, columns: FrameColumns, rows: int, start: int, end: int, frame: int) -> Progress:
        """Fill ``columns`` from row ``rows`` on by the table entries from ``start`` on; ``end`` ends the content."""
        progress = Progress(*index_netmon(columns, rows, start, end, frame, self._layout, self._link_types_of_networks))
        self._seen.update(np.unique(columns.linktype[rows : progress.rows]).tolist())
        return progress

    def structure(self, record: memoryview) -> int:
        """Raise: the table has nothing but frames."""
        raise DamagedError(f"a record of {len(record)} bytes is no frame")

    def sentence(self, stop: int, detail: int) -> str:
        """Return in words what is wrong with a record or with the table."""
        return {
            TABLE_CUT: f"of the next entry in its table of frames there are {detail} bytes",
            RECORD_CUT: f"the record that its table tells of ends beyond the file's {detail} bytes",
            FRAME_TOO_LARGE: f"a frame of {detail} bytes is larger than the maximum of {STANDARD_FRAME}",
        }[stop]


def link_types_of_networks() -> npt.NDArray[np.int32]:
    """Return (65536,) the LINKTYPE_ value of every network type, NO_LINK_TYPE or HIDDEN."""
    table = np.full(1 << 16, NO_LINK_TYPE, np.int32)
    for network in CONVERTED_FROM_PCAP:
        if network not in OF_MESSAGE_ANALYZER:
            table[network] = registered_link_type(network - CONVERTED_FROM_PCAP.start)
    for network, link_type in LINK_TYPES.items():
        table[network] = link_type
    table[list(HIDDEN_NETWORKS)] = HIDDEN
    return table


def _check_table(name: str, size: int, table: int, length: int) -> None:
    if not length and size > FILE_HEADER:
        raise InputError(f"{name} is no whole Network Monitor file: its table of frames was never written.")
    if length and table + TABLE_ENTRY > size:
        raise InputError(
            f"{name} is cut short before its table of frames: that stands at byte {table}, and the file ends at "
            f"byte {size}; without the table no frame can be found."
        )


def _start_time(year: int, month: int, _: int, day: int, hour: int, minute: int, second: int, milliseconds: int) -> int:
    """Return nanoseconds since 1970; fields out of their range count on into the next larger one."""
    year += (month - 1) // 12
    fields = (min(max(year, 1), 9999), (month - 1) % 12 + 1, day, hour, minute, second)
    nanoseconds = calendar.timegm(fields) * 1_000_000_000 + milliseconds * 1_000_000
    return min(max(nanoseconds, TIME_MINIMUM), TIME_MAXIMUM)


@kernel
def index_netmon(
    columns: FrameColumns,
    rows: int,
    start: int,
    end: int,
    frame: int,
    layout: npt.NDArray[np.int64],
    link_types: npt.NDArray[np.int32],
) -> tuple[int, int, int, int, int]:
    """Fill rows by the table entries from ``start`` on; return the fields of Progress."""
    buffer = columns.buffer
    header = int(layout[RECORD_HEADER])
    trailer = int(layout[RECORD_TRAILER])
    table_end = int(layout[TABLE_END])
    capacity = columns.offset.shape[0]
    position = start
    while rows < capacity:
        if position == table_end:
            return position, rows, frame, ENDED, 0
        if position + TABLE_ENTRY > min(table_end, end):
            return position, rows, frame, TABLE_CUT, max(min(table_end, end) - position, 0)
        record = load_memory_32(buffer, position)
        if record + header > end:
            return record, rows, frame, RECORD_CUT, end
        captured = captured_length(buffer, record, header)
        if captured > STANDARD_FRAME:
            return record, rows, frame, FRAME_TOO_LARGE, captured
        if record + header + captured + trailer > end:
            return record, rows, frame, RECORD_CUT, end
        position += TABLE_ENTRY
        network = int(layout[NETWORK])
        if trailer:
            network = load_ordered_16(buffer, record + header + captured, 0)
        if link_types[network] == HIDDEN:
            continue
        frame += 1
        skipped, link_type = network_header(buffer, record + header, captured, network, trailer, link_types)
        columns.offset[rows] = record + header + skipped
        columns.caplen[rows] = captured - skipped
        columns.wirelen[rows] = max(original_length(buffer, record, header) - skipped, 0)
        columns.ts[rows] = capture_time(buffer, record, header, captured, layout)
        columns.frame[rows] = frame
        columns.linktype[rows] = link_type
        rows += 1
    return position, rows, frame, FULL, 0


@kernel
def captured_length(buffer: npt.NDArray[np.uint8], record: int, header: int) -> int:
    """Return how many bytes of the frame are in the file."""
    if header == RECORD_HEADER_1:
        return load_ordered_16(buffer, record + 6, 0)
    return load_memory_32(buffer, record + 12)


@kernel
def original_length(buffer: npt.NDArray[np.uint8], record: int, header: int) -> int:
    """Return how many bytes the frame had on the wire."""
    if header == RECORD_HEADER_1:
        return load_ordered_16(buffer, record + 4, 0)
    return load_memory_32(buffer, record + 8)


@kernel
def network_header(
    buffer: npt.NDArray[np.uint8],
    start: int,
    captured: int,
    network: int,
    trailer: int,
    link_types: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Return how many bytes of Network Monitor's own stand before the frame, and the frame's LINKTYPE_ value."""
    if network == NETWORK_WLAN:
        skipped = load_ordered_16(buffer, start + 1, 0) if captured >= 3 else captured + 1
        if skipped > captured:
            return 0, NO_LINK_TYPE
        return skipped, int(link_types[network])
    if network == NETWORK_ATM:
        skipped = 0 if trailer else ATM_HEADER
        if captured < skipped + 3:
            return 0, NO_LINK_TYPE
        position = start + skipped
        if buffer[position] == 0xAA and buffer[position + 1] == 0xAA and buffer[position + 2] == 0x03:
            return skipped, LINKTYPE_ATM_RFC1483
        return skipped + LAN_EMULATION_HEADER, LINKTYPE_ETHERNET
    return 0, int(link_types[network])


@kernel
def capture_time(
    buffer: npt.NDArray[np.uint8], record: int, header: int, captured: int, layout: npt.NDArray[np.int64]
) -> int:
    """Return nanoseconds since 1970."""
    if layout[RECORD_TRAILER] == TRAILER_WITH_TIME:
        filetime = record + header + captured + 6
        high = load_memory_32(buffer, filetime + 4)
        if high >= 1 << 31:
            return TIME_MAXIMUM
        return later_by(0, (high << 32 | load_memory_32(buffer, filetime)) - FILETIME_1970)
    low = load_memory_32(buffer, record)
    if header == RECORD_HEADER_1:
        return later_by(int(layout[START_TIME]), low * 10_000)
    # Microseconds of 64 bits; tenfold, in 64 bits, they are units of 100 ns with a sign: a time before the start.
    low *= 10
    high = (load_memory_32(buffer, record + 4) * 10 + (low >> 32)) & 0xFFFFFFFF
    if high >= 1 << 31:
        high -= 1 << 32
    return later_by(int(layout[START_TIME]), high * (1 << 32) + (low & 0xFFFFFFFF))


@kernel
def later_by(start: int, units: int) -> int:
    """Return ``start`` in nanoseconds plus ``units`` of 100 ns, within what 64 bits hold."""
    if units > TIME_MAXIMUM // 100:
        return TIME_MAXIMUM
    if units < TIME_MINIMUM // 100:
        return TIME_MINIMUM
    if start > 0 and units * 100 > TIME_MAXIMUM - start:
        return TIME_MAXIMUM
    return max(start + units * 100, TIME_MINIMUM)
