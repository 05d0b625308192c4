"""Arrow and Parquet at an output's target."""

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from segwatch.output.target import OutputTarget

_WRITTEN_AT_ONCE: Final = 1 << 18
"""Bytes gathered for a write of a file: measured with Arrow, a sixth less time in the kernel than column by column;
with a mebibyte it was more, as the page cache then looks for large free blocks, which are cold."""


class ColumnarFile:
    """A file or standard output, and what writes columns into it; what goes wrong is said as of the target."""

    def __init__(self, target: OutputTarget, new_writer: Callable[[Any], Any]) -> None:
        self._target = target
        with target.guarded():
            self._sink = (
                pa.PythonFile(target.stream, "w")
                if target.is_stream
                else pa.BufferedOutputStream(pa.OSFile(target.path, "wb"), _WRITTEN_AT_ONCE)
            )
            self.writer: Any = new_writer(self._sink)

    def close(self) -> None:
        """Write the end of the data."""
        with self._target.guarded():
            self.writer.close()
            if not self._target.is_stream:
                self._sink.close()


def arrow_file(target: OutputTarget, schema: pa.Schema) -> ColumnarFile:
    """Open Arrow IPC: the file format into files, the stream format into standard output."""
    new_writer = pa.ipc.new_stream if target.is_stream else pa.ipc.new_file
    return ColumnarFile(target, lambda sink: new_writer(sink, schema))


def parquet_file(target: OutputTarget, schema: pa.Schema, **options: Any) -> ColumnarFile:
    """Open Parquet; ``options`` are those of ``pyarrow.parquet.ParquetWriter``."""
    import pyarrow.parquet as pq  # takes 20 ms more, which other formats do not need

    return ColumnarFile(target, lambda sink: pq.ParquetWriter(sink, schema, **options))
