"""Report on a capture, read once for the sums and once more for its worst conversations, or on the store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from segwatch.jobs.captures import captures_to_read_twice, refuse_to_overwrite
from segwatch.jobs.explain.selection import Wanted
from segwatch.jobs.pipeline import CapturePipeline
from segwatch.jobs.report.captured import captured_report
from segwatch.output.target import OutputTarget
from segwatch.report.content import Report
from segwatch.report.page import page

if TYPE_CHECKING:
    from segwatch.scope import Scope

_WORST: Final = Wanted(most=5)
"""Conversations that are told of one by one."""


@dataclass(frozen=True)
class ReportJob:
    """What to write, and where to."""

    rules: str
    output: str

    def run(self, name: str) -> int:
        """Write the report on one capture; return the exit code."""
        captures = captures_to_read_twice(name, "report")
        refuse_to_overwrite(self.output, captures.names)
        for pipeline in captures.each(lambda path: CapturePipeline(path, self.rules, named=True)):
            report = captured_report(captures, pipeline, self.rules, _WORST)
            if report is not None:
                self._write(report)
        return captures.exit_code

    def run_stored(self, store: str, scope: "Scope") -> int:
        """Write the report on what the store has; return the exit code. Raises StoreError and InputError."""
        from segwatch.jobs.report.stored import stored_report  # what talks to ClickHouse takes long to import

        self._write(stored_report(store, scope, self.rules, _WORST))
        return 0

    def _write(self, report: Report) -> None:
        with OutputTarget(self.output) as target:
            target.write(page(report).encode())
