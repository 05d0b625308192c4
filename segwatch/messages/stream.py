"""One message = one Arrow IPC stream = one record batch; its schema's metadata are the message's header.

Its columns are compressed by LZ4, as the Arrow format has it; Kafka compresses nothing.

Any Arrow reader can read it. The header's values are text; ``schema`` is the kind of record and its version, such as
``segments/1.0``. A newer minor version may add columns and keys, which are ignored; a newer major one is refused.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.sizes import check_sizes

SCHEMA_KEY = "schema"
_CONTINUATION = b"\xff\xff\xff\xff"
# Compressed here and not by Kafka: its broker would decompress every message to look at it, and Python's clients copy
# it twice more (measured: a seventh of the whole pipeline's work). No threads: other processes have the other cores.
# A negative level of LZ4 is its acceleration: segments take half the time to write, two thirds to read, and 17 % more
# bytes (measured); header fields that differ from row to row are passed over sooner.
_LZ4_ACCELERATION: Final = 20
_WRITE_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression=pa.Codec("lz4", -_LZ4_ACCELERATION), use_threads=False)
_READ_OPTIONS: Final = pa.ipc.IpcReadOptions(use_threads=False)
_NOTHING_ADDED: Final[Mapping[str, Any]] = {}
MOST_TEXT: Final = 4096
"""Characters of a text in a header: as many as a path may have. Findings repeat it."""


class SchemaVersion(NamedTuple):
    """Kind and version of a record schema."""

    kind: str
    major: int
    minor: int

    def __str__(self) -> str:
        """Return the text that stands in the metadata."""
        return f"{self.kind}/{self.major}.{self.minor}"


def write_message(schema: pa.Schema, version: SchemaVersion, arrays: list[Any], header: Mapping[str, str]) -> bytes:
    """Return the message with these columns (one array for each field of ``schema``) and header."""
    described = schema.with_metadata({SCHEMA_KEY: str(version), **header})
    batch = pa.RecordBatch.from_arrays(arrays, schema=described)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, described, options=_WRITE_OPTIONS) as writer:
        writer.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_message(
    content: bytes, schema: pa.Schema, version: SchemaVersion, added: Mapping[str, Any] = _NOTHING_ADDED
) -> tuple[dict[str, str], list[Any]]:
    """Return header and columns, in the order of ``schema``; columns point into ``content``.

    ``added``: columns that a message of an older minor version lacks, and the value that stands for each of them.
    Raises ``MessageError``.
    """
    batch = _only_batch(content)
    header = _header(batch.schema.metadata or {})
    check_version(header.get(SCHEMA_KEY), version)
    # Looking for columns one by one takes longer than to read them, in a message of few rows.
    arrays = batch.columns if batch.schema.equals(schema) else [_column(batch, field, added) for field in schema]
    for place, array in enumerate(arrays):
        if array.null_count:
            raise MessageError(Reason.WRONG_VALUES, f"column {schema.names[place]} has nulls")
    return header, arrays


def _column(batch: Any, field: pa.Field, added: Mapping[str, Any]) -> Any:
    place = batch.schema.get_field_index(field.name)
    if place < 0 and field.name in added:
        return pa.repeat(pa.scalar(added[field.name], field.type), batch.num_rows)
    if place < 0 or batch.schema.field(place).type != field.type:
        found = "missing" if place < 0 else f"of type {batch.schema.field(place).type}"
        raise MessageError(Reason.WRONG_COLUMNS, f"column {field.name} is {found}, not of type {field.type}")
    return batch.column(place)


def _only_batch(content: bytes) -> Any:
    if not content.startswith(_CONTINUATION):
        raise MessageError(Reason.NOT_ARROW, "it does not begin as an Arrow stream does")
    buffer = pa.py_buffer(content)
    try:
        check_sizes(buffer)
        with pa.ipc.open_stream(buffer, options=_READ_OPTIONS) as reader:
            batches = list(reader)
    except (pa.ArrowException, OSError, EOFError) as error:
        text = " ".join(str(error).split())
        raise MessageError(_reason(error, text.lower()), text[:200]) from error
    if len(batches) != 1:
        raise MessageError(Reason.CUT if not batches else Reason.NOT_ARROW, f"it has {len(batches)} record batches")
    try:
        batches[0].validate(full=True)
    except pa.ArrowInvalid as error:
        raise MessageError(Reason.WRONG_VALUES, " ".join(str(error).split())[:200]) from error
    return batches[0]


def _reason(error: Exception, text: str) -> Reason:
    """Return why Arrow could not read a message; it has no types for that."""
    if "compress" in text:
        return Reason.DAMAGED
    return Reason.CUT if isinstance(error, EOFError | OSError) or "expected" in text else Reason.NOT_ARROW


def _header(metadata: Mapping[bytes, bytes]) -> dict[str, str]:
    try:
        return {key.decode(): value.decode() for key, value in metadata.items()}
    except UnicodeDecodeError as error:
        raise MessageError(Reason.WRONG_METADATA, "its keys or values are no text") from error


def check_version(text: str | None, known: SchemaVersion) -> None:
    """Accept the known major version of the known kind. Raises ``MessageError``."""
    kind, _, numbers = (text or "").partition("/")
    major, _, minor = numbers.partition(".")
    if not kind or not major.isdecimal() or not minor.isdecimal():
        raise MessageError(Reason.WRONG_METADATA, f"schema is {text!r}, not like {known}")
    if kind != known.kind:
        raise MessageError(Reason.OTHER_KIND, f"{kind} instead of {known.kind}")
    if int(major) != known.major:
        what = "upgrade what reads it" if int(major) > known.major else "upgrade what wrote it"
        raise MessageError(Reason.NEWER_SCHEMA, f"{text}, and {known} is understood here; {what}")


def whole_number(header: Mapping[str, str], key: str) -> int:
    """Return a whole number of 64 bits out of a header. Raises ``MessageError``."""
    text = header.get(key, "")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20 and -(2**63) <= int(text) < 2**63):
        raise MessageError(Reason.WRONG_METADATA, f"{key} is {text!r}, not a whole number")
    return int(text)


def text_value(header: Mapping[str, str], key: str) -> str:
    """Return a text that must be there. Raises ``MessageError``."""
    if key not in header:
        raise MessageError(Reason.WRONG_METADATA, f"{key} is missing")
    text = header[key]
    if len(text) > MOST_TEXT:
        raise MessageError(Reason.WRONG_METADATA, f"{key} has {len(text)} characters, and {MOST_TEXT} are the most")
    return text


def session_value(header: Mapping[str, str], key: str = "session") -> str:
    """Return a session, 32 hexadecimal digits in lower case. Raises ``MessageError``."""
    text = text_value(header, key)
    if len(text) != 32 or not set(text) <= set("0123456789abcdef"):
        raise MessageError(Reason.WRONG_METADATA, f"{key} is {text!r}, not 32 hexadecimal digits")
    return text
