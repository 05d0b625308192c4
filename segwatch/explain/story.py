"""The chapters of a conversation's story, in order."""

from typing import NamedTuple

from segwatch.explain.closing import closing
from segwatch.explain.course import course
from segwatch.explain.glossary import words_of
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.opening import opening
from segwatch.explain.sentences import Chapter
from segwatch.explain.stalls import stalls
from segwatch.explain.totals import totals


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
    chapters = [
        Chapter("In short", list(totals(ledger))),
        Chapter("How it opened", list(opening(ledger))),
        Chapter("What happened", course(ledger)),
        Chapter("Where the time went", list(stalls(ledger))),
        Chapter("How it ended", list(closing(ledger))),
    ]
    chapters = [chapter for chapter in chapters if chapter.sentences]
    topics = {sentence.topic for chapter in chapters for sentence in chapter.sentences}
    return Story(
        stream=ledger.stream,
        client=ledger.end_text(CLIENT),
        server=ledger.end_text(SERVER),
        begin=int(ledger.segments.ts[0]),
        chapters=chapters,
        words=words_of(topics),
    )
