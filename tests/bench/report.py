"""The page of figures: docs/benchmarks.md."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.parts import PARTS
from tests.bench.tables import Row, Table

LIBRARIES = ("numpy", "numba", "pyarrow", "libpcap", "chdb-core")

BUSY = 0.7
"""Load average beyond which the page says that the machine was not at rest."""
INTRODUCTION = (
    "Written by `make bench`: the project's own captures (`python -m tests.generate`), segwatch and the programs that "
    "were found, in turns, median of several rounds, files in the page cache. What counts are the ratios; the figures "
    "belong to the machine."
)


def machine() -> str:
    """Return a sentence that names this machine and what runs on it."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, {libraries}, segwatch {version('segwatch')}"
    )


def keep(path: Path, part: str, tables: Sequence[Table], rounds: int, load: float) -> dict[str, Any]:
    """Put the tables of a part into the file of results and return all results so far.

    ``load``: the load average before anything was measured, that is what else the machine had to do.
    """
    results: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    results[part] = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "rounds": rounds,
        "load": load,
        "tables": [{**table._asdict(), "rows": [row._asdict() for row in table.rows]} for table in tables],
    }
    path.write_text(json.dumps(results, indent=1), "utf-8")
    return results


def page(results: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    lines = ["# Benchmarks", "", INTRODUCTION, ""]
    machines: dict[tuple[str, str], list[str]] = {}
    for part in PARTS:
        if part in results:
            machines.setdefault((results[part]["machine"], results[part]["date"]), []).append(part)
    for (name, date), parts in machines.items():
        of_parts = f", {', '.join(parts)}" if len(machines) > 1 else ""
        lines.append(f"Machine: {name} ({date}{of_parts}).")
    for part in PARTS:
        if part in results:
            for table in results[part]["tables"]:
                lines += ["", *_table(table, _circumstances(results[part], part, once=table["once"]))]
    return "\n".join(lines) + "\n"


def _circumstances(result: Mapping[str, Any], part: str, *, once: bool) -> str:
    rounds = "One round" if once or result["rounds"] == 1 else f"Median of {result['rounds']} rounds"
    busy = f", on a machine that was busy with something else (load {result['load']:.1f})"
    return f"{rounds}{busy if result['load'] > BUSY else ''}: `make bench BENCH={part}`."


def _table(table: Mapping[str, Any], circumstances: str) -> list[str]:
    rows = [Row(**row) for row in table["rows"]]
    judged = any(row.bar for row in rows)
    head = [*table["head"], *(("bar", "") if judged else ())]
    lines = [f"## {table['title']}", "", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        verdict = {True: "met", False: "**missed**", None: ""}[row.met]
        lines.append(f"| {' | '.join([*row.cells, *((row.bar, verdict) if judged else ())])} |")
    return [*lines, "", f"{table['note']} {circumstances}".strip()]
