"""From the events of capture threads to messages: a session of the sensor for each time an interface is opened."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ingest.capture.live import metrics
from ingest.capture.live.intake import Captured, Ended, Event, Intake, Opened
from ingest.publish.batches import Session
from ingest.publish.sensor import STATUS_NANOSECONDS, SensorSession

NewSession = Callable[[Session], SensorSession]


@dataclass
class _Interface:
    """What is known of an interface."""

    name: str
    session: SensorSession | None = None
    """The last one, which may be over."""
    problem: str = ""
    """Why the interface is not captured now."""
    told: int = 0
    """When the problem was told last."""
    ended: bool = False
    """Whether nothing more comes of it."""


class LiveSessions:
    """Publishes what some captures give; to be used by one thread."""

    def __init__(
        self, sensor: str, interfaces: Iterable[str], intake: Intake, new_number: Callable[[], str],
        new_session: NewSession,
    ) -> None:  # fmt: skip
        """``new_number`` gives the number of another session, ``new_session`` what publishes its messages."""
        self.opened: list[SensorSession] = []
        """All sessions so far."""
        self._sensor = sensor
        self._intake = intake
        self._new_number = new_number
        self._new_session = new_session
        self._interfaces = {name: _Interface(name) for name in interfaces}

    @property
    def ended(self) -> bool:
        """Whether all captures have ended."""
        return all(one.ended for one in self._interfaces.values())

    def step(self, patience: float) -> None:
        """Publish the next event or what time demands within ``patience`` seconds. Raise what a capture ended with."""
        running = (one.session for one in self._interfaces.values() if not one.problem and not one.ended)
        due = (session.due_seconds() for session in running if session is not None)
        event = self._intake.take(min([patience, *due]))
        if event is not None:
            self._handle(self._interfaces[event.interface], event)
        for one in self._interfaces.values():
            if one.problem:
                if time.monotonic_ns() - one.told >= STATUS_NANOSECONDS:
                    self._tell(one)
            elif one.session is not None and not one.ended:
                one.session.poll()

    def report_end(self) -> None:
        """Publish the last status of each interface."""
        for one in self._interfaces.values():
            if one.session is not None:
                one.session.report("stopping", one.problem)

    def text(self) -> str:
        """Return the state of all interfaces in a line."""
        return "; ".join(_text(one) for one in self._interfaces.values())

    def _handle(self, one: _Interface, event: Event) -> None:
        if isinstance(event, Opened):
            session = Session(self._sensor, self._new_number(), one.name, event.snaplen, True, event.capture_filter)
            one.session, one.problem = self._new_session(session), ""
            self.opened.append(one.session)
        elif isinstance(event, Ended):
            self._ended(one, event)
        elif one.session is None:
            raise RuntimeError(f"{one.name} was not opened and has captured something")
        elif isinstance(event, Captured):
            _publish(one.session, event)
        else:
            one.session.filtered(event.capture_filter)

    def _ended(self, one: _Interface, event: Ended) -> None:
        if one.session is not None and not one.problem:
            one.session.finish()
        one.ended = event.final
        if event.error is not None:
            raise event.error
        if event.problem:
            one.problem = event.problem
            self._tell(one)

    def _tell(self, one: _Interface) -> None:
        if one.session is None:
            one.session = self._new_session(Session(self._sensor, self._new_number(), one.name, 0, True))
        one.session.report("failed", one.problem)
        one.told = time.monotonic_ns()


def _publish(session: SensorSession, event: Captured) -> None:
    metrics.count(event.interface, session.counts, event.counts)
    session.count(event.counts)
    if event.segments is not None:
        session.add(event.segments)
    if event.until:
        session.pass_time(event.until)


def _text(one: _Interface) -> str:
    if one.problem:
        return f"{one.name}: {one.problem}"
    segments = one.session.segments if one.session else 0
    kept = one.session.counts.keep_one_in if one.session else 1
    return f"{one.name}: {segments:,} segments" + (f", keeping one in {kept} conversations" if kept > 1 else "")


def described(session: SensorSession) -> dict[str, Any]:
    """Return what was published of a session."""
    return {
        "interface": session.session.interface,
        "session": session.session.session,
        "sensor": session.session.sensor,
        "filter": session.session.capture_filter,
        "segments": session.segments,
        "messages": session.messages,
        "partitions": len(session.partitions),
        "dropped_segments": session.dropped,
        **session.counts._asdict(),
    }
