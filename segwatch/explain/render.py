"""Stories as text for a terminal, as Markdown, and as plain objects for JSON."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from segwatch.explain.sentences import Sentence, evidence_text
from segwatch.explain.story import Story
from segwatch.times import time_text


def plain_text(story: Story, drawn: str, width: int) -> str:
    """Return a story as text without colours."""
    plain = io.StringIO()
    print_story(Console(file=plain, width=width, highlight=False, emoji=False, markup=False), story, drawn)
    return "\n".join(line.rstrip() for line in plain.getvalue().splitlines())


def print_story(console: Console, story: Story, drawn: str) -> None:
    """Print a story, with its picture where there is one."""
    console.print(Text(_title(story), style="bold"))
    console.print(Text(_time_text(story.begin), style="dim"))
    for chapter in story.chapters:
        console.print()
        console.print(Text(chapter.title, style="bold"))
        for sentence in chapter.sentences:
            text = Text.assemble(sentence.text, (f" [{evidence_text(sentence)}]", "dim"))
            console.print(Padding(text, (0, 0, 0, 2)))
    if drawn:
        console.print()
        console.print(Text.from_ansi(drawn), no_wrap=True, crop=True)
    if story.words:
        console.print()
        console.print(Text("Words", style="bold"))
        for word, meaning in story.words.items():
            console.print(Padding(Text.assemble((f"{word}: ", "italic"), meaning), (0, 0, 0, 2)))


def markdown(story: Story, drawn: str) -> Iterator[str]:
    """Yield the lines of a story."""
    yield f"## {_title(story)}"
    yield ""
    yield _time_text(story.begin)
    for chapter in story.chapters:
        yield ""
        yield f"### {chapter.title}"
        yield ""
        for sentence in chapter.sentences:
            yield f"* {_escaped(sentence.text)} *({evidence_text(sentence)})*"
    if drawn:
        yield from ("", "```text", *(line.rstrip() for line in drawn.splitlines()), "```")
    if story.words:
        yield ""
        yield "### Words"
        yield ""
        for word, meaning in story.words.items():
            yield f"* **{_escaped(word)}**: {_escaped(meaning)}"


def as_object(story: Story) -> dict[str, Any]:
    """Return a story as docs/explain.md describes it; times and spans in seconds."""
    return {
        "stream": story.stream,
        "client": story.client,
        "server": story.server,
        "begin": _time_text(story.begin),
        "chapters": [
            {
                "title": chapter.title,
                "sentences": [_sentence(sentence) for sentence in chapter.sentences],
            }
            for chapter in story.chapters
        ],
        "words": story.words,
    }


def _sentence(sentence: Sentence) -> dict[str, Any]:
    minutes = {"minutes": [time_text(minute) for minute in sentence.minutes]} if sentence.minutes else {}
    return {
        "topic": sentence.topic,
        "text": sentence.text,
        "frames": list(sentence.frames),
        **minutes,
        "time": sentence.time / 1e9,
        "numbers": sentence.numbers,
    }


def _title(story: Story) -> str:
    return f"Conversation {story.stream}: {story.client} → {story.server}"


def _time_text(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction // 1_000_000:03d} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{seconds}.{fraction:09d} s"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_").replace("*", r"\*")
