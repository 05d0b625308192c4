"""The compiled writer of text against a formatter in plain Python."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from segwatch.output import text
from segwatch.output.columns import COLUMN_NAMES
from segwatch.output.text import TextFormatter, json_style, tab_separated_header, tab_separated_style
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from tests.output.made_up import expected_row, rows

_NUMBERS = set(COLUMN_NAMES) - {"labels", "events", "src", "dst", "flags", "reset"}
_LISTS = {"labels", "events"}


def written(formatter: TextFormatter, columns: tuple[SegmentColumns, FindingColumns]) -> list[str]:
    """Return the lines that ``formatter`` writes."""
    chosen = np.arange(len(columns[0].ts))
    return b"".join(bytes(block) for block in formatter.blocks(*columns, chosen)).decode().splitlines()


@settings(deadline=None, max_examples=60)
@given(rows())
def test_tab_separated_rows_are_those_of_a_plain_formatter(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """Every field of every row, absent ones empty."""
    expected = [expected_row(*columns, row) for row in range(len(columns[0].ts))]
    lines = written(TextFormatter(tab_separated_style()), columns)
    assert lines == ["\t".join(row.get(name, "") for name in COLUMN_NAMES) for row in expected]


@settings(deadline=None, max_examples=60)
@given(rows())
def test_json_lines_hold_the_same_values(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """Numbers as they are, names in lists, absent values left out."""
    expected = [expected_row(*columns, row) for row in range(len(columns[0].ts))]
    lines = written(TextFormatter(json_style()), columns)
    objects = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    assert objects == [
        {name: value.split(",") if name in _LISTS else value for name, value in row.items()} for row in expected
    ]
    assert all(f'"{name}":"' not in line for line in lines for name in _NUMBERS)


@settings(deadline=None, max_examples=20)
@given(rows())
def test_small_buffers_change_nothing(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """A buffer that holds one row gives the text in pieces."""
    whole = TextFormatter(tab_separated_style())
    tight = TextFormatter(tab_separated_style())
    tight._buffer = np.empty(tight._row_limit, np.uint8)
    assert written(tight, columns) == written(whole, columns)


@settings(deadline=None, max_examples=20)
@given(rows())
def test_no_row_is_longer_than_the_limit(columns: tuple[SegmentColumns, FindingColumns]) -> None:
    """The room that a row may take is enough for any row, with all names in JSON."""
    segments, findings = columns
    segments.quality[:] &= ~np.uint32(1)
    for name in findings._fields:
        getattr(findings, name)[...] = -(2**30) if name == "window_scale" else 2**7 - 1
    for name in ("rto", "ack_rtt", "initial_rtt", "time_relative", "time_delta"):
        getattr(findings, name)[...] = -(2**63)
    findings.labels[:] = 2**15 - 1
    findings.events[:] = 2**9 - 1
    findings.reset[:] = 4
    lines = written(TextFormatter(json_style()), columns)
    assert all(len(line) + 1 + 20 * len(COLUMN_NAMES) < text.ROW_LIMIT for line in lines)


@pytest.mark.parametrize("name", ['quote".pcap', "line\nfeed\ttab.pcap", "back\\slash", "ä€.pcap", "raw\udcff.pcap"])
def test_a_file_name_of_any_kind_keeps_the_form(name: str) -> None:
    """The name stands in front of every row, and breaks neither fields nor JSON."""
    segments, findings = rows_of_two()
    lines = b"".join(
        bytes(b) for b in TextFormatter(tab_separated_style(name)).blocks(segments, findings, np.arange(2))
    )
    assert all(line.count(b"\t") == len(COLUMN_NAMES) for line in lines.splitlines())
    assert lines.count(b"\n") == 2
    for line in written(TextFormatter(json_style(name)), (segments, findings)):
        assert next(iter(json.loads(line))) == "file"


def rows_of_two() -> tuple[SegmentColumns, FindingColumns]:
    """Return two rows of zeros."""
    from segwatch.records.findings import empty_findings
    from segwatch.records.segments import empty_segments

    segments, findings = empty_segments(2), empty_findings(2)
    for column in (*segments, *findings):
        column[...] = 0
    return segments, findings


def test_the_header_names_the_columns() -> None:
    """One name for each field, the file first where there are several."""
    assert tab_separated_header() == "\t".join(COLUMN_NAMES).encode() + b"\n"
    assert tab_separated_header(with_file=True).startswith(b"file\tframe\tstream\tlabels\t")
