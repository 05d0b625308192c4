"""ClickHouse's lists of inserted blocks, made right again before it starts.

Each table that is no replica has such a list, by which ClickHouse knows an insert that comes again: a line for each
block, with an operation (1 added, 2 dropped), the part and the block. ClickHouse (26.9) writes the line, and then gives
the part its name. Two things go wrong there:

* Where the disk is full in the middle of a line, the insert fails, and the next line follows in the same one. There
  ClickHouse stops reading at its next start: it would take for new what a sink inserts once more, and only in the
  tables whose lists are torn.
* Where it is killed between the two, the line speaks of a part that is not there: it would take for known what a sink
  inserts once more, and the rows would be lost.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_LISTS: Final = "store/*/*/deduplication_logs"
_FILES: Final = "deduplication_log_*.txt"
_FIELDS: Final = 3
_ADDED: Final = b"1"
_OPERATIONS: Final = (_ADDED, b"2")


class _Blocks(NamedTuple):
    """The inserts whose rows a part has."""

    partition: str
    first: int
    last: int


def mend_deduplication_logs(data: Path) -> int:
    """Leave out what is torn, and parts that are not there, of all lists in ClickHouse's data folder.

    Return how many files had some. No server may run on the folder. Raises ``OSError``.
    """
    mended = 0
    for lists in data.glob(_LISTS):
        newest = _newest(lists.parent)
        mended += sum(_mend(file, newest) for file in lists.glob(_FILES))
    return mended


def _newest(table: Path) -> dict[str, int]:
    """Return by partition the last block that is in any part of a table."""
    newest: dict[str, int] = {}
    for blocks in _parts(table):
        newest[blocks.partition] = max(blocks.last, newest.get(blocks.partition, blocks.last))
    return newest


def _parts(table: Path) -> Iterator[_Blocks]:
    for folder in table.iterdir():
        if folder.is_dir() and (blocks := _blocks(folder.name)) is not None:
            yield blocks


def _blocks(part: str) -> _Blocks | None:
    """Return what the name of a part says: partition_first_last_level, and a mutation; None for any other name."""
    partition, *numbers = part.split("_")
    if len(numbers) not in (3, 4) or not all(number.isdecimal() for number in numbers):
        return None
    return _Blocks(partition, int(numbers[0]), int(numbers[1]))


def _mend(file: Path, newest: dict[str, int]) -> bool:
    content = file.read_bytes()
    records = map(_whole, content.split(b"\n")[:-1])
    whole = b"".join(record for record in records if not _is_of_a_missing_part(record, newest))
    if whole == content:
        return False
    # In place: it becomes shorter, so that a full disk has room for it.
    with file.open("r+b") as list_of_blocks:
        list_of_blocks.write(whole)
        list_of_blocks.truncate()
    return True


def _whole(line: bytes) -> bytes:
    """Return the record that ends a line, without what is torn before it; nothing if there is none."""
    fields = line.split(b"\t")
    if len(fields) < _FIELDS or fields[-_FIELDS][-1:] not in _OPERATIONS:
        return b""
    return b"\t".join((fields[-_FIELDS][-1:], *fields[1 - _FIELDS :])) + b"\n"


def _is_of_a_missing_part(record: bytes, newest: dict[str, int]) -> bool:
    """Return whether a block was added after all that are there, as the last one before a kill."""
    operation, _, others = record.partition(b"\t")
    blocks = _blocks(others.partition(b"\t")[0].decode("ascii", "replace"))
    return operation == _ADDED and blocks is not None and blocks.first > newest.get(blocks.partition, -1)
