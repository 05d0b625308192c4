"""Record batches and Parquet against a formatter in plain Python."""

import errno
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given, settings

from segwatch.output.columns import COLUMN_NAMES
from segwatch.output.tables import TableBuilder, table_schema
from segwatch.output.target import OutputTarget
from segwatch.output.writers import open_writer
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality
from tests.messages.rows import valid_segments
from tests.output.made_up import MAPPED, address, expected_row, rows, seconds
from tests.sinks.rows import some_findings


def as_text(name: str, column: pa.Array) -> list[str]:
    """Return the values of a column in the text form, the empty string for null."""
    kind = column.type
    if pa.types.is_duration(kind) or pa.types.is_timestamp(kind):
        return ["" if value is None else seconds(value) for value in column.cast(pa.int64()).to_pylist()]
    if name == "flags":
        return ["" if value is None else f"0x{value:04x}" for value in column.to_pylist()]
    if name == "embedded":
        return ["1" if value else "" for value in column.to_pylist()]
    return ["" if value is None else str(value) for value in column.to_pylist()]


@settings(deadline=None, max_examples=60)
@given(rows(maximum=20))
def test_a_batch_holds_what_the_text_says(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """Every value of every column, null where it is absent."""
    batch = TableBuilder().batch(*columns)
    batch.validate(full=True)
    expected = [expected_row(*columns, row) for row in range(len(columns[0].ts))]
    for name in COLUMN_NAMES:
        assert as_text(name, batch.column(name)) == [row.get(name, "") for row in expected], name


@settings(deadline=None, max_examples=20)
@given(rows(maximum=20))
def test_chosen_rows_are_those_rows(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """A selection is the same as taking the rows afterwards."""
    chosen = np.arange(len(columns[0].ts))[::2]
    builder = TableBuilder("a.pcap")
    assert builder.batch(*columns, chosen).equals(builder.batch(*columns).take(pa.array(chosen)))


@pytest.mark.parametrize("with_file", [False, True])
@pytest.mark.parametrize("form", ["arrow", "parquet"])
@settings(deadline=None, max_examples=5)
@given(columns=rows(maximum=20))
def test_files_read_back(
    columns: tuple[SegmentColumns, FindingColumns], form: str, with_file: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What another program reads is what was written, batch after batch."""
    path = tmp_path_factory.mktemp("out") / f"labels.{form}"
    with OutputTarget(str(path)) as target:
        writer = open_writer(form, target, with_file=with_file)
        for name in ("one", "two"):
            writer.begin_file(name)
            writer.write(*columns, None)
        writer.close()
    table = pa.ipc.open_file(path).read_all() if form == "arrow" else pa.parquet.read_table(path)
    assert table.schema.equals(table_schema(with_file))
    builders = [TableBuilder(name if with_file else None) for name in ("one", "two")]
    expected = pa.Table.from_batches([builder.batch(*columns) for builder in builders])
    assert table.equals(expected)


def test_row_groups_span_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Batches are cut and joined to row groups of one size; no row is lost or moved."""
    from segwatch.output import writers
    from tests.output.test_text import rows_of_two

    monkeypatch.setattr(writers, "ROW_GROUP_ROWS", 5)
    segments, findings = rows_of_two()
    path = tmp_path / "labels.parquet"
    with OutputTarget(str(path)) as target:
        writer = open_writer("parquet", target, with_file=False)
        for batch in range(6):
            segments.frame[:] = (2 * batch + 1, 2 * batch + 2)
            writer.write(segments, findings, np.array([1]) if batch == 5 else None)
        writer.close()
    file = pa.parquet.ParquetFile(path)
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [5, 5, 1]
    assert file.read(["frame"]).column(0).to_pylist() == [*range(1, 11), 12]


def test_standard_output_gets_the_stream_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream needs no seeking."""
    from tests.output.test_text import rows_of_two

    class Output:
        buffer = io.BytesIO()

    monkeypatch.setattr("sys.stdout", Output)
    with OutputTarget("-") as target:
        writer = open_writer("arrow", target, with_file=False)
        writer.write(*rows_of_two(), None)
        writer.close()
    assert pa.ipc.open_stream(Output.buffer.getvalue()).read_all().num_rows == 2


def test_addresses_that_share_a_place_are_told_apart() -> None:
    """The texts of addresses are kept under a few of their bytes, over batches: others with the same come between."""
    from tests.output.test_text import rows_of_two

    segments, findings = rows_of_two()
    builder = TableBuilder()
    for first in (10, 11, 10):
        ipv4 = MAPPED + bytes([first, 0, 0, 1])
        ipv6 = b"\x20" + bytes(11) + bytes([first, 0, 0, 1])
        for octets, quality in ((ipv4, 0), (ipv4, int(Quality.IPV6)), (ipv6, int(Quality.IPV6))):
            segments.src[:] = np.frombuffer(octets, np.uint64)
            segments.quality[:] = quality
            texts = builder.batch(segments, findings).column("src").to_pylist()
            assert texts == [address(octets, quality)] * 2


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_what_goes_wrong_before_writing_is_not_told_of_the_output(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making rows may compile, and the folder of machine code be full."""

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "no room elsewhere")

    def write_all() -> None:
        writer.write(valid_segments(3), some_findings(3), None)
        writer.close()

    with OutputTarget(str(tmp_path / "rows")) as target:
        writer = open_writer(form, target, with_file=False)
        monkeypatch.setattr(TableBuilder, "batch", full)
        with pytest.raises(OSError, match="no room elsewhere"):
            write_all()
        monkeypatch.undo()
        writer.close()
