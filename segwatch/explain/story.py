"""The chapters of a conversation's story, in order."""

from collections.abc import Iterator
from typing import NamedTuple

from segwatch.explain.closing import closing
from segwatch.explain.counted import (
    Minutes,
    counted_closing,
    counted_opening,
    counted_stalls,
    counted_totals,
    unknown,
)
from segwatch.explain.course import course
from segwatch.explain.glossary import words_of
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.opening import opening
from segwatch.explain.sentences import Chapter
from segwatch.explain.stalls import stalls
from segwatch.explain.totals import totals
from segwatch.explain.why import why


class Story(NamedTuple):
    """What there is to say of a conversation."""

    stream: int
    client: str
    server: str
    begin: int
    """Nanoseconds since 1970-01-01 UTC."""
    chapters: list[Chapter]
    """None of them empty."""
    words: dict[str, str]
    """What the words in it mean, for people who have never read RFC 9293."""


def story_of(ledger: Ledger) -> Story:
    """Tell the story of a conversation."""
    chapters = [chapter for chapter in _chapters(ledger) if chapter.sentences]
    topics = {sentence.topic for chapter in chapters for sentence in chapter.sentences}
    return Story(
        stream=ledger.stream,
        client=ledger.end_text(CLIENT),
        server=ledger.end_text(SERVER),
        begin=ledger.begun,
        chapters=chapters,
        words=words_of(topics),
    )


def _chapters(ledger: Ledger) -> Iterator[Chapter]:
    minutes = None if ledger.counts is None else Minutes(ledger.counts)
    yield Chapter("In short", list(counted_totals(minutes) if minutes else totals(ledger)))
    yield Chapter("How it opened", list(counted_opening(ledger, minutes) if minutes else opening(ledger)))
    yield Chapter("What happened", course(ledger))
    yield Chapter("Why, as far as it shows", list(why(ledger)))
    yield Chapter("Where the time went", list(counted_stalls(ledger, minutes) if minutes else stalls(ledger)))
    yield Chapter("How it ended", list(counted_closing(ledger, minutes) if minutes else closing(ledger)))
    if minutes:
        yield Chapter("What is not known", list(unknown(ledger, minutes)))
