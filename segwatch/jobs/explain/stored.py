"""Conversations that the store knows: all of a scope in sums, and some of them as far as they were kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from typing import Any, Self

import numpy as np

from processors.engine import FOR_EVER, Engine
from processors.stream.settings import configured_timeouts
from segwatch.errors import InputError
from segwatch.explain.ledger import SIDES, Ledger
from segwatch.jobs.explain.gather import MOST_SEGMENTS, Gathered
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.totals import Totals
from segwatch.records.findings import empty_findings
from segwatch.scope import Scope
from sinks.connection import ServerAddress, new_client
from sinks.decoding import ArrayReader
from sinks.querying import Querying
from sinks.store import store_address
from sinks.stored_conversations import (
    ConversationKey,
    conversation_anomalies,
    conversation_minutes,
    conversation_totals,
    session_name,
)
from sinks.stored_segments import conversation_segments, file_sessions, without_repetitions
from sinks.stored_verdicts import conversation_verdicts, harmed_conversations


class StoredConversations:
    """The conversations of a scope. Errors are ``StoreError``, and ``InputError`` where there is none.

    ``querying``: a connection to the store, which stays the caller's.
    """

    def __init__(self, querying: Querying, scope: Scope, rules: str) -> None:
        self.scope = scope
        self.querying = querying
        self.totals = Totals()
        self._rules = rules
        self._reader = ArrayReader(querying.address)
        self._client = new_client(querying.address)
        self._sessions = np.zeros((0, 2), np.uint64)
        self.first = int(np.iinfo(np.int64).max)
        """Time of the first segment in the scope, nanoseconds since the epoch."""
        self.streams = np.zeros(0, np.int64)
        """(C,) numbers of the conversations in their sessions, in the order of ``totals.conversations``."""

    def __enter__(self) -> Self:
        try:
            self._add_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self._client.disconnect()

    def _add_up(self) -> None:
        sessions, streams = [self._sessions], [self.streams]
        count = 0
        for found, totals in conversation_totals(self._reader, self.scope):
            sessions.append(found)
            streams.append(totals["stream"].astype(np.int64))
            # One record each, so that they can be numbered as they come.
            totals["stream"] = np.arange(count, count + len(totals))
            count += len(totals)
            self.first = min(self.first, int(totals["first"].min()))
            self.totals.add(totals, count)
        if not count:
            raise InputError(
                f"The store {self.address} has no TCP conversations {self.scope.text}; its table "
                "intervals tells of which sensors and times it has some (segwatch query)."
            )
        self._sessions, self.streams = np.concatenate(sessions), np.concatenate(streams)

    @property
    def address(self) -> ServerAddress:
        """Where the store is."""
        return self.querying.address

    def key(self, place: int) -> ConversationKey:
        """Return what finds the conversation that is at a place of ``totals.conversations``."""
        total = self.totals.conversations[place]
        return ConversationKey(
            session_name(self._sessions[place]),
            int(self.streams[place]),
            int(total["opened"]),
            int(total["client_port"]),
            int(total["server_port"]),
        )

    def sensor(self, session: str) -> str:
        """Return the sensor of a session."""
        statement = f"SELECT any(sensor) FROM intervals WHERE {Scope(session=session).condition}"  # noqa: S608  # hexadecimal digits
        ((sensor,),) = self.querying.run(statement).rows
        return str(sensor)

    def chosen(self, wanted: Wanted) -> list[int]:
        """Return the places of the conversations that are to be told of."""
        if wanted.is_narrowed:
            return wanted.chosen(self.totals, self.streams)
        found = set(harmed_conversations(self._reader, self.scope))
        names = zip(*self._sessions.T.tolist(), self.streams.tolist(), strict=True)
        harmed = np.fromiter((name in found for name in names), np.bool_, len(self.streams))
        return wanted.chosen(self.totals, self.streams, harmed)

    def ledgers(self, places: list[int]) -> Iterator[tuple[ConversationKey, Ledger]]:
        """Yield some conversations, given by their places, all of each and not only what is in the scope.

        Where all segments were kept they are analysed again. Else the ledger has those with a label or a RST, counters
        by minute, and the verdicts that were stored.
        """
        for place in places:
            key = self.key(place)
            minutes = conversation_minutes(self._reader, key)
            segments = int(minutes["sent"]["segments"].sum())
            gathered = self._analysed_again(key, minutes[0])
            if gathered.counted == segments or gathered.segments == MOST_SEGMENTS:
                yield key, gathered.ledger(key.stream)
            else:
                kept = conversation_anomalies(self._reader, key)
                yield key, Ledger(key.stream, *kept, counts=minutes, verdicts=conversation_verdicts(self._reader, key))

    def _analysed_again(self, key: ConversationKey, minute: Any) -> Gathered:
        """Analyse what was kept between the ends of ``minute``; return the segments of the conversation."""
        gathered = Gathered()
        client, server = ((str(IPv6Address(minute[side].tobytes())), int(minute[f"{side}_port"])) for side in SIDES)
        is_file = bool(file_sessions(self._client, self.address, [key.session]))
        engine = Engine(self._rules, FOR_EVER if is_file else configured_timeouts())
        number: int | None = None
        kept = conversation_segments(self._reader, key.session, client, server)
        for segments in kept if is_file else without_repetitions(kept):
            known = engine.conversations
            findings = empty_findings(len(segments.ts))
            engine.analyze(segments, findings)
            if number is None:
                begins = np.flatnonzero((segments.ts == key.opened) & (findings.stream >= known))
                number = int(findings.stream[begins[0]]) if len(begins) else None
            if number is not None:
                gathered.add(segments, findings, np.flatnonzero(findings.stream == number))
        return gathered


@contextmanager
def opened_conversations(store: str, scope: Scope, rules: str) -> Iterator[StoredConversations]:
    """Open a store (the local one is started) and give the conversations of a scope in it."""
    querying = Querying(store_address(store))
    try:
        with StoredConversations(querying, scope, rules) as stored:
            yield stored
    finally:
        querying.close()
