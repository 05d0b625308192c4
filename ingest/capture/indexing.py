"""What the indexers of all capture formats share: loading numbers, why a scan stops, limits of frames."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ingest.decode.loads import load_8, load_16, load_32, load_memory_32
from segwatch.compilation import kernel
from segwatch.records.frames import FrameColumns

FULL = 0
"""Stop: every row is filled."""
MORE = 1
"""Stop: the next record needs more bytes than there are; the detail says how many it has."""
STRUCTURE = 2
"""Stop: the next record is for the format's Python part, which takes it by ``structure``."""
ENDED = 3
"""Stop: there are no more records, whatever bytes follow."""
DAMAGED = 16
"""Stops from here on: the next record makes no sense; each format words its own."""

TIME_MAXIMUM = (1 << 63) - 1
"""Capture times beyond what 64 bits of nanoseconds hold (the year 2262) become this."""

MAXIMUM_RECORD = 256 << 20
"""Bytes that one record may have, whatever its kind."""

STANDARD_FRAME = 262144
"""Bytes that a frame may have: Wireshark's WTAP_MAX_PACKET_SIZE_STANDARD, libpcap's MAXIMUM_SNAPLEN."""
LARGE_FRAME = 128 << 20
"""The same for link types of messages, as in Wireshark's wtap_max_snaplen_for_encap."""
LARGE_FRAME_LINK_TYPES = frozenset({189, 220, 231, 249, 266})
"""LINKTYPE_USB_LINUX, USB_LINUX_MMAPPED, DBUS, USBPCAP, USB_DARWIN."""

LINK_TYPE_ALIASES = {11: 100, 12: 101, 13: 109, 14: 101}
"""DLT_ values that stand in some files in place of the LINKTYPE_ value: ATM, raw IP, OpenBSD ENC, raw IP."""


class Progress(NamedTuple):
    """How far a scan came, and why it stopped."""

    position: int
    """Where the first record begins that has no row yet."""
    rows: int
    """Rows filled, those from before included."""
    frame: int
    """Number of the last frame."""
    stop: int
    """FULL, MORE, STRUCTURE, ENDED, or a format's own code of damage."""
    detail: int
    """A number for the sentence about the stop."""


class CaptureFormat(Protocol):
    """The reader of one file format, fed with buffers; it keeps what the file's headers say."""

    description: str
    """For people: format, variant, byte order."""

    header_bytes: int
    """Where the first record begins."""

    @property
    def snaplen(self) -> int:
        """Bytes captured of a frame at most, 0 where the file does not say."""

    @property
    def link_types(self) -> set[int]:
        """LINKTYPE_ values of the frames so far."""

    def index(self, columns: FrameColumns, rows: int, start: int, end: int, frame: int) -> Progress:
        """Fill ``columns`` from row ``rows`` on with the whole records between ``start`` and ``end`` of its buffer."""

    def structure(self, record: memoryview) -> int:
        """Take a record that describes others, at the beginning of ``record``.

        Return its length; the negative of the bytes that it needs, where ``record`` holds less;
        raise DamagedError where it makes no sense.
        """

    def sentence(self, stop: int, detail: int) -> str:
        """Return in words what is wrong with a record, without a full stop."""


class DamagedError(Exception):
    """A record makes no sense; the message says why, without a full stop."""


def largest_frame(link_type: int) -> int:
    """Return the bytes that a frame of this LINKTYPE_ may have before a file counts as damaged."""
    return LARGE_FRAME if link_type in LARGE_FRAME_LINK_TYPES else STANDARD_FRAME


def registered_link_type(value: int) -> int:
    """Return the LINKTYPE_ value for a file's link type field of 16 bits."""
    return LINK_TYPE_ALIASES.get(value, value)


@kernel
def load_ordered_32(buffer: npt.NDArray[np.uint8], position: int, big_endian: int) -> int:
    """Return the unsigned 32 bits at ``position`` in the given byte order."""
    if big_endian:
        return load_32(buffer, position)
    return load_memory_32(buffer, position)


@kernel
def load_ordered_16(buffer: npt.NDArray[np.uint8], position: int, big_endian: int) -> int:
    """Return the unsigned 16 bits at ``position`` in the given byte order."""
    if big_endian:
        return load_16(buffer, position)
    return load_8(buffer, position + 1) << 8 | load_8(buffer, position)
