"""Rows of a query as text, one after the other."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

FORMATS = ("table", "csv", "tsv", "json", "jsonl")

Rows = Iterable[tuple[Any, ...]]

_TSV_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})


def cell_text(value: Any) -> str:
    """Return a value as ClickHouse writes it; the empty text for NULL."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case IPv6Address() if value.ipv4_mapped is not None:
            return f"::ffff:{value.ipv4_mapped}"
        case list() | tuple():
            brackets = "[]" if isinstance(value, list) else "()"
            return brackets[0] + ",".join(_quoted(item) for item in value) + brackets[1]
        case dict():
            return "{" + ",".join(f"{_quoted(key)}:{_quoted(item)}" for key, item in value.items()) + "}"
        case float():
            return "nan" if math.isnan(value) else repr(value)
        case _:
            return str(value)


def _quoted(value: Any) -> str:
    text = cell_text(value)
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float | Decimal | list | tuple | dict):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def json_value(value: Any) -> Any:
    """Return a value as what the ``json`` module can write."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple():
            return [json_value(item) for item in value]
        case dict():
            return {cell_text(key): json_value(item) for key, item in value.items()}
        case UUID() | IPv4Address() | IPv6Address() | datetime() | date() | Decimal() | bytes():
            return cell_text(value)
        case _:
            return str(value)


def csv_lines(names: list[str], rows: Rows) -> Iterator[str]:
    """Yield comma-separated values with a header (RFC 4180, but lines end with a line feed)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        yield _taken(buffer)
        writer.writerow([cell_text(value) for value in row])
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def tsv_lines(names: list[str], rows: Rows) -> Iterator[str]:
    r"""Yield tab-separated values with a header, escaped as ClickHouse does (``\t``, ``\n``, ``\N`` for NULL)."""
    yield "\t".join(name.translate(_TSV_ESCAPES) for name in names) + "\n"
    for row in rows:
        yield "\t".join("\\N" if value is None else cell_text(value).translate(_TSV_ESCAPES) for value in row) + "\n"


def jsonl_lines(names: list[str], rows: Rows) -> Iterator[str]:
    """Yield a JSON object a line."""
    for row in rows:
        yield _object(names, row) + "\n"


def json_lines(names: list[str], rows: Rows) -> Iterator[str]:
    """Yield one JSON array of objects."""
    separator = "[\n"
    for row in rows:
        yield separator + _object(names, row)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _object(names: list[str], row: tuple[Any, ...]) -> str:
    return json.dumps({name: json_value(value) for name, value in zip(names, row, strict=True)}, ensure_ascii=False)


LINE_FORMATS = {"csv": csv_lines, "tsv": tsv_lines, "json": json_lines, "jsonl": jsonl_lines}
"""The formats that are text line by line; ``table`` is drawn by the command itself."""
