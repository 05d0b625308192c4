"""The job behind ``segwatch labels``: every segment of some captures, as rows."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from segwatch.jobs.ahead import Ahead
from segwatch.jobs.captures import Captures, refuse_to_overwrite
from segwatch.jobs.pipeline import AnalysedBatch, CapturePipeline
from segwatch.output.filter import matching_rows
from segwatch.output.filter_language import Condition
from segwatch.output.first_rows import every_row_counts
from segwatch.output.target import OutputTarget
from segwatch.output.writers import RowWriter, open_writer
from segwatch.vocabulary import Quality


@dataclass(frozen=True)
class Selection:
    """Which rows are wanted."""

    condition: Condition | None = None
    only_labelled: bool = False
    keep_embedded: bool = False
    """Keep the TCP headers quoted in ICMP errors, which are left out otherwise."""

    def rows(self, batch: AnalysedBatch) -> npt.NDArray[np.int64] | None:
        """Return the wanted rows of ``batch``, None for all.

        Of a frame with several TCP headers only the first counts; where that is a quoted one, so is the frame.
        """
        segments, findings, *_ = batch
        hidden = 0 if self.keep_embedded else int(Quality.QUOTED_IN_ICMP)
        if not self.only_labelled and self.condition is None and every_row_counts(segments, hidden):
            return None
        wanted = np.ones(len(segments.ts), np.bool_)
        wanted[1:] = segments.frame[1:] != segments.frame[:-1]
        wanted &= (segments.quality & hidden) == 0
        if self.only_labelled:
            wanted &= findings.labels != 0
        if self.condition is not None:
            wanted &= matching_rows(self.condition, segments, findings)
        return None if wanted.all() else np.flatnonzero(wanted)


@dataclass(frozen=True)
class LabelsJob:
    """What to write, and where to."""

    rules: str
    selection: Selection
    format_name: str
    output: str

    def run(self, arguments: tuple[str, ...]) -> int:
        """Write the rows of all captures; return the exit code."""
        captures = Captures(arguments)
        refuse_to_overwrite(self.output, captures.names)
        with OutputTarget(self.output) as target:
            writer: RowWriter | None = None
            for pipeline in captures.each(partial(CapturePipeline, rules=self.rules)):
                if writer is None:
                    writer = open_writer(self.format_name, target, with_file=len(captures.names) > 1)
                writer.begin_file(pipeline.reader.name)
                rows_seen = self._write_rows(pipeline, writer)
                captures.finished(pipeline.content(), rows_seen)
            if writer is not None:
                writer.close()
        return captures.exit_code

    def _write_rows(self, pipeline: CapturePipeline, writer: RowWriter) -> int:
        """Write the wanted rows of a capture, while another thread analyses the next ones; return how many it has."""
        rows_seen = 0
        batches = Ahead(iter(pipeline), "segwatch-analyse")
        batches.start()
        try:
            for batch in batches:
                rows_seen += len(batch.segments.ts)
                rows = self.selection.rows(batch)
                if rows is None or len(rows):
                    writer.write(batch.segments, batch.findings, rows)
        finally:
            batches.stop()
        return rows_seen
