"""Every kind of message: what is written is read again, by plain Arrow too, and what cannot be read says why."""

import contextlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segwatch.kafka.topics import MAX_MESSAGE_BYTES
from segwatch.messages.anomalies import ANOMALIES_SCHEMA, Anomalies, read_anomalies, write_anomalies
from segwatch.messages.dead_letters import DeadLetter
from segwatch.messages.errors import MessageError, Reason
from segwatch.messages.findings import FindingsHeader
from segwatch.messages.intervals import Intervals, read_intervals, write_intervals
from segwatch.messages.positions import END_OF_MESSAGE, START, Coverage, Position
from segwatch.messages.segments import (
    SEGMENTS_SCHEMA,
    SEGMENTS_VERSION,
    SegmentsHeader,
    read_segments,
    segment_arrays,
    write_segments,
)
from segwatch.messages.sizes import MOST_COLUMN_BYTES
from segwatch.messages.status import SensorStatus, read_status, write_status
from segwatch.messages.stream import SchemaVersion, write_message
from segwatch.messages.verdicts import Verdicts, read_verdicts, write_verdicts
from segwatch.records.segments import SegmentColumns, take_segments
from tests.messages.rows import valid_segments
from tests.sinks.rows import some_findings, some_intervals, some_verdicts

SESSION = "0123456789abcdef" * 2
HEADER = SegmentsHeader("edge-1", SESSION, 7, 3, 8, 1_700_000_000_000_000_000, True, False, "eth0", 262144, 5)
COVERAGE = Coverage(3, START, Position(41, END_OF_MESSAGE))
FINDINGS = FindingsHeader("edge-1", SESSION, "wireshark-4.0", COVERAGE)
LZ4_MAGIC = bytes.fromhex("04224d18")
ONE_COLUMN = pa.schema([pa.field("ts", pa.int64())])
STATUS = SensorStatus(
    "edge-1", SESSION, 1_700_000_000_000_000_001, "host", "eth0", "tcp", 262144, "0.1.0", "running", "",
    10, 9, 1, 0, 0, 8, 0, 1, 0, 0,
)  # fmt: skip


def same_segments(one: SegmentColumns, other: SegmentColumns) -> bool:
    """Whether all fields are equal; of the SACK edges those that count."""
    present = np.arange(one.sack.shape[1]) < 2 * one.sack_count.astype(int)[:, None]
    plain = [name for name in one._fields if name != "sack"]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in plain) and np.array_equal(
        one.sack[present], other.sack[present]
    )


@pytest.mark.parametrize("rows", [0, 1, 50, 8192])
def test_segments_come_back(rows: int) -> None:
    segments = valid_segments(rows)
    header, read = read_segments(write_segments(segments, HEADER))
    assert header == HEADER
    assert same_segments(segments, read)


def test_segments_that_are_no_contiguous_columns_come_back() -> None:
    segments = take_segments(valid_segments(60), slice(3, 50, 7))
    assert same_segments(segments, read_segments(write_segments(segments, HEADER))[1])


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_anomalies_come_back(rows: int) -> None:
    written = Anomalies(np.arange(rows) * 3, valid_segments(rows), some_findings(rows))
    header, read = read_anomalies(write_anomalies(written, FINDINGS))
    assert header == FINDINGS
    assert np.array_equal(read.row, written.row)
    assert same_segments(read.segments, written.segments)
    assert all(np.array_equal(*pair) for pair in zip(read.findings, written.findings, strict=True))


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_intervals_come_back(rows: int) -> None:
    records = some_intervals(rows)
    records["flow"] = 0
    header, read = read_intervals(write_intervals(Intervals(np.arange(rows), records), FINDINGS))
    assert header == FINDINGS
    for name in records.dtype.names:
        if name != "sent":
            assert np.array_equal(records[name], read.records[name]), name
    for name in records["sent"].dtype.names:
        assert np.array_equal(records["sent"][name], read.records["sent"][name]), name


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_verdicts_come_back(rows: int) -> None:
    written = Verdicts(np.arange(rows) * 3, some_verdicts(rows))
    header, read = read_verdicts(write_verdicts(written, FINDINGS))
    assert header == FINDINGS
    assert np.array_equal(read.row, written.row)
    assert np.array_equal(read.records, written.records)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cause", 16),
        ("needed", 3),
        ("place", 3),
        ("stage", 5),
        ("from_client", 2),
        ("confidence", 1.5),
        ("confidence", float("nan")),
    ],
)
def test_verdicts_that_no_processor_gives_are_refused(field: str, value: float) -> None:
    verdicts = some_verdicts(5)
    verdicts[field][3] = value
    with pytest.raises(MessageError, match=field) as refused:
        read_verdicts(write_verdicts(Verdicts(np.arange(5), verdicts), FINDINGS))
    assert refused.value.reason is Reason.WRONG_VALUES


def test_a_status_comes_back() -> None:
    assert read_status(write_status(STATUS)) == STATUS


def test_a_dead_letter_comes_back_and_needs_no_header() -> None:
    letter = DeadLetter(Reason.CUT.value, "detail", "topic", 3, 12, "processor")
    assert DeadLetter.from_headers(letter.as_headers()) == letter
    assert DeadLetter.from_headers([("offset", b"x\xff")]) == DeadLetter("", "", "", -1, -1, "")


def test_a_message_too_large_for_a_dead_letter_stays_where_it_is() -> None:
    """Kafka limits what is compressed, so a message may be far larger than its limit."""
    letter = DeadLetter(Reason.CUT.value, "detail", "topic", 3, 12, "processor")
    assert letter.as_record(bytes(MAX_MESSAGE_BYTES)) == (bytes(MAX_MESSAGE_BYTES), letter.as_headers())
    value, headers = letter.as_record(bytes(MAX_MESSAGE_BYTES + 1))
    assert value == b""
    assert DeadLetter.from_headers(headers) == letter._replace(
        detail="detail (too large for a dead letter: 8388609 bytes)"
    )


def test_no_name_in_a_message_makes_a_reason_long() -> None:
    name = "x" * 100_000
    schema = pa.schema([pa.field("ts", pa.struct([pa.field(name, pa.int64())]))])
    with pytest.raises(MessageError) as caught:
        read_segments(write_message(schema, SEGMENTS_VERSION, [pa.array([{name: 1}])], {}))
    assert len(str(caught.value)) < 500


def test_a_dead_letter_of_anybody_is_read() -> None:
    """Kafka allows null for the value of a header, and anybody who may write there may write any digits."""
    hostile = DeadLetter.from_headers([("reason", None), ("offset", b"9" * 5000), ("partition", b"-7")])
    assert hostile == DeadLetter("", "", "", -1, -1, "")
    assert DeadLetter.from_headers([("offset", b"%d" % 10**17)]).offset == 10**17


def test_plain_arrow_reads_a_message() -> None:
    segments = valid_segments(5)
    with pa.ipc.open_stream(write_segments(segments, HEADER)) as reader:
        table = reader.read_all()
    assert table.schema.metadata[b"schema"] == b"segments/1.1"
    assert table.column_names == SEGMENTS_SCHEMA.names
    assert table["sport"].to_pylist() == segments.sport.tolist()
    assert table["src"][0].as_py() == segments.src[0].tobytes()
    assert [len(edges) for edges in table["sack"].to_pylist()] == (2 * segments.sack_count.astype(int)).tolist()


def _with_metadata(**changes: str) -> bytes:
    arrays, metadata = segment_arrays(valid_segments(4)), HEADER.as_metadata() | changes
    described = SEGMENTS_SCHEMA.with_metadata({key: value for key, value in metadata.items() if value != "(absent)"})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, described) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=described))
    return sink.getvalue().to_pybytes()


def test_newer_minor_versions_are_read_and_their_columns_ignored() -> None:
    schema = pa.schema(
        [*SEGMENTS_SCHEMA, pa.field("later", pa.int8())], {"schema": "segments/1.7", **HEADER.as_metadata()}
    )
    segments = valid_segments(4)
    batch = pa.RecordBatch.from_arrays([*segment_arrays(segments), pa.array([1, 2, 3, 4], pa.int8())], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(batch)
    assert same_segments(read_segments(sink.getvalue().to_pybytes())[1], segments)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NOT_ARROW),
        (b"hello", Reason.NOT_ARROW),
        (b"\xff\xff\xff\xff" + bytes(40), Reason.NOT_ARROW),
        (b"\xff\xff\xff\xff" + b"\x7f" * 40, Reason.CUT),
        (_with_metadata(schema="segments/2.0"), Reason.NEWER_SCHEMA),
        (_with_metadata(schema="intervals/1.0"), Reason.OTHER_KIND),
        (_with_metadata(schema="segments"), Reason.WRONG_METADATA),
        (_with_metadata(schema="segments/1.0", session="xyz"), Reason.WRONG_METADATA),
        (_with_metadata(schema="segments/1.0", batch="many"), Reason.WRONG_METADATA),
        (_with_metadata(schema="segments/1.0", watermark=str(2**63)), Reason.WRONG_METADATA),
        (_with_metadata(schema="segments/1.0", sensor="(absent)"), Reason.WRONG_METADATA),
        (_with_metadata(schema="segments/1.0", sensor="x" * 5000), Reason.WRONG_METADATA),
        (write_message(ONE_COLUMN, SEGMENTS_VERSION, [pa.array([1])], {}), Reason.WRONG_COLUMNS),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(content: bytes, reason: Reason) -> None:
    with pytest.raises(MessageError) as caught:
        read_segments(content)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("column", "value"), [("frame", 0), ("flags", 0x1000), ("wscale", -2), ("tunnel_kind", 200), ("sack_count", 200)]
)
def test_values_that_no_decoder_gives_are_refused(column: str, value: int) -> None:
    segments = valid_segments(3)
    if column == "sack_count":
        lists = pa.array([[1], [], []], SEGMENTS_SCHEMA.field("sack").type)
        arrays = segment_arrays(segments)
        arrays[SEGMENTS_SCHEMA.get_field_index("sack")] = lists
    else:
        getattr(segments, column)[1] = value
        arrays = segment_arrays(segments)
    with pytest.raises(MessageError) as caught:
        read_segments(write_message(SEGMENTS_SCHEMA, SEGMENTS_VERSION, arrays, HEADER.as_metadata()))
    assert caught.value.reason is Reason.WRONG_VALUES


@given(st.data())
def test_damaged_messages_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(write_segments(valid_segments(6), HEADER))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    rows = None
    with contextlib.suppress(MessageError):
        _, segments = read_segments(bytes(content[:end]))
        rows = {len(column) for column in segments}
    assert rows is None or len(rows) == 1


def test_cut_messages_are_cut() -> None:
    content = write_segments(valid_segments(6), HEADER)
    for end in (len(content) // 4, len(content) // 2, len(content) - 40):
        with pytest.raises(MessageError) as caught:
            read_segments(content[:end])
        assert caught.value.reason is Reason.CUT


def test_damaged_columns_are_not_called_cut() -> None:
    content = bytearray(write_segments(valid_segments(2000), HEADER))
    body = content.index(LZ4_MAGIC)
    content[body + 40 : body + 400] = bytes(360)
    with pytest.raises(MessageError) as caught:
        read_segments(bytes(content))
    assert caught.value.reason is Reason.DAMAGED


def test_what_would_become_too_large_is_refused_before_it_is_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros that compress to nothing, a claim beyond any memory, and many batches that are small each."""
    zeros = _zeros(1, MOST_COLUMN_BYTES + 8)
    claim = bytearray(_zeros(1, 8000))
    place = claim.index(LZ4_MAGIC) - 8
    assert int.from_bytes(claim[place : place + 8], "little") == 8000
    claim[place : place + 8] = (1 << 40).to_bytes(8, "little")
    many = _zeros(17, MOST_COLUMN_BYTES // 16)
    assert max(map(len, (zeros, claim, many))) < MOST_COLUMN_BYTES // 100
    monkeypatch.delattr(pa.ipc, "open_stream")
    for content in (zeros, bytes(claim), many):
        with pytest.raises(MessageError) as caught:
            read_segments(content)
        assert caught.value.reason is Reason.TOO_LARGE
        assert f"{MOST_COLUMN_BYTES} are the most" in caught.value.detail


def test_the_largest_columns_are_read_and_then_refused_for_what_they_are() -> None:
    with pytest.raises(MessageError) as caught:
        read_segments(_zeros(1, MOST_COLUMN_BYTES))
    assert caught.value.reason is Reason.WRONG_METADATA


def test_compression_of_other_times_is_refused() -> None:
    """Arrow 0.17 said elsewhere that columns are compressed."""
    with pytest.raises(MessageError, match="before Arrow 1"):
        read_segments(_zeros(1, 8000, metadata_version=pa.ipc.MetadataVersion.V4))


def _zeros(batches: int, size: int, **options: object) -> bytes:
    """Return an Arrow stream of batches of one compressed column of ``size`` bytes each."""
    column = pa.Array.from_buffers(pa.int64(), size // 8, [None, pa.py_buffer(bytes(size))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ONE_COLUMN, options=pa.ipc.IpcWriteOptions(compression="lz4", **options)) as writer:
        for _ in range(batches):
            writer.write_batch(pa.RecordBatch.from_arrays([column], schema=ONE_COLUMN))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def test_positions_are_ordered_and_the_start_comes_first() -> None:
    assert START < Position(0, 0) < Position(0, END_OF_MESSAGE) < Position(1, 0)
    assert ANOMALIES_SCHEMA.names[0] == "row"


def test_messages_of_version_1_0_are_read_with_what_came_later() -> None:
    later = {"shed_segments", "keep_one_in", "super_segments", "clock_steps", "seen_twice", "one_way_conversations"}
    status = STATUS._replace(keep_one_in=4, seen_twice=3)
    assert read_status(_older(write_status(status), SchemaVersion("sensors", 1, 0), later)) == STATUS
    metadata = HEADER.as_metadata()
    del metadata["keep_one_in"]
    assert SegmentsHeader.from_metadata(metadata) == HEADER


def test_intervals_of_version_1_0_are_read_without_quality() -> None:
    records = some_intervals(5)
    content = write_intervals(Intervals(np.arange(5), records), FINDINGS)
    older = _older(content, SchemaVersion("intervals", 1, 0), {"client_quality", "server_quality"})
    header, (_, read) = read_intervals(older)
    assert header == FINDINGS
    assert records["sent"]["quality"].all()
    assert not read["sent"]["quality"].any()
    assert np.array_equal(read["sent"]["labels"], records["sent"]["labels"])


def _older(content: bytes, version: SchemaVersion, later: set[str]) -> bytes:
    """Return a message as a version wrote it that did not have the columns ``later``."""
    with pa.ipc.open_stream(content) as reader:
        batch = reader.read_next_batch()
    names = [name for name in batch.schema.names if name not in later]
    header = {key.decode(): value.decode() for key, value in (batch.schema.metadata or {}).items() if key != b"schema"}
    schema = pa.schema([batch.schema.field(name) for name in names])
    return write_message(schema, version, [batch.column(name) for name in names], header)
