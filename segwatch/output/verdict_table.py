"""Verdicts as Arrow tables and as text: NumPy columns, names by number."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segwatch.endpoints import address_text
from segwatch.vocabulary import CAUSE_NAMES, NEEDED_NAMES, PLACE_NAMES, PROOF_NAMES, STAGE_NAMES

_DURATION = pa.duration("ns")
_WORDS: Final = {"cause": CAUSE_NAMES, "needed": NEEDED_NAMES, "place": PLACE_NAMES, "stage": STAGE_NAMES}
_NUMBERS: Final[dict[str, pa.DataType]] = {
    "confidence": pa.float32(),
    "stalled": _DURATION,
    "bytes_again": pa.uint32(),
    "episode": pa.uint32(),
    "revision": pa.uint16(),
    "original_frame": pa.int64(),
    "since_original": _DURATION,
    "duplicate_acks": pa.uint32(),
    "sacked_above": pa.uint32(),
    "silence": _DURATION,
    "round_trip": _DURATION,
    "timeout": _DURATION,
    "ttl": pa.uint8(),
    "ip_id": pa.uint16(),
    "tsval": pa.uint32(),
    "ip_id_step": pa.int32(),
    "tsval_step": pa.int32(),
    "ttl_step": pa.int16(),
    "sequence_step": pa.int32(),
    "amended_by": pa.int64(),
}
_ABSENT_AT_0: Final = frozenset({"original_frame", "since_original", "round_trip", "amended_by", "episode"})
"""Columns whose 0 means that there is nothing."""
SCHEMA: Final = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("time", pa.timestamp("ns", "UTC"), nullable=False),
        pa.field("stream", pa.int32(), nullable=False),
        pa.field("src", pa.string(), nullable=False),
        pa.field("sport", pa.uint16(), nullable=False),
        pa.field("dst", pa.string(), nullable=False),
        pa.field("dport", pa.uint16(), nullable=False),
        pa.field("seq_raw", pa.uint32(), nullable=False),
        pa.field("len", pa.uint32(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in _WORDS),
        *(pa.field(name, kind, nullable=name in _ABSENT_AT_0) for name, kind in _NUMBERS.items()),
        pa.field("proof", pa.string(), nullable=False),
    ]
)
"""Columns of the table; ``src`` sent what is judged. Times are nanoseconds."""


def addresses(words: npt.NDArray[np.uint64], versions: npt.NDArray[np.uint8]) -> list[str]:
    """Return (V, 2) addresses as text, each formatted once."""
    known: dict[tuple[bytes, int], str] = {}
    texts = []
    for address, version in zip(words, versions.tolist(), strict=True):
        key = (address.tobytes(), version)
        if key not in known:
            known[key] = address_text(address, version)
        texts.append(known[key])
    return texts


def ends(verdicts: npt.NDArray[Any]) -> tuple[list[str], npt.NDArray[np.uint16], list[str], npt.NDArray[np.uint16]]:
    """Return address and port of who sent what is judged, and those of who should have got it."""
    by_client = verdicts["from_client"] != 0
    client, server = verdicts["client"], verdicts["server"]
    sources = np.where(by_client[:, None], client, server)
    targets = np.where(by_client[:, None], server, client)
    versions = verdicts["ip_version"]
    ports = verdicts["client_port"], verdicts["server_port"]
    return (
        addresses(sources, versions),
        np.where(by_client, *ports),
        addresses(targets, versions),
        np.where(by_client, *ports[::-1]),
    )


def _words(numbers: npt.NDArray[np.uint8], names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int8)), pa.array(names)).cast(pa.string())


def _proofs(masks: npt.NDArray[np.uint32]) -> pa.Array:
    """Return the names of proofs, separated by commas."""
    kinds, places = np.unique(masks, return_inverse=True)
    texts = [",".join(name for bit, name in enumerate(PROOF_NAMES) if mask >> bit & 1) for mask in kinds.tolist()]
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(texts, pa.string())).cast(
        pa.string()
    )


def _plain(column: npt.NDArray[Any], kind: pa.DataType, *, absent_at_0: bool) -> pa.Array:
    values = np.ascontiguousarray(column)
    mask = values == 0 if absent_at_0 else None
    if pa.types.is_temporal(kind):
        return pa.array(values, pa.int64(), mask=mask).cast(kind)
    return pa.array(values, kind, mask=mask)


def table(verdicts: npt.NDArray[Any], file_name: str | None = None) -> pa.Table:
    """Return (V,) ``VERDICT`` as a table of ``SCHEMA``, with ``file`` in front if there is a name."""
    source, source_port, target, target_port = ends(verdicts)
    columns = [
        _plain(verdicts["frame"], pa.int64(), absent_at_0=False),
        _plain(verdicts["time"], SCHEMA.field("time").type, absent_at_0=False),
        _plain(verdicts["stream"], pa.int32(), absent_at_0=False),
        pa.array(source, pa.string()),
        pa.array(source_port),
        pa.array(target, pa.string()),
        pa.array(target_port),
        _plain(verdicts["seq"], pa.uint32(), absent_at_0=False),
        _plain(verdicts["length"], pa.uint32(), absent_at_0=False),
        *(_words(verdicts[name], names) for name, names in _WORDS.items()),
        *(_plain(verdicts[name], kind, absent_at_0=name in _ABSENT_AT_0) for name, kind in _NUMBERS.items()),
        _proofs(verdicts["proof"]),
    ]
    made = pa.table(columns, schema=SCHEMA)
    if file_name is None:
        return made
    return made.add_column(0, schema(with_file=True).field("file"), pa.array([file_name] * len(verdicts), pa.string()))


def schema(*, with_file: bool) -> pa.Schema:
    """Return the schema, with the column ``file`` in front if it is wanted."""
    return SCHEMA.insert(0, pa.field("file", pa.string(), nullable=False)) if with_file else SCHEMA


def texts(rows: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows with times as decimal seconds (text) and confidences of three places; absent values left out."""
    moments = [field.name for field in rows.schema if pa.types.is_temporal(field.type)]
    for name in moments:
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, rows.column(name).cast(pa.int64()))
    for row in rows.to_pylist():
        for name in moments:
            if row[name] is not None:
                row[name] = seconds(row[name])
        row["confidence"] = round(row["confidence"], 3)
        yield {name: value for name, value in row.items() if value is not None}


def seconds(nanoseconds: int) -> str:
    """Return a time in decimal seconds with nine places."""
    sign = "-" if nanoseconds < 0 else ""
    whole, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    return f"{sign}{whole}.{fraction:09d}"


def final(verdicts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the last revision of each verdict, in the order of the frames."""
    order = np.lexsort(
        (verdicts["revision"], verdicts["seq"], verdicts["from_client"], verdicts["stream"], verdicts["frame"])
    )
    rows = verdicts[order]
    keys = rows[["frame", "stream", "from_client", "seq"]]
    is_last = np.ones(len(rows), np.bool_)
    is_last[:-1] = keys[1:] != keys[:-1]
    return rows[is_last]
