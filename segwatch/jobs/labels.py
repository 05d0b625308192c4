"""The job behind ``segwatch labels``: every segment of some captures, as rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import click
import numpy as np
import numpy.typing as npt

from segwatch.errors import InputError, PartialInputError
from segwatch.jobs.inputs import capture_files
from segwatch.jobs.pipeline import AnalysedBatch, CapturePipeline
from segwatch.output.filter import matching_rows
from segwatch.output.filter_language import Condition
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
        segments, findings, _ = batch
        wanted = np.ones(len(segments.ts), np.bool_)
        wanted[1:] = segments.frame[1:] != segments.frame[:-1]
        if not self.keep_embedded:
            wanted &= (segments.quality & int(Quality.QUOTED_IN_ICMP)) == 0
        if self.only_labelled:
            wanted &= findings.labels != 0
        if self.condition is not None:
            wanted &= matching_rows(self.condition, segments, findings)
        return None if wanted.all() else np.flatnonzero(wanted)


class Inputs:
    """The captures of one command, one after the other; what is wrong with one does not stop the others."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.names = capture_files(arguments)
        self.readable = 0
        self.incomplete = 0

    def pipelines(self, rules: str) -> Iterator[CapturePipeline]:
        """Yield a running pipeline for each capture that can be read; say what is wrong with the others."""
        for name in self.names:
            try:
                pipeline = CapturePipeline(name, rules)
            except InputError as error:
                if len(self.names) == 1:
                    raise
                self.incomplete += 1
                complain(str(error))
                continue
            self.readable += 1
            with pipeline:
                yield pipeline
        if not self.readable:
            raise InputError(f"none of the {len(self.names)} inputs can be read.")

    def finished(self, pipeline: CapturePipeline) -> None:
        """Count the capture as handled; say so if it was damaged."""
        damage = pipeline.reader.damage
        if damage:
            self.incomplete += 1
            complain(damage)

    @property
    def exit_code(self) -> int:
        """0, or 4 if any input could not be read to its end."""
        return PartialInputError.exit_code if self.incomplete else 0


def complain(sentence: str) -> None:
    """Say a sentence on standard error."""
    click.echo(f"segwatch: {sentence}", err=True)


@dataclass(frozen=True)
class LabelsJob:
    """What to write, and where to."""

    rules: str
    selection: Selection
    format_name: str
    output: str

    def run(self, arguments: tuple[str, ...]) -> int:
        """Write the rows of all captures; return the exit code."""
        inputs = Inputs(arguments)
        with OutputTarget(self.output) as target:
            writer: RowWriter | None = None
            for pipeline in inputs.pipelines(self.rules):
                if writer is None:
                    writer = open_writer(self.format_name, target, with_file=len(inputs.names) > 1)
                writer.begin_file(pipeline.reader.name)
                for batch in pipeline:
                    rows = self.selection.rows(batch)
                    if rows is None or len(rows):
                        writer.write(batch.segments, batch.findings, rows)
                inputs.finished(pipeline)
            if writer is not None:
                writer.close()
        return inputs.exit_code
