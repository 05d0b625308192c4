"""What other programs read of a message, and what the documentation says of it."""

import subprocess
import sys
from ipaddress import IPv6Address
from pathlib import Path

import numpy as np

from segwatch.messages.reference import records_reference
from segwatch.messages.segments import write_segments
from tests.messages.rows import valid_segments
from tests.messages.test_round_trip import HEADER
from tests.support import REPOSITORY

COUNT = "SELECT count() FROM file('{path}', 'ArrowStream')"
QUERY = """
SELECT count(), sum(frame), max(toUnixTimestamp64Nano(ts)), sum(length(sack)), sum(arraySum(sack)),
       min(wscale), sum(quality), IPv6NumToString(argMin(src, frame)) FROM file('{path}', 'ArrowStream')
"""


def clickhouse(query: str) -> str:
    """Return what ClickHouse answers, in a process of its own."""
    code = "import sys; from chdb import _chdb; sys.stdout.write(_chdb.query(sys.argv[1], 'TSV').bytes().decode())"
    done = subprocess.run([sys.executable, "-c", code, query], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_clickhouse_reads_a_message(tmp_path: Path) -> None:
    segments = valid_segments(500)
    (path := tmp_path / "message.arrow").write_bytes(write_segments(segments, HEADER))
    present = np.arange(segments.sack.shape[1]) < 2 * segments.sack_count.astype(int)[:, None]
    expected = [
        500, int(segments.frame.sum()), int(segments.ts.max()), int(present.sum()),
        int(segments.sack[present].sum(dtype=np.uint64)), int(segments.wscale.min()),
        int(segments.quality.sum(dtype=np.uint64)), str(IPv6Address(segments.src[0].tobytes())),
    ]  # fmt: skip
    assert clickhouse(QUERY.format(path=path)).rstrip("\n").split("\t") == [str(value) for value in expected]


def test_clickhouse_reads_a_heartbeat(tmp_path: Path) -> None:
    (path := tmp_path / "message.arrow").write_bytes(write_segments(valid_segments(0), HEADER))
    assert clickhouse(COUNT.format(path=path)) == "0\n"


def test_the_page_about_records_is_that_of_the_schemas() -> None:
    committed = (REPOSITORY / "docs" / "records.md").read_text("utf-8")
    assert records_reference() == committed, "run: python -m segwatch.messages.reference > docs/records.md"
