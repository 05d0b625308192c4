"""An interface that is captured: libpcap's handle, polled without blocking, its frames as columns."""

import ctypes
import select
import sys
import time
from typing import Final, NamedTuple, NoReturn

import numpy as np

from ingest.capture.handler import ROW_BYTES, FrameBlock
from ingest.capture.libpcap import PCAP_ERRBUF_SIZE, PCAP_TSTAMP_PRECISION_NANO, PcapHandle
from ingest.capture.live.interfaces import ANY, COOKED_V2, link_state
from ingest.capture.live.options import DIRECTIONS, CaptureOptions
from segwatch.buffers import BufferPool
from segwatch.errors import InputError, UsageError
from segwatch.records.frames import FrameColumns

BATCH_FRAMES: Final = 1 << 15
"""Frames of a batch at most."""
BLOCK_TIMEOUT_MS: Final = 100
"""After this time the kernel hands over a block of frames that is not full."""
_GATHER_SECONDS: Final = 0.01
"""How long frames are gathered once the first one is there: one call of Python for many of them."""
_BLOCK_BYTES: Final = 8 << 20
"""Room for the bytes of a batch at least."""
_NETMASK_UNKNOWN: Final = 0xFFFFFFFF
_ERROR_NO_SUCH_DEVICE, _ERROR_PERM_DENIED = -5, -8
_ERROR_IFACE_NOT_UP, _ERROR_PROMISC_PERM_DENIED = -9, -11
_MISSING_RIGHTS: Final = (
    "{interface} cannot be captured: this process lacks CAP_NET_RAW; run it by systemd with "
    "AmbientCapabilities=CAP_NET_RAW (deploy/systemd/segwatch-sensor.service), as root with --user NAME, or grant it "
    "to the interpreter: setcap cap_net_raw=ep {interpreter}."
)


class InterfaceLostError(InputError):
    """The interface is down, gone, or another one now; it may come back."""


class CaptureCounters(NamedTuple):
    """libpcap's counters since the handle was opened; each wraps at 32 bits."""

    kernel_drops: int
    interface_drops: int


class _Program(ctypes.Structure):
    """``struct bpf_program``."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


class _Statistics(ctypes.Structure):
    """``struct pcap_stat``."""

    _fields_ = (("received", ctypes.c_uint), ("dropped", ctypes.c_uint), ("interface_dropped", ctypes.c_uint))


class LiveHandle(PcapHandle):
    """Captures one interface from now on; to be used by one thread at a time."""

    def __init__(self, interface: str, options: CaptureOptions, capture_filter: str) -> None:
        """Open ``interface`` with ``capture_filter`` in place of that of the options.

        Raise InterfaceLostError where it is down or not there, UsageError where the filter cannot be used, InputError
        with what to do where the rights are missing.
        """
        self.interface = interface
        self._lost = ""
        state = link_state(interface)
        self.index = state.number if state else 0
        super().__init__(
            lambda library, message: library.pcap_create(interface.encode(), message),
            f"{interface} cannot be captured",
        )
        try:
            self._activate(options)
            self.set_filter(capture_filter)
        except BaseException:
            self.close()
            raise

    def set_filter(self, capture_filter: str) -> None:
        """Capture only what passes a filter from now on. Raises UsageError."""
        program = _Program()
        compiled = self._library.pcap_compile(
            self._handle, ctypes.byref(program), capture_filter.encode(), 1, _NETMASK_UNKNOWN
        )
        if compiled != 0:
            raise UsageError(f"the filter {capture_filter!r} cannot be used on {self.interface}: {self._reason()}.")
        try:
            if self._library.pcap_setfilter(self._handle, ctypes.byref(program)) != 0:
                raise UsageError(f"the filter {capture_filter!r} is refused on {self.interface}: {self._reason()}.")
        finally:
            self._library.pcap_freecode(ctypes.byref(program))

    def read(self, patience: float) -> FrameColumns | None:
        """Return the frames that are there, or those that come within ``patience`` seconds; None for none.

        A batch has ``BATCH_FRAMES`` frames at most and stays valid as long as anything refers to it. Raise
        InterfaceLostError where the interface went away.
        """
        if self._lost:
            raise InterfaceLostError(self._lost)
        block = FrameBlock(self._pool, BATCH_FRAMES, self.snaplen)
        dispatch, handle, handler, user = self._library.pcap_dispatch, self._handle, self._handler, block.address
        waited = gathered = False
        while fitting := block.fitting:
            count = dispatch(handle, fitting, handler, user)
            if count < 0:
                self._lost = f"{self.interface} cannot be captured any more: {self._reason()}."
                break
            if count:
                continue
            if block.rows:
                if gathered:
                    break
                time.sleep(_GATHER_SECONDS)
                gathered = True
            elif waited or not self._poll.poll(patience * 1000):
                break
            else:
                waited = True
        if self._lost and not block.rows:
            raise InterfaceLostError(self._lost)
        return self._columns(block) if block.rows else None

    def counters(self) -> CaptureCounters:
        """Return what was dropped since the beginning."""
        statistics = _Statistics()
        if self._library.pcap_stats(self._handle, ctypes.byref(statistics)) != 0:
            raise InterfaceLostError(f"{self.interface} cannot be captured any more: {self._reason()}.")
        return CaptureCounters(statistics.dropped, statistics.interface_dropped)

    def check(self) -> None:
        """Raise InterfaceLostError unless the interface of this name is still the one that was opened, and up."""
        if self.interface == ANY:
            return
        state = link_state(self.interface)
        if state is None:
            raise InterfaceLostError(f"{self.interface} is no more: it was removed or renamed.")
        if state.number != self.index:
            raise InterfaceLostError(f"{self.interface} is another interface now.")
        if not state.up:
            raise InterfaceLostError(f"{self.interface} is down.")

    def _activate(self, options: CaptureOptions) -> None:
        library, handle = self._library, self._handle
        for function, value in (
            (library.pcap_set_snaplen, options.snaplen),
            (library.pcap_set_promisc, int(options.promiscuous and self.interface != ANY)),
            (library.pcap_set_timeout, BLOCK_TIMEOUT_MS),
            (library.pcap_set_immediate_mode, int(options.immediate)),
            (library.pcap_set_buffer_size, options.buffer_bytes),
            (library.pcap_set_tstamp_precision, PCAP_TSTAMP_PRECISION_NANO),
        ):
            function(handle, value)
        code = library.pcap_activate(handle)
        if code < 0:
            self._refused(code)
        if self.interface == ANY:
            library.pcap_set_datalink(handle, COOKED_V2)
        direction = DIRECTIONS[options.direction]
        if direction and library.pcap_setdirection(handle, direction) != 0:
            raise UsageError(f"--direction {options.direction} is not possible on {self.interface}: {self._reason()}.")
        message = ctypes.create_string_buffer(PCAP_ERRBUF_SIZE)
        library.pcap_setnonblock(handle, 1, message)
        self._describe()
        self._nanoseconds = library.pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO
        self._pool = BufferPool(_BLOCK_BYTES + BATCH_FRAMES * ROW_BYTES + self.snaplen)
        self._poll = select.poll()
        self._poll.register(int(library.pcap_get_selectable_fd(handle)), select.POLLIN)

    def _refused(self, code: int) -> NoReturn:
        if code == _ERROR_NO_SUCH_DEVICE:
            raise InterfaceLostError(f"there is no interface {self.interface}: segwatch interfaces lists them.")
        if code == _ERROR_IFACE_NOT_UP:
            raise InterfaceLostError(f"{self.interface} is down: bring it up with: ip link set {self.interface} up.")
        if code in (_ERROR_PERM_DENIED, _ERROR_PROMISC_PERM_DENIED):
            raise InputError(_MISSING_RIGHTS.format(interface=self.interface, interpreter=sys.executable))
        status = self._library.pcap_statustostr(code).decode(errors="replace")
        raise InputError(f"{self.interface} cannot be captured: {status} ({self._reason()}).")

    def _columns(self, block: FrameBlock) -> FrameColumns:
        first = self.frames + 1
        self.frames += block.rows
        columns = block.columns(first, self.link_type)
        if not self._nanoseconds:
            # The handler takes the fraction for nanoseconds, and these are microseconds.
            seconds, fraction = np.divmod(columns.ts, 1_000_000_000)
            columns = columns._replace(ts=seconds * 1_000_000_000 + fraction * 1000)
        return columns
