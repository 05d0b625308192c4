"""libpcap by ctypes: which library is taken, and capture files read through it.

Live capture (``ingest.capture.live``) calls the same library.

The functions of pcap(3) are declared here, as the ``libpcap`` package takes the system's library wherever there is
one, however old, takes 0.1 s to import, and needs the system's library to be there. Its wheel carries a library too,
and that is used, unless the system's is newer.
"""

import ctypes
import functools
import importlib.util
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest.capture.handler import FrameBlock, collect_frame
from ingest.capture.indexing import largest_frame, registered_link_type
from segwatch.buffers import BufferPool
from segwatch.errors import InputError, SegwatchError
from segwatch.records.frames import FrameColumns

PCAP_ERRBUF_SIZE = 256
PCAP_TSTAMP_PRECISION_NANO = 1

SYSTEM_NAMES = ("libpcap.so.1", "libpcap.so.0.8")
"""The names of the library's interface: upstream's and Debian's."""

WHEEL_FOLDERS = {"i386": "x86", "i686": "x86"}
"""Where the wheel names a machine otherwise than ``platform.machine``."""

BLOCK_BYTES = 16 << 20
"""Room for a batch: much more than it fills, as libpcap is asked for no more frames than fit if all were largest."""


_TEXT, _HANDLE, _NUMBER, _POINTER = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
_DECLARATIONS: dict[str, tuple[Any, list[Any]]] = {
    "pcap_lib_version": (_TEXT, []),
    "pcap_open_offline_with_tstamp_precision": (_HANDLE, [_TEXT, ctypes.c_uint, _TEXT]),
    "pcap_snapshot": (_NUMBER, [_HANDLE]),
    "pcap_datalink": (_NUMBER, [_HANDLE]),
    "pcap_dispatch": (_NUMBER, [_HANDLE, _NUMBER, _POINTER, _POINTER]),
    "pcap_geterr": (_TEXT, [_HANDLE]),
    "pcap_close": (None, [_HANDLE]),
    "pcap_findalldevs": (_NUMBER, [_POINTER, _TEXT]),
    "pcap_freealldevs": (None, [_POINTER]),
    "pcap_create": (_HANDLE, [_TEXT, _TEXT]),
    "pcap_set_snaplen": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_set_promisc": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_set_timeout": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_set_immediate_mode": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_set_buffer_size": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_set_tstamp_precision": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_get_tstamp_precision": (_NUMBER, [_HANDLE]),
    "pcap_activate": (_NUMBER, [_HANDLE]),
    "pcap_statustostr": (_TEXT, [_NUMBER]),
    "pcap_set_datalink": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_setdirection": (_NUMBER, [_HANDLE, _NUMBER]),
    "pcap_setnonblock": (_NUMBER, [_HANDLE, _NUMBER, _TEXT]),
    "pcap_get_selectable_fd": (_NUMBER, [_HANDLE]),
    "pcap_compile": (_NUMBER, [_HANDLE, _POINTER, _TEXT, _NUMBER, ctypes.c_uint32]),
    "pcap_setfilter": (_NUMBER, [_HANDLE, _POINTER]),
    "pcap_freecode": (None, [_POINTER]),
    "pcap_stats": (_NUMBER, [_HANDLE, _POINTER]),
}
"""Result and arguments of the functions of pcap(3) that are used."""


class PcapHandle:
    """What libpcap has opened (``pcap_t``): it is closed once, at the latest with ``with``."""

    def __init__(self, opened: Callable[[Any, ctypes.Array[ctypes.c_char]], Any], refusal: str) -> None:
        """Take what ``opened`` gives for the library and room for a message.

        Raise InputError, ``refusal`` and libpcap's reason, where that is nothing.
        """
        self.frames = 0
        """Frames so far."""
        self._library = libpcap_library()
        self._handler = ctypes.c_void_p(collect_frame.address)
        message = ctypes.create_string_buffer(PCAP_ERRBUF_SIZE)
        self._handle = opened(self._library, message)
        if not self._handle:
            raise InputError(f"{refusal}: {message.value.decode(errors='replace')}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the capture. Batches that were handed out stay valid."""
        if self._handle:
            self._library.pcap_close(self._handle)
            self._handle = None

    def _describe(self) -> None:
        """Ask for what is known once the handle is active."""
        self.snaplen = int(self._library.pcap_snapshot(self._handle))
        self.link_type = registered_link_type(int(self._library.pcap_datalink(self._handle)))

    def _reason(self) -> str:
        """Return what libpcap says of its last failure."""
        return str(self._library.pcap_geterr(self._handle).decode(errors="replace"))


class LibpcapFile(PcapHandle):
    """A capture file that libpcap reads: the reference for ``CaptureReader``, with the same ``read``.

    libpcap refuses files whose interfaces differ in link type, and numbers packets alone.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open an uncompressed pcap or pcapng file; raise InputError, with libpcap's reason, where it refuses."""
        super().__init__(
            lambda library, message: library.pcap_open_offline_with_tstamp_precision(
                os.fsencode(path), PCAP_TSTAMP_PRECISION_NANO, message
            ),
            f"{os.fspath(path)} cannot be read by libpcap",
        )
        self.name = os.fspath(path)
        self.damage: str | None = None
        """Why reading ended early, in libpcap's words."""
        self._describe()
        self._largest_frame = largest_frame(self.link_type)
        self._pool = BufferPool(BLOCK_BYTES)

    def read(self, frames: int) -> FrameColumns | None:
        """Return the next frames, ``frames`` at most and one at least; None at the end or where libpcap gives up.

        A batch stays valid as long as anything refers to it, as that of ``CaptureReader.read``.
        """
        if not self._handle:
            raise ValueError("the file is closed")
        block = FrameBlock(self._pool, frames, self._largest_frame)
        dispatch, handle, handler, user = self._library.pcap_dispatch, self._handle, self._handler, block.address
        while self.damage is None and (fitting := block.fitting):
            count = dispatch(handle, fitting, handler, user)
            if count < 0:
                self.damage = f"{self.name} is damaged at frame {self.frames + block.rows + 1}: {self._reason()}."
            if count <= 0:
                break
        first = self.frames + 1
        self.frames += block.rows
        return block.columns(first, self.link_type) if block.rows else None


@functools.cache
def libpcap_library() -> Any:
    """Return the newest libpcap that can be loaded, its functions declared; raise SegwatchError if there is none."""
    libraries = [library for name in _candidates() if (library := _load(name)) is not None]
    if not libraries:
        raise SegwatchError("libpcap cannot be loaded: install the system's package of it (Debian: libpcap0.8).")
    return max(libraries, key=lambda library: _numbers(library.pcap_lib_version().decode(errors="replace")))


def _candidates() -> list[str]:
    """Return names of libraries to try, the system's first: of equal ones the first is taken."""
    specification = importlib.util.find_spec("libpcap")
    machine = WHEEL_FOLDERS.get(platform.machine(), platform.machine())
    folders = (specification.submodule_search_locations or []) if specification else []
    return [
        *SYSTEM_NAMES,
        *(str(Path(folder, "_platform", "linux", machine, "tcpdump", "libpcap.so")) for folder in folders),
    ]


def _load(name: str) -> Any:
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return None
    for function, (result, arguments) in _DECLARATIONS.items():
        declared = getattr(library, function)
        declared.restype, declared.argtypes = result, arguments
    return library


def _numbers(version: str) -> tuple[int, ...]:
    """Return (1, 10, 3) for "libpcap version 1.10.3 (with TPACKET_V3)"."""
    found = re.search(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found.group().split(".")) if found else ()
