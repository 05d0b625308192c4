"""Replaying a range of time: sessions through engines, into the store, and beside what stands there."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import click

from processors.rules.rule_sets import rule_set
from segwatch import __version__
from segwatch.errors import InputError, UsageError
from segwatch.jobs.progress import progress_of
from segwatch.jobs.replay.report import as_json, print_replay
from segwatch.jobs.replay.session import SessionReplay, Totals
from segwatch.jobs.replay.sources import Choice, KafkaSource, Piece, Source, StoreSource
from segwatch.jobs.replay.span import Original, Span
from segwatch.kafka.location import kafka_address
from segwatch.times import time_text
from sinks.comparison import Comparison, compare_sets
from sinks.store import SessionState, Store, open_store

KAFKA: Final = "kafka"
STORE: Final = "store"
_NO_STORE: Final = "none"


class Replayed(NamedTuple):
    """A session that was replayed."""

    original: Original
    name: str
    """Session of the new set, 32 hexadecimal digits."""
    was_stored: bool
    """Whether the store had that set already."""
    totals: Totals
    comparison: Comparison


@dataclass(frozen=True)
class ReplayJob:
    """What to replay, by which rules, and what to show."""

    span: Span
    rules: str
    source: str
    """``KAFKA`` or ``STORE``."""
    choice: Choice
    store: str
    limit: int
    """Rows that differ to show, of each session."""
    as_json: bool

    def run(self) -> int:
        """Replay all chosen sessions; return the exit code. Raises ``InputError`` where there is nothing."""
        if self.store == _NO_STORE:
            raise UsageError("a replay needs a store: `local` or clickhouse://[user@]host[:port]/database, not none.")
        rule_set(self.rules)  # before anything is started or read
        shown: list[dict[str, Any]] = []
        with open_store(self.store) as store:
            source = self._opened(store)
            for replayed in self._replays(source, store):
                if self.as_json:
                    shown.append(as_json(*replayed))
                else:
                    print_replay(*replayed, self.span, self.limit)
                    shown.append({})
        if source.unread_messages:
            click.echo(
                f"segwatch: {source.unread_messages:,} messages could not be read; they were left out.", err=True
            )
        if not shown:
            raise InputError(self._nothing())
        if self.as_json:
            click.echo(json.dumps(self._document(shown, source), indent=2, ensure_ascii=False))
        return 0

    def _opened(self, store: Store) -> Source:
        if self.source == KAFKA:
            return KafkaSource(kafka_address(), self.span, self.choice)
        return StoreSource(store, self.span, self.choice)

    def _replays(self, source: Source, store: Store) -> Iterator[Replayed]:
        active: dict[str, SessionReplay] = {}
        with ExitStack() as stack, progress_of("replay", source) as show:
            for piece in source.pieces():
                replay = self._fed(piece, active, stack)
                if piece.segments is None and replay is not None:
                    yield from self._finished(active.pop(piece.original.session), store)
                show()

    def _fed(self, piece: Piece, active: dict[str, SessionReplay], stack: ExitStack) -> SessionReplay | None:
        """Analyse a piece; return the replay of its session, ``None`` while it has had no segments."""
        session = piece.original.session
        if piece.segments is not None and len(piece.segments.ts):
            if session not in active:
                active[session] = SessionReplay(piece.original, self.span, self.rules)
                stack.callback(active[session].spool.close)
            active[session].add(piece.segments)
        return active.get(session)

    def _finished(self, replay: SessionReplay, store: Store) -> Iterator[Replayed]:
        replay.finish()
        if not replay.totals.segments:
            return
        was_stored = store.session_state(replay.name) is SessionState.STORED
        if not was_stored:
            store.store_session(replay.name, replay.sensor, replay.spool, replay.facts)
        replay.spool.close()
        original = replay.original
        comparison = compare_sets(
            store.client, store.address, original.session, replay.name, self.span.begin, self.span.end, self.limit
        )
        yield Replayed(original, replay.name, was_stored, replay.totals, comparison)

    def _nothing(self) -> str:
        chosen = "".join(
            f" of {what} {value}"
            for what, value in (("sensor", self.choice.sensor), ("session", self.choice.session))
            if value
        )
        found = f"no segments{chosen} from {time_text(self.span.begin)} to {time_text(self.span.end)} are in"
        if self.source == KAFKA:
            return f"{found} Kafka: it keeps them for a time only, and what is not published it does not have."
        return (
            f"{found} the store {self.store}: it keeps them with segwatch analyze --segments or segwatch sink "
            "--segments, and for a time only; --source kafka looks into Kafka."
        )

    def _document(self, shown: list[dict[str, Any]], source: Source) -> dict[str, Any]:
        return {
            "segwatch": __version__,
            "rules": self.rules,
            "source": self.source,
            "from": time_text(self.span.begin),
            "to": time_text(self.span.end),
            "analysed_from": time_text(self.span.start),
            "unread_messages": source.unread_messages,
            "sessions": shown,
        }
