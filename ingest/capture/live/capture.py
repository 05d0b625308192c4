"""The thread that captures one interface: frames to segments to the intake, across losses of the interface."""

import logging
import threading
import time
from contextlib import suppress
from typing import Final

import numpy as np

from ingest.capture.counts import CaptureCounts
from ingest.capture.live.clock import StepDetector
from ingest.capture.live.handle import BATCH_FRAMES, BLOCK_TIMEOUT_MS, InterfaceLostError, LiveHandle
from ingest.capture.live.intake import Captured, Ended, Filtered, Intake, Opened
from ingest.capture.live.interfaces import ANY, interface_mtus, require_interface
from ingest.capture.live.one_way import OneWay
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import combined_filter
from ingest.capture.live.quality import SuperSegments, Suspicion
from ingest.capture.live.seen_twice import SeenTwice
from ingest.capture.live.shedding import Shedder
from ingest.decode.decoder import Decoder
from ingest.decode.status import undecoded
from segwatch.errors import SegwatchError, UsageError
from segwatch.records.frames import FrameColumns
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.vocabulary import Quality

_log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
"""How long frames are waited for at most."""
LATE_NANOSECONDS: Final = 1_000_000_000
"""How old a frame may be when it is read from a ring that was empty: the block's timeout, and a late thread."""
TICK_NANOSECONDS: Final = 500_000_000
"""How often time passes, the counters are told, and the interface is looked at, while no frames come."""
FINISH_SECONDS: Final = 2.0
"""How long what is in the ring may take at the end."""
_WARN_NANOSECONDS: Final = 60_000_000_000
"""Between two warnings of drops."""
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 5.0
"""Between two tries to open an interface that is away."""
assert BLOCK_TIMEOUT_MS * 1_000_000 < LATE_NANOSECONDS  # noqa: S101  # states how the figures depend on one another


class Session:
    """One opened interface until it is lost or closed; used by the capturing thread alone."""

    def __init__(self, handle: LiveHandle, shedder: Shedder, intake: Intake) -> None:
        self._handle = handle
        self._shedder = shedder
        self._intake = intake
        self._decoder = Decoder()
        self._clock = StepDetector()
        index = 0 if handle.interface == ANY else handle.index
        self._super_segments = SuperSegments(handle.link_type, interface_mtus(), index)
        self._seen_twice = SeenTwice()
        self._one_way = OneWay(handle.interface)
        self._loss = Suspicion(Quality.CAPTURE_LOSS)
        self._step = Suspicion(Quality.CLOCK_STEP)
        self._counts = CaptureCounts()
        self._dropped = handle.counters()
        self._looked = time.time_ns()
        self._refused = False
        self._warned = -_WARN_NANOSECONDS
        self._told = 0
        self._checked = 0

    def lose(self) -> None:
        """Note that frames may be lost now."""
        now = time.time_ns()
        self._loss.span(now, now)

    def take(self, patience: float) -> bool:
        """Capture what comes within ``patience`` seconds; return whether anything came.

        Raises InterfaceLostError.
        """
        started, wall = time.monotonic_ns(), time.time_ns()
        frames = self._handle.read(patience)
        self._count_drops()
        if frames is not None:
            self._offer(self._segments(frames), 0)
        elif started - self._told >= TICK_NANOSECONDS:
            # The ring was empty when the last look at it ended, so all that is older was read.
            self._offer(None, wall - LATE_NANOSECONDS)
        if started - self._checked >= TICK_NANOSECONDS:
            self._checked = started
            self._handle.check()
        return frames is not None

    def finish(self) -> None:
        """Capture what is in the ring already; where traffic goes on, only for a while."""
        deadline = time.monotonic() + FINISH_SECONDS
        with suppress(InterfaceLostError):
            while self.take(2 * BLOCK_TIMEOUT_MS / 1000) and time.monotonic() < deadline:
                pass
        self._offer(None, 0)

    def _segments(self, frames: FrameColumns) -> SegmentColumns | None:
        """Return the segments of some frames, those marked that the capture may have spoilt; None for none."""
        segments = self._decoder.decode(frames)
        long = self._super_segments.mark(frames, segments)
        self._loss.mark(segments)
        self._step.mark(segments)
        now = time.monotonic_ns()
        before = self._shedder.keep_one_in
        self._shedder.decide(self._intake.fill, self._refused, now)
        if self._shedder.keep_one_in != before:
            _log.warning("%s: keeping one in %d conversations", self._handle.interface, self._shedder.keep_one_in)
        kept = self._shedder.keep(segments, now)
        counts = self._counts
        self._counts = counts._replace(
            frames=self._handle.frames,
            undecoded=undecoded(self._decoder.skipped()),
            shed_segments=counts.shed_segments + len(segments.ts) - len(kept.ts),
            keep_one_in=self._shedder.keep_one_in,
            super_segments=counts.super_segments + long,
            seen_twice=counts.seen_twice + self._seen_twice.mark(kept),
            one_way_conversations=counts.one_way_conversations + self._one_way.mark(kept),
        )
        if not len(kept.ts):
            return None
        # A few rows in columns for many would hold the memory of these while they wait.
        return kept if 2 * len(kept.ts) > BATCH_FRAMES else take_segments(kept, np.arange(len(kept.ts)))

    def _count_drops(self) -> None:
        """Look at what the kernel dropped, and at the clock, since the last look."""
        now = time.time_ns()
        dropped = self._handle.counters()
        kernel, interface = ((new - old) % 2**32 for new, old in zip(dropped, self._dropped, strict=True))
        self._dropped = dropped
        step = self._clock.step()
        if step:
            _log.warning("The clock was set by %+.3f seconds", step / 1e9)
            self._step.span(min(self._looked, now), max(self._looked, now))
        elif kernel or interface:
            self._loss.span(self._looked, now)
            self._warn(kernel + interface)
        self._looked = now
        counts = self._counts
        self._counts = counts._replace(
            kernel_drops=counts.kernel_drops + kernel,
            interface_drops=counts.interface_drops + interface,
            clock_steps=counts.clock_steps + bool(step),
        )

    def _warn(self, frames: int) -> None:
        now = time.monotonic_ns()
        if now - self._warned >= _WARN_NANOSECONDS:
            self._warned = now
            name = self._handle.interface
            _log.warning("%s: %d frames were dropped just now; a larger --buffer-size may help", name, frames)

    def _offer(self, segments: SegmentColumns | None, until: int) -> None:
        self._told = time.monotonic_ns()
        accepted = self._intake.offer(Captured(self._handle.interface, segments, self._counts, until))
        if segments is None:
            return
        self._refused = not accepted
        if self._refused:
            # The kept conversations lost a part, as if the kernel had dropped it.
            self._counts = self._counts._replace(shed_segments=self._counts.shed_segments + len(segments.ts))
            self._loss.span(int(segments.ts.min()), int(segments.ts.max()))


class InterfaceCapture:
    """Captures one interface in a thread of its own, and comes back by itself when the interface does."""

    def __init__(self, interface: str, options: CaptureOptions, intake: Intake, excluded: str) -> None:
        """Leave out what ``excluded`` matches (pcap-filter(7); empty: nothing)."""
        self.interface = interface
        self._options = options
        self._intake = intake
        self._wanted = self._usable = options.capture_filter
        self._excluded = excluded
        self._shedder = Shedder()
        self._stop = threading.Event()
        self._handle: LiveHandle | None = None
        self._filter = ""
        self._alive = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"segwatch-capture-{interface}", daemon=True)

    def open(self) -> None:
        """Begin to capture; an interface that is down is waited for later.

        Raise UsageError where there is no such interface or the filter cannot be used, InputError where the rights are
        missing.
        """
        require_interface(self.interface)
        with suppress(InterfaceLostError):
            self._handle = self._opened()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; ``Ended`` is the last event."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join()

    def exclude(self, excluded: str) -> None:
        """Leave out what this matches from now on, in place of what was left out before."""
        self._excluded = excluded

    def choose(self, capture_filter: str) -> None:
        """Capture what this matches from now on; a filter that cannot be used is logged, and changes nothing."""
        self._wanted = capture_filter

    def silent_seconds(self) -> float:
        """Return how long ago the thread showed that it lives; 0 once it has ended."""
        return time.monotonic() - self._alive if self._thread.is_alive() else 0.0

    def _opened(self) -> LiveHandle:
        self._filter = combined_filter(self._usable, self._excluded)
        return LiveHandle(self.interface, self._options, self._filter)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                problem = self._capture()
                if problem:
                    _log.warning("%s Waiting for it.", problem)
                    self._intake.put(Ended(self.interface, problem, final=False))
                    self._wait_for_interface()
            self._intake.put(Ended(self.interface, "", final=True))
        except BaseException as error:  # whatever it is, who takes the events must hear of it
            self._intake.put(Ended(self.interface, str(error), final=True, error=error))

    def _capture(self) -> str:
        """Capture until the interface is lost, and return why; an empty text if it was told to stop."""
        try:
            with self._handle or self._opened() as handle:
                self._handle = None
                self._begin(handle)
                session = Session(handle, self._shedder, self._intake)
                while not self._stop.is_set():
                    self._alive = time.monotonic()
                    self._update_filter(handle, session)
                    session.take(POLL_SECONDS)
                session.finish()
        except InterfaceLostError as lost:
            return str(lost)
        return ""

    def _begin(self, handle: LiveHandle) -> None:
        told = self._filter or "none"
        _log.info("Capturing %s (snap length %d bytes), filter: %s", self.interface, handle.snaplen, told)
        self._intake.put(Opened(self.interface, handle.snaplen, self._filter))

    def _update_filter(self, handle: LiveHandle, session: Session) -> None:
        wanted = self._wanted
        used = combined_filter(wanted, self._excluded)
        if used == self._filter:
            return
        session.lose()  # libpcap lets nothing through for a moment while it changes filters
        try:
            handle.set_filter(used)
        except UsageError as error:
            if wanted == self._usable:
                raise
            _log.warning("%s The one before stays.", error)
            self._wanted = self._usable
            return
        self._usable, self._filter = wanted, used
        _log.info("Filter of %s: %s", self.interface, used or "none")
        self._intake.put(Filtered(self.interface, used))

    def _wait_for_interface(self) -> None:
        """Return when the interface can be opened again, or when told to stop."""
        pause, told = FIRST_RETRY_SECONDS, ""
        while not self._stop.wait(pause):
            self._alive = time.monotonic()
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)
            try:
                self._handle = self._opened()
            except InterfaceLostError:
                continue
            except SegwatchError as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("%s", told)
                continue
            return
