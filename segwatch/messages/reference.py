"""The page of documentation about the messages (docs/records.md), made from their schemas."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from segwatch.messages.anomalies import ANOMALIES_SCHEMA, ANOMALIES_VERSION, RAW_NAMES
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import Reason
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import INTERVALS_SCHEMA, INTERVALS_VERSION, SIDES
from segwatch.messages.positions import Coverage
from segwatch.messages.segments import MOST_BYTES, MOST_ROWS, SEGMENTS_SCHEMA, SEGMENTS_VERSION, SegmentsHeader
from segwatch.messages.status import STATUS_SCHEMA, STATUS_VERSION, SensorStatus
from segwatch.messages.stream import SCHEMA_KEY, SchemaVersion
from segwatch.messages.verdicts import VERDICTS_SCHEMA, VERDICTS_VERSION
from segwatch.records.findings import FINDING_TYPES, FindingColumns
from segwatch.records.segments import SegmentColumns

_INTRODUCTION: Final = f"""# The records on the bus

Made by `python -m segwatch.messages.reference` from the schemas in `segwatch/messages`; do not edit it.

Every message is one Arrow IPC stream of one record batch. Any Arrow reader reads it; its columns are compressed by LZ4,
as the Arrow format has it. The metadata of its schema say what it is. All values in them are text; numbers are
decimal, yes is 1 and no is 0.

    import pyarrow as pa
    reader = pa.ipc.open_stream(record.value)      # the value of a Kafka record
    print(reader.schema.metadata)                  # {{b'schema': b'{SEGMENTS_VERSION}', b'sensor': b'edge-1', ...}}
    table = reader.read_all()

ClickHouse reads the value of a message as `FORMAT ArrowStream`.

The key `{SCHEMA_KEY}` is kind and version. A newer minor version may add columns and keys, and readers ignore those
that they do not know; a newer major version is refused. Addresses are 16 bytes as they are on the wire, IPv4 as
`::ffff:a.b.c.d`. No column has nulls.
"""

_SEGMENTS_TEXT: Final = (
    f"Segment records of one sensor's session for one partition, in capture order: {MOST_ROWS} rows and "
    f"{MOST_BYTES >> 10} KiB of columns, before compression, at most. A message without rows is a heartbeat: it lets "
    "time pass. The partition is a hash of the two ends of a conversation, the same for both directions and for every "
    "sensor (`segwatch/messages/partitioning.py`)."
)

_MEANINGS: Final[Mapping[str, str]] = {
    "schema": "Kind and version.",
    "sensor": "Name of the sensor.",
    "interface": "Interface that is captured, or the file that is read.",
    "snaplen": "Bytes captured of a frame at most; 0 where that is not known.",
    "partition": "Partition that the message belongs to.",
    "sport": "Source port.",
    "dport": "Destination port.",
    "tsval": "Value of the timestamp option, 0 without one.",
    "tsecr": "Echo reply of the timestamp option, 0 without one.",
    "row": "Place among the findings of the message of segments: for an anomaly the segment's row in it, for a verdict "
    "1024 times that of the segment that it comes from, and its place among that one's.",
    "bytes_in_flight": "Bytes sent and not acknowledged.",
    "acks_frame": "Frame that this segment acknowledges, 0 for none.",
    "nxtseq": "Sequence number that should come next.",
    "rules": "Rule set of the analysis.",
    "after_offset": "Offset of the last message of segments before those that this message covers.",
    "after_row": "Row of that position.",
    "through_offset": "Offset of the message of segments that all rows come from.",
    "through_row": "Row up to which this message covers it.",
    "start": "A whole minute.",
    "cause": "Why the segment is there (`vocabulary.Cause`).",
    "needed": "Whether the receiver lacked it (`vocabulary.Needed`).",
    "place": "Where the last copy was lost (`vocabulary.Place`).",
    "confidence": "How often verdicts that rest on the same kind of proof are right, 0 to 1.",
    "revision": "0 for the first verdict; an amendment is a row of the same conversation, frame, direction and "
    "`seq_raw` with the next one.",
    "amended_by": "Frame that contradicted the revision before, 0 for the first.",
    "episode": "Number of the loss episode in its direction, 0 for none.",
    "bytes_again": "Payload that had been sent before.",
    "stalled": "Nanoseconds that delivery stood still until this segment came.",
    "proof": "Bits of `vocabulary.Proof`.",
    "original_frame": "Frame of the earlier copy, 0 if none passed.",
    "since_original": "Nanoseconds since the earlier copy; without one, since what came behind the hole.",
    "duplicate_acks": "Duplicate ACKs since the last advance.",
    "sacked_above": "Bytes acknowledged selectively above it.",
    "silence": "Nanoseconds since the sender sent, or may have heard, anything; below 0 where its own clock puts that "
    "after this segment.",
    "round_trip": "The sender's smoothed round trip, nanoseconds, 0 unknown.",
    "timeout": "The sender's retransmission timeout without backoff, nanoseconds, 0 unknown.",
    "ttl": "Time to live or hop limit of the frame that is judged, 0 of a `capture_loss`.",
    "ip_id": "Its IPv4 identification, 0 without one.",
    "ip_id_step": "How much further the IPv4 identification is than the earlier copy's.",
    "tsval_step": "The same of the timestamp value.",
    "stage": "Of a reset: how far the client had come (`vocabulary.Stage`).",
    "ttl_step": "Of a reset: how much its TTL is more than that of what its sender sent last.",
    "sequence_step": "Of a reset: how far its number is above the next one of its sender.",
    "client": "Address of the client.",
    "server": "Address of the server.",
    "client_port": "Port of the client.",
    "server_port": "Port of the server.",
    "ip_version": "4 or 6.",
    "completeness": "Value after the last segment of the interval (bits of `vocabulary.Completeness`).",
    "reset": "Class of the last RST of the interval (`vocabulary.Reset`), 0 without one.",
    "closer": "Who sent the first FIN or RST so far: 0 nobody, 1 the client, 2 the server.",
    "stream": "Number of the conversation.",
    "first": "Time of the conversation's first segment in the interval.",
    "last": "Time of the conversation's last segment in the interval.",
    "opened": "Time of the conversation's first segment.",
    "initial_rtt": "Nanoseconds, 0 unknown.",
    "segments": "All segments.",
    "data_segments": "Segments with payload.",
    "quality": "Bits of `vocabulary.Quality` that any segment has, and the greatest share (`vocabulary.SHARE_MASK`).",
    "payload_bytes": "Payload, repetitions included.",
    "retransmitted_bytes": "Payload of retransmissions, fast and spurious ones included.",
    "rtt_sum": "Nanoseconds between the sensor and this side, summed up over its ACKs.",
    "rtt_min": "The least of these.",
    "rtt_max": "The greatest of these.",
    "rtt_count": "How many there were.",
    "resets": "Segments with RST.",
    "syns": "Segments with SYN.",
    "fins": "Segments with FIN.",
    "zero_window_time": "Nanoseconds in which its receive window was closed, counted when it sends again.",
    "labels": "Segments with each label, in bit order of `vocabulary.Label`.",
    "ts": "Time of the status, by the clock of the sensor.",
    "host": "Name of the host.",
    "capture_filter": "Filter of the capture, empty without one.",
    "version": "Version of segwatch.",
    "frames": "Frames captured.",
    "kernel_drops": "Frames that the kernel dropped.",
    "interface_drops": "Frames that the interface dropped.",
    "queued_batches": "Messages that the bus has not acknowledged yet.",
    "spooled_batches": "Messages in the spool on disk.",
    "spooled_bytes": "Their bytes.",
    "detail": "What exactly is wrong.",
    "topic": "Topic of the message.",
    "offset": "Offset of the message.",
}
"""What is not said where a field is declared."""


class _Kind(NamedTuple):
    topic: str
    version: SchemaVersion
    text: str
    schema: pa.Schema
    header: Mapping[str, str]
    meanings: Mapping[str, str]


def _declared(kind: Any) -> dict[str, str]:
    """Return the texts below the fields of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  # only classes come here
    found = dict.fromkeys(kind._fields, "")
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = " ".join(str(ast.literal_eval(below.value)).split()).replace("``", "`")
            text = text.removeprefix("(N,) ").removeprefix("(N, 2) ").removeprefix("(N, 8) ")
            found[field.target.id] = f"{text[:1].upper()}{text[1:]}"
    return found


def _meaning(name: str, declared: Mapping[str, str]) -> str:
    return declared.get(name) or _MEANINGS[name]


def _interval_meanings() -> dict[str, str]:
    found = {}
    for name in INTERVALS_SCHEMA.names:
        side, _, counter = name.partition("_")
        own = side in SIDES and counter in _MEANINGS and name not in _MEANINGS
        found[name] = f"Sent by the {side}: {_lowered(_MEANINGS[counter])}" if own else _MEANINGS[name]
    return found


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _findings_header() -> dict[str, str]:
    names = [name for name in (*FindingsHeader._fields, *Coverage._fields) if name not in {"offset", "coverage"}]
    places = {"after": ("after_offset", "after_row"), "through": ("through_offset", "through_row")}
    declared = _declared(FindingsHeader)
    return {key: _meaning(key, declared) for name in names for key in places.get(name, (name,))}


def _kinds() -> Iterable[_Kind]:
    segments = _declared(SegmentColumns) | {"sack": "Left and right edges of up to four blocks, a list."}
    findings = _declared(FindingColumns)
    status, header = _declared(SensorStatus), _declared(SegmentsHeader)
    yield _Kind(
        "segwatch.segments.v1", SEGMENTS_VERSION, _SEGMENTS_TEXT, SEGMENTS_SCHEMA,
        {name: _meaning(name, header) for name in SegmentsHeader._fields},
        {name: _meaning(name, segments) for name in SEGMENTS_SCHEMA.names},
    )  # fmt: skip
    raw = {plain: name for name, plain in RAW_NAMES.items()}
    anomalies = {
        name: _meaning(name, findings if name in FINDING_TYPES else segments) for name in ANOMALIES_SCHEMA.names
        if name not in raw
    } | {name: _meaning(plain, segments) for name, plain in raw.items()}  # fmt: skip
    yield _Kind(
        "segwatch.anomalies.v1", ANOMALIES_VERSION,
        "Segments with a label or a RST, and what was found of them ([labels.md](labels.md)).",
        ANOMALIES_SCHEMA, _findings_header(), anomalies,
    )  # fmt: skip
    yield _Kind(
        "segwatch.intervals.v1", INTERVALS_VERSION,
        "Counters of a conversation and minute. Several rows of one conversation and minute may come: all add up.",
        INTERVALS_SCHEMA, _findings_header(), _interval_meanings(),
    )  # fmt: skip
    judged = {
        "ts": "Capture time of the frame that is judged, since the epoch.",
        "frame": "The frame that is judged; of a `capture_loss` the one that shows it first.",
        "from_client": "1 if the client sent what is judged (or is missing, of a `capture_loss`), 0 if the server.",
        "seq_raw": "Its sequence number.",
        "payload_len": "Its payload bytes (of a `capture_loss`: bytes missed).",
    }
    yield _Kind(
        "segwatch.verdicts.v1", VERDICTS_VERSION,
        "Why segments are there that are not new data in order, amendments too ([verdicts.md](verdicts.md)). Of the "
        "rows of one verdict the highest revision holds.",
        VERDICTS_SCHEMA, _findings_header(), {name: _meaning(name, judged) for name in VERDICTS_SCHEMA.names},
    )  # fmt: skip
    yield _Kind(
        "segwatch.sensors.v1", STATUS_VERSION,
        "What a sensor says of itself, one row a message; counters since its session began. The key is its name, "
        "with `/` and the interface where traffic is captured live.",
        STATUS_SCHEMA, {}, {name: _meaning(name, status) for name in STATUS_SCHEMA.names},
    )  # fmt: skip


def _section(kind: _Kind) -> list[str]:
    lines = [f"## {kind.topic}", "", f"{kind.text} `{SCHEMA_KEY}` is `{kind.version}`.", ""]
    if kind.header:
        lines += ["| key in the metadata | meaning |", "| --- | --- |"]
        lines += [f"| `{name}` | {meaning} |" for name, meaning in kind.header.items()]
        lines.append("")
    lines += ["| column | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{field.name}` | `{_type_name(field.type)}` | {kind.meanings[field.name]} |" for field in kind.schema]
    return [*lines, ""]


def _type_name(kind: pa.DataType) -> str:
    return str(kind).replace("item: ", "").replace(" not null", "")


def records_reference() -> str:
    """Return the page."""
    lines = [_INTRODUCTION]
    for kind in _kinds():
        lines += _section(kind)
    lines += [
        "## segwatch.dead-letters.v1",
        "",
        "A message that could not be read, as it was. The headers of the Kafka record say why. It may come twice.",
        "",
        "| header | meaning |",
        "| --- | --- |",
        *(f"| `{name}` | {_meaning(name, _declared(DeadLetter))} |" for name in DeadLetter._fields),
        "",
        f"Reasons: {'; '.join(reason.value for reason in Reason)}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(records_reference())
