"""What happened between captures, as tables for people."""

import io
import shutil
import sys
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segwatch.counts import count_text
from segwatch.printable import printable

_PLAIN_WIDTH: Final = 140
"""Columns of output that goes to a file or a pipe."""
_OF_HOPS: Final = ("lost", "maybe_lost", "duplicated", "reordered", "delayed", "appeared")


def print_paths(summary: dict[str, Any]) -> None:
    """Print the summary on standard output: coloured on a terminal, else plain text."""
    if sys.stdout.isatty():
        _print(Console(width=shutil.get_terminal_size().columns, highlight=False, emoji=False, markup=False), summary)
        return
    plain = io.StringIO()
    _print(Console(file=plain, width=_PLAIN_WIDTH, highlight=False, emoji=False, markup=False), summary)
    for line in plain.getvalue().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def _print(console: Console, summary: dict[str, Any]) -> None:
    known = "found from both directions" if summary["order"] == "found" else "as they were named: nothing tells it"
    console.print(Text("Captures", style="bold"), Text(f"(order on the way {known})", style="dim"))
    _show(console, _captures(summary["captures"]))
    console.print(Text("Hops", style="bold"), Text("(delays in milliseconds)", style="dim"))
    _show(console, _hops(summary["hops"]))
    unsure = summary["events"]["maybe_lost"]
    events = sum(summary["events"].values()) - unsure
    console.print(f"{summary['packets']:,} packets, {events:,} events, each counted once.")
    if unsure:
        were, them = ("was", "it") if unsure == 1 else ("were", "them")
        console.print(
            f"{count_text(unsure, 'packet')} {were} lost, or late, or a capture wrote {them} twice: that is not sure, "
            "and not counted."
        )
    if summary["not_judged"]:
        console.print(
            f"{count_text(summary['not_judged'], 'packet')} may have come by where no capture could see them."
        )
    if not all(hop["delay_is_absolute"] for hop in summary["hops"]):
        console.print("+ delays are those above the fastest packet: the clocks cannot be compared.")


def _show(console: Console, table: Table) -> None:
    table.box = box.SIMPLE_HEAD if console.is_terminal else None
    table.pad_edge = False
    console.print(Padding(table, (0, 0, 1, 2), expand=False))


def _table(*columns: str) -> Table:
    table = Table(show_edge=False)
    for number, heading in enumerate(columns):
        table.add_column(heading, justify="right" if number else "left", overflow="fold", header_style="dim")
    return table


def _captures(captures: list[dict[str, Any]]) -> Table:
    table = _table("", "packets", "missed", "written twice", "clock ahead", "uncertain by", "drift")
    for one in captures:
        clock = ["unknown", "", ""]
        if one["clock_known"]:
            clock = [
                f"{one['clock_offset_ms']:.3f} ms", f"{one['clock_uncertainty_ms']:.3f} ms",
                f"{one['clock_drift_ppm']:.1f} ppm",
            ]  # fmt: skip
        counts = (f"{one[name]:,}" for name in ("packets", "capture_loss", "capture_duplicate"))
        table.add_row(printable(one["name"]), *counts, *clock)
    return table


def _hops(hops: list[dict[str, Any]]) -> Table:
    table = _table("", "packets", *(kind.replace("_", " ") for kind in _OF_HOPS), "min", "median", "99 %")
    for hop in hops:
        name = f"{printable(hop['from'] or 'before')} → {printable(hop['to'])}"
        sign = "" if hop["delay_is_absolute"] else "+"
        delays = ("" if value is None else f"{sign}{value:.3f}" for value in hop["delay_ms"].values())
        table.add_row(name, f"{hop['packets']:,}", *(f"{hop[kind]:,}" for kind in _OF_HOPS), *delays)
    return table
