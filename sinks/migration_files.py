"""The numbered SQL migrations that come with this version."""

import hashlib
import re
from functools import cache
from importlib import resources
from typing import NamedTuple

_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_COMMENT_LINE = re.compile(r"^--.*\n?", re.MULTILINE)
_FUNCTION = re.compile(r"CREATE (OR REPLACE )?FUNCTION ")
_CREATED = re.compile(r"CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS (\w+)")


class Migration(NamedTuple):
    """One file of SQL statements that lead from one version of the schema to the next."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements; each ends with a semicolon at the end of a line."""
        parts = _COMMENT_LINE.sub("", self.text).split(";\n")
        return [part.strip() for part in parts if part.strip()]

    @property
    def functions(self) -> list[str]:
        """Those statements that make functions, which belong to the server and are in no backup of the database."""
        return [statement for statement in self.statements if _FUNCTION.match(statement)]


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order."""
    found = []
    for entry in resources.files("sinks").joinpath("migrations").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match:
            found.append(Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8")))
    return tuple(sorted(found))


def created_objects() -> dict[str, str]:
    """Return names and kinds (``TABLE``, ``VIEW``, ``MATERIALIZED VIEW``) of what the migrations create, in order."""
    return {name: kind for migration in migrations() for kind, name in _CREATED.findall(migration.text)}
