"""The job behind ``segwatch verdicts``: why the segments of some captures are there that are not new data in order."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processors.engine import Engine
from processors.verdicts.engine import Verdicts
from segwatch.endpoints import endpoint_text
from segwatch.explain.sentences import moment_text, span_text
from segwatch.explain.verdict_words import reason
from segwatch.jobs.captures import Captures, refuse_to_overwrite
from segwatch.jobs.decoding import DecodedCapture
from segwatch.memory import copied, joined
from segwatch.output.columnar import ColumnarFile, arrow_file, parquet_file
from segwatch.output.target import OutputTarget
from segwatch.output.verdict_table import ends, final, schema, table, texts
from segwatch.records.findings import empty_findings, take_findings
from segwatch.records.verdicts import VERDICT
from segwatch.times import time_text
from segwatch.vocabulary import CAUSE_NAMES, NEEDED_NAMES, STALL_REASONS, Place

_PLACES: Final = {Place.UNKNOWN: "", Place.BEFORE_SENSOR: "before the sensor", Place.AFTER_SENSOR: "after the sensor"}


def judged(capture: DecodedCapture, rules: str) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield, batch by batch, how many segments there were, and their verdicts (valid until the next)."""
    engine = Engine(rules, verdicts=Verdicts())
    findings = empty_findings(0)
    for segments in capture:
        rows = len(segments.ts)
        if rows > len(findings.stream):
            findings = empty_findings(rows)
        found = take_findings(findings, slice(0, rows))
        engine.analyze(segments, found)
        yield rows, engine.judged.rows


@dataclass(frozen=True)
class VerdictsJob:
    """What to write, and where to. ``format_name``: ``people``, ``tsv``, ``jsonl``, ``arrow`` or ``parquet``."""

    rules: str
    format_name: str
    output: str
    with_amendments: bool = False

    def run(self, arguments: tuple[str, ...]) -> int:
        """Write the verdicts of all captures; return the exit code."""
        captures = Captures(arguments)
        refuse_to_overwrite(self.output, captures.names)
        several = len(captures.names) > 1
        with OutputTarget(self.output) as target:
            writer = _Writer(self.format_name, target, with_file=several)
            for capture in captures.each(DecodedCapture):
                segments, verdicts = self._verdicts(capture)
                content = capture.content()
                if captures.finished(content, segments):
                    writer.write(capture.reader.name if several else None, verdicts, content.first)
            writer.close()
        return captures.exit_code

    def _verdicts(self, capture: DecodedCapture) -> tuple[int, npt.NDArray[Any]]:
        """Return how many segments a capture has, and its verdicts."""
        segments = 0
        parts = [np.zeros(0, VERDICT)]
        for rows, found in judged(capture, self.rules):
            segments += rows
            if len(found):
                parts.append(copied(found))
        verdicts = joined(parts)
        return segments, verdicts if self.with_amendments else final(verdicts)


class _Writer:
    """Writes the verdicts of one capture after the other."""

    def __init__(self, form: str, target: OutputTarget, *, with_file: bool) -> None:
        self._form = form
        self._target = target
        self._schema = schema(with_file=with_file)
        self._file: ColumnarFile | None = None
        if form == "tsv":
            target.write(("\t".join(self._schema.names) + "\n").encode())
        elif form == "arrow":
            self._file = arrow_file(target, self._schema)
        elif form == "parquet":
            self._file = parquet_file(target, self._schema)

    def write(self, name: str | None, verdicts: npt.NDArray[Any], first: int) -> None:
        """Write the verdicts of a capture whose first frame came at ``first``; its name in front if there is one."""
        if self._form == "people":
            self._target.write("".join(_lines(name, verdicts, first)).encode())
            return
        rows = table(verdicts, name)
        if self._file is not None:
            with self._target.guarded():
                self._file.writer.write_table(rows)
            return
        for row in texts(rows):
            if self._form == "jsonl":
                line = json.dumps(row, ensure_ascii=False)
            else:
                line = "\t".join(str(row.get(column, "")) for column in self._schema.names)
            self._target.write(f"{line}\n".encode())

    def close(self) -> None:
        """Write what a good end needs."""
        if self._file is not None:
            self._file.close()


def _lines(name: str | None, verdicts: npt.NDArray[Any], first: int) -> Iterator[str]:
    """Yield the table for people: two lines for each verdict, and what there was of each cause."""
    if name is not None:
        yield f"{name}\n"
    if not len(verdicts):
        yield "Nothing was sent again, came late or twice.\n"
        return
    yield f"Times are counted from the capture's first frame, {time_text(first)}.\n\n"
    for row, source, source_port, target, target_port in zip(verdicts, *ends(verdicts), strict=True):
        cause, needed = CAUSE_NAMES[row["cause"]], NEEDED_NAMES[row["needed"]]
        place = _PLACES[Place(int(row["place"]))]
        words = " ".join(word for word in (cause, needed if needed != "unknown" else "", place) if word)
        ways = f"{endpoint_text(source, source_port)} > {endpoint_text(target, target_port)}"
        amended = f" revision {row['revision']} (frame {row['amended_by']})" if row["revision"] else ""
        at = moment_text(int(row["time"]) - first)
        yield f"frame {row['frame']}  +{at}  {ways}  {words}  {100 * float(row['confidence']):.0f} %{amended}\n"
        yield f"    {reason(row)}\n"
    yield "\n"
    counts = np.bincount(verdicts["cause"], minlength=len(CAUSE_NAMES))
    for number in np.argsort(-counts, kind="stable"):
        if counts[number]:
            yield f"{counts[number]:>8,} {CAUSE_NAMES[number]}\n"
    yield from _stalls(verdicts)


def _stalls(verdicts: npt.NDArray[Any]) -> Iterator[str]:
    """Yield for how long delivery stood still, by reason, if it did."""
    spans: Counter[str] = Counter()
    for cause, reason_name in STALL_REASONS.items():
        spans[reason_name] += int(verdicts["stalled"][verdicts["cause"] == cause].sum())
    told = [f"{span_text(span)} {name}" for name, span in spans.most_common() if span]
    if told:
        yield f"\nDelivery stood still, by reason: {', '.join(told)}\n"
