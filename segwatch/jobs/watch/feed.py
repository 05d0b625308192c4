"""Where the segments come from: live interfaces, or a file at a pace of its own."""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from ingest.capture.counts import CaptureCounts
from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Captured, Ended, Event, Intake, Opened
from ingest.decode.status import undecoded
from ingest.publish.pacing import Pace
from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.due import due_segments
from segwatch.jobs.watch.analyst import AnalysedSession, Analyst, Follower

STEP_SECONDS: Final = 0.05


class SessionFollower(Follower, Protocol):
    """Follows a live session, and gets its counters as well."""

    def count(self, counts: CaptureCounts) -> None:
        """Take the counters since the session began."""
        ...

    def end(self, counts: CaptureCounts, problem: str) -> None:
        """Take the last counters, and why the session ended where nobody asked for that."""
        ...


class FeedStatus(NamedTuple):
    """What a feed can say of itself at any time."""

    frames: int
    kernel_drops: int = 0
    interface_drops: int = 0
    shed_segments: int = 0
    keep_one_in: int = 1
    """One in so many conversations is kept now, on the interface where it is fewest."""
    undecoded: int = 0
    seen_twice: int = 0
    """Segments in frames that are copies of one seen just before."""
    one_way_conversations: int = 0
    problem: str = ""


class Feed(Protocol):
    """Brings segments to an analyst."""

    @property
    def name(self) -> str:
        """What is captured or read."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether the capture's time is this machine's."""
        ...

    def open(self) -> None:
        """Begin; raise what keeps it from that."""
        ...

    def run(self, analyst: Analyst, stop: threading.Event) -> None:
        """Bring everything until the end, or until ``stop``."""
        ...

    def status(self) -> FeedStatus:
        """Return how it gets on; for any thread."""
        ...


class _Interface:
    """What is known of a captured interface."""

    def __init__(self, origin: int) -> None:
        self.origin = origin
        self.session: AnalysedSession | None = None
        self.followers: tuple[SessionFollower, ...] = ()
        self.before = CaptureCounts()
        """Of its sessions that are over."""
        self.counts = CaptureCounts()
        """Of the current one."""
        self.problem = ""
        self.ended = False


class LiveFeed:
    """Captures interfaces; each time one is opened makes a session."""

    def __init__(
        self, captures: list[InterfaceCapture], intake: Intake, follow: Callable[[Opened], tuple[SessionFollower, ...]]
    ) -> None:
        """``captures`` put their events into ``intake``; ``follow`` makes those who follow a session."""
        self._captures = captures
        self._intake = intake
        self._follow = follow
        self._interfaces = {one.interface: _Interface(place) for place, one in enumerate(captures)}

    @property
    def name(self) -> str:
        """Return the interfaces."""
        return ", ".join(self._interfaces)

    @property
    def is_live(self) -> bool:
        """Return that it is."""
        return True

    def open(self) -> None:
        """Open the interfaces. Raises UsageError or InputError."""
        for capture in self._captures:
            capture.open()

    def run(self, analyst: Analyst, stop: threading.Event) -> None:
        """Capture until ``stop``, and analyse everything that was captured until then."""
        for capture in self._captures:
            capture.start()
        try:
            while not stop.is_set() and not self._ended:
                self._step(analyst)
        finally:
            for capture in self._captures:
                capture.stop()
        while not self._ended:
            self._step(analyst)
        for capture in self._captures:
            capture.join()

    def status(self) -> FeedStatus:
        """Return the sums over all interfaces and their sessions."""
        every = [counts for one in self._interfaces.values() for counts in (one.before, one.counts)]
        return FeedStatus(
            frames=sum(one.frames for one in every),
            kernel_drops=sum(one.kernel_drops for one in every),
            interface_drops=sum(one.interface_drops for one in every),
            shed_segments=sum(one.shed_segments for one in every),
            keep_one_in=max(one.counts.keep_one_in for one in self._interfaces.values()),
            undecoded=sum(one.undecoded for one in every),
            seen_twice=sum(one.seen_twice for one in every),
            one_way_conversations=sum(one.one_way_conversations for one in every),
            problem="; ".join(one.problem for one in self._interfaces.values() if one.problem),
        )

    @property
    def _ended(self) -> bool:
        return all(one.ended for one in self._interfaces.values())

    def _step(self, analyst: Analyst) -> None:
        event = self._intake.take(STEP_SECONDS)
        if event is not None:
            self._handle(self._interfaces[event.interface], event, analyst)

    def _handle(self, one: _Interface, event: Event, analyst: Analyst) -> None:
        if isinstance(event, Opened):
            one.followers, one.problem = self._follow(event), ""
            one.session = analyst.begin(one.origin, *one.followers)
        elif isinstance(event, Captured):
            if one.session is None:
                raise RuntimeError("an interface that was not opened has captured something")
            one.counts = event.counts
            for follower in one.followers:
                follower.count(event.counts)
            if event.segments is not None:
                analyst.add(one.session, event.segments)
            if event.until:
                analyst.pass_time(one.session, event.until)
        elif isinstance(event, Ended):
            self._end(one, event, analyst)

    def _end(self, one: _Interface, event: Ended, analyst: Analyst) -> None:
        if one.session is not None:
            analyst.finish(one.session)
            for follower in one.followers:
                follower.end(one.counts, event.problem)
            one.session = None
            one.before, one.counts = _sum(one.before, one.counts), CaptureCounts()
        one.ended, one.problem = event.final, event.problem
        if event.error is not None:
            raise event.error


def _sum(before: CaptureCounts, counts: CaptureCounts) -> CaptureCounts:
    values = {name: value + getattr(counts, name) for name, value in before._asdict().items()}
    return CaptureCounts(**values)._replace(keep_one_in=1)


class FileFeed:
    """Reads a capture, as fast as it was made, or some times as fast, or as fast as possible."""

    def __init__(self, capture: DecodedCapture, speed: float | None, followers: tuple[Follower, ...]) -> None:
        """``speed``: times as fast as the capture was made; None: as fast as possible."""
        self._capture = capture
        self._pace = Pace(speed)
        self._followers = followers
        self._frame = 0
        self.is_whole = False
        """Whether the capture was read to its end."""

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self._capture.reader.name

    @property
    def is_live(self) -> bool:
        """Return that it is not."""
        return False

    def open(self) -> None:
        """Do nothing: whoever gave the capture has opened it."""

    def run(self, analyst: Analyst, stop: threading.Event) -> None:
        """Analyse the capture."""
        session = analyst.begin(0, *self._followers)
        for segments in due_segments(self._capture, self._pace, stop):
            if segments is not None:
                analyst.add(session, segments)
                self._frame = int(segments.frame[-1])
            elif (reached := self._pace.reached(time.monotonic())) is not None:
                analyst.pass_time(session, reached)
        self.is_whole = not stop.is_set()
        analyst.finish(session)

    def status(self) -> FeedStatus:
        """Return what was read; frames that are read ahead of their time do not count."""
        return FeedStatus(frames=self._frame, undecoded=undecoded(self._capture.skipped))
