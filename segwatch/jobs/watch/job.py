"""The job behind ``segwatch watch``: capture, engine and picture in one process."""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console

from ingest.capture.live.capture import InterfaceCapture
from ingest.capture.live.intake import Intake
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic
from processors.engine import FOR_EVER
from processors.rules.rule_sets import rule_set
from processors.stream.settings import configured_timeouts
from segwatch import __version__
from segwatch.compilation import kernels_are_kept
from segwatch.jobs.captures import Captures
from segwatch.jobs.compiled import is_warm
from segwatch.jobs.decoding import DecodedCapture
from segwatch.jobs.render import print_summary
from segwatch.jobs.stopping import stop_requested
from segwatch.jobs.watch.analyst import Analyst, Limits
from segwatch.jobs.watch.feed import Feed, FileFeed, LiveFeed
from segwatch.jobs.watch.frame import Frame, Meter
from segwatch.jobs.watch.picture import Picture
from segwatch.jobs.watch.plain import Lines
from segwatch.jobs.watch.recap import FileRecap, live_summary, part_of_file
from segwatch.jobs.watch.screen import Screen
from segwatch.processes.logs import log_to_stderr

if TYPE_CHECKING:
    from segwatch.jobs.keeping import Keeper
    from segwatch.jobs.watch.history import History

_NANOSECONDS: Final = 1_000_000_000


@dataclass(frozen=True)
class WatchJob:
    """How to watch."""

    rules: str
    window: float
    """Seconds that the sliding window is long."""
    interval: float
    """Seconds between two refreshes."""
    seconds: float | None
    """After how many it ends by itself."""
    conversations: int
    """How many are remembered: of each interface those that go on, and of all those that are over."""
    store: str | None
    """Where history is kept, if it is."""
    as_json: bool

    def watch_interfaces(self, interfaces: tuple[str, ...], options: CaptureOptions, name: str) -> None:
        """Capture interfaces as the sensor ``name`` until a key, a signal or the time ends it."""
        rule_set(self.rules)  # a wrong name is told before anything is shown
        _compile()
        picture = self._picture()
        analyst = Analyst(
            picture, self.rules, Limits(configured_timeouts(), self.conversations), judges=self.store is not None
        )
        with ExitStack() as stack:
            history = stack.enter_context(self._history(name))
            unwanted = OwnTraffic().clause(history.servers) if history else ""
            intake = Intake()
            captures = [InterfaceCapture(one, options, intake, unwanted) for one in interfaces]
            feed = LiveFeed(captures, intake, history.sessions if history else lambda _: ())
            self._watch(feed, analyst, interfaces, history)
        status = feed.status()
        capture = status._asdict() | {"forgotten_conversations": analyst.evicted}
        if history:
            capture["lost_rows"] = history.lost
        summary = live_summary(picture, feed.name, analyst.count_conversations(), status) | {"capture": capture}
        losses = (
            f"{status.kernel_drops + status.interface_drops:,} frames dropped, {status.shed_segments:,} segments shed, "
            f"{status.seen_twice:,} segments seen twice, {status.one_way_conversations:,} one-way conversations, "
            f"{analyst.evicted:,} conversations forgotten while they were going on."
        )
        self._conclude(summary, losses, history.outcome() if history else "")

    def watch_file(self, file: str, speed: float | None, name: str) -> int:
        """Watch a capture, which is stored as one of the sensor ``name``; return the exit code."""
        rule_set(self.rules)
        _compile()
        captures = Captures((file,))
        with self._keeper(name) as keeper:
            for capture in captures.each(partial(DecodedCapture, named=self.as_json or keeper is not None)):
                picture = self._picture()
                analyst = Analyst(picture, self.rules, Limits(FOR_EVER, None), judges=self.store is not None)
                recap = FileRecap(analyst.count_conversations, keeper)
                feed = FileFeed(capture, speed, (recap,))
                self._watch(feed, analyst, (file,))
                content = capture.content() if feed.is_whole else part_of_file(capture, picture, feed.status())
                summary = recap.summary.finished(content)
                if feed.is_whole and not captures.finished(content, summary["segments"]):
                    continue
                outcome = "" if feed.is_whole else "This is not all of the capture."
                if keeper is not None and feed.is_whole:
                    outcome = keeper.store(content, summary["segments"], summary["conversations"], self.rules)
                self._conclude(summary, outcome)
        return captures.exit_code

    def _picture(self) -> Picture:
        return Picture(round(self.window * _NANOSECONDS), self.conversations)

    def _watch(self, feed: Feed, analyst: Analyst, interfaces: Sequence[str], history: "History | None" = None) -> None:
        """Bring what the feed gives to the analyst, and show it, until one of them ends."""
        console = Console()
        if console.is_terminal and not self.as_json:
            # What is logged would be written across the screen, which shows the problems of the capture.
            logging.getLogger().addHandler(logging.NullHandler())
            shown: Screen | Lines = Screen(console, interfaces, self.interval)
        else:
            log_to_stderr()
            shown = Lines(self.interval, as_json=self.as_json)
        with stop_requested() as stop:
            feed.open()
            watched = _Watched(feed, analyst, stop, self.seconds, history)
            watched.start()
            try:
                with shown:
                    shown.show(watched.frame, watched.is_over(until_left=isinstance(shown, Screen)))
            finally:
                stop.set()
                watched.join()
        watched.raise_error()

    def _conclude(self, summary: dict[str, Any], *sentences: str) -> None:
        if self.as_json:
            document = {"kind": "summary", "segwatch": __version__, "rules": self.rules, **summary}
            click.echo(json.dumps(document, ensure_ascii=False))
            return
        print_summary(summary)
        for sentence in filter(None, sentences):
            click.echo(sentence)

    def _keeper(self, name: str) -> "AbstractContextManager[Keeper | None]":
        if self.store is None:
            return nullcontext()
        from segwatch.jobs.keeping import Keeper  # what talks to ClickHouse takes long to import

        return Keeper(self.store, name, with_segments=False)

    def _history(self, name: str) -> "AbstractContextManager[History | None]":
        if self.store is None:
            return nullcontext()
        from segwatch.jobs.watch.history import open_history  # as above

        return open_history(self.store, name)


class _Watched:
    """The thread that brings segments to the analyst, and how far it is."""

    def __init__(
        self, feed: Feed, analyst: Analyst, stop: threading.Event, seconds: float | None, history: "History | None"
    ) -> None:
        self._feed = feed
        self._analyst = analyst
        self._stop = stop
        self._history = history
        self._meter = Meter(is_live=feed.is_live)
        self._error: BaseException | None = None
        self._began = time.monotonic()
        self._end = None if seconds is None else self._began + seconds
        self._thread = threading.Thread(target=self._run, name="segwatch-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def raise_error(self) -> None:
        """Raise what the thread ended with, if that was an error."""
        if self._error is not None:
            raise self._error

    def is_over(self, *, until_left: bool) -> Callable[[], bool]:
        """Return a function that says whether to stop showing; ``until_left``: what has ended stays to be seen."""

        def over() -> bool:
            late = self._end is not None and time.monotonic() >= self._end
            ended = not self._thread.is_alive() and not until_left
            return late or ended or self._stop.is_set() or self._error is not None

        return over

    def frame(self, *, since_start: bool) -> Frame:
        """Return what is to be seen now."""
        look, status = self._analyst.look(since_start=since_start), self._feed.status()
        packets, bits = self._meter.rates(look, status)
        return Frame(
            name=self._feed.name,
            running=time.monotonic() - self._began,
            packets_a_second=packets,
            payload_bits_a_second=bits,
            look=look,
            status=status,
            evicted=self._analyst.evicted,
            lost_rows=self._history.lost if self._history else 0,
            problem=self._history.problem if self._history else "",
            ended=not self._thread.is_alive(),
        )

    def _run(self) -> None:
        try:
            self._feed.run(self._analyst, self._stop)
        except BaseException as error:  # whatever it is, the thread that shows must hear of it
            self._error = error


def _compile() -> None:
    """Compile everything before the capture begins: neither frames nor keys wait."""
    if not is_warm() and kernels_are_kept():
        from segwatch.jobs.warmup import warm_up

        click.echo("Compiling, once after each installation; this takes a minute or two.", err=True)
        warm_up()
