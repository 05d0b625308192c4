"""ClickHouse's lists of inserted blocks, made readable again before it starts.

Each table that is no replica has such a list, by which ClickHouse knows an insert that comes again: a line for each
block, with an operation (1 added, 2 dropped), the part and the block. Where the disk is full in the middle of a line,
the insert fails, and the next line follows in the same one. There ClickHouse (26.9) stops reading at its next start: it
would take for new what a sink inserts once more, and only in the tables whose lists are torn.
"""

from pathlib import Path
from typing import Final

_LISTS: Final = "store/*/*/deduplication_logs/deduplication_log_*.txt"
_FIELDS: Final = 3
_OPERATIONS: Final = (b"1", b"2")


def mend_deduplication_logs(data: Path) -> int:
    """Leave torn lines out of all lists in ClickHouse's data folder; return how many lists had some.

    No server may run on the folder. Raises ``OSError``.
    """
    return sum(_mend(file) for file in data.glob(_LISTS))


def _mend(file: Path) -> bool:
    content = file.read_bytes()
    whole = b"".join(_whole(line) for line in content.split(b"\n")[:-1])
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
