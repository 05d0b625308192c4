"""The questions of docs/sql.md and their queries."""

import re
from typing import NamedTuple

from tests.support import REPOSITORY

PAGE = REPOSITORY / "docs" / "sql.md"
_QUESTION = re.compile(r"^### (\d+)\. (.+?)\n\n```sql\n(.+?)\n```$", re.MULTILINE | re.DOTALL)


class Question(NamedTuple):
    """A question and the query that answers it; its range of time ends at ``now()``."""

    number: int
    words: str
    query: str

    def until(self, end: str, days: int = 1) -> str:
        """Return the query as if it were asked at ``end`` (``2026-01-01 10:00:00``, UTC), over so many days."""
        query = self.query.replace("INTERVAL 1 DAY", f"INTERVAL {days} DAY")
        return query.replace("now()", f"toDateTime('{end}', 'UTC')")


def questions() -> list[Question]:
    """Return the questions in the order of the page."""
    found = _QUESTION.findall(PAGE.read_text("utf-8"))
    return [Question(int(number), words, query) for number, words, query in found]
