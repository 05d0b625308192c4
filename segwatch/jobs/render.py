"""The summary as tables for people."""

import io
import shutil
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segwatch.counts import count_text
from segwatch.endpoints import endpoint_text
from segwatch.jobs.reasons import seconds_text, share_text
from segwatch.jobs.skipped import skipped_words
from segwatch.jobs.summary import HIGH_RATE, SAMPLE
from segwatch.printable import printable

_PLAIN_WIDTH = 140
"""Columns of output that goes to a file or a pipe."""
_NARROW = 110
"""Below this many columns both ends of a conversation share one."""
_BILLION = 1_000_000_000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def print_summary(summary: dict[str, Any]) -> None:
    """Print the summary of one capture on standard output: coloured tables on a terminal, else plain text."""
    if sys.stdout.isatty():
        _print(Console(width=shutil.get_terminal_size().columns, highlight=False, emoji=False, markup=False), summary)
        return
    plain = io.StringIO()
    _print(Console(file=plain, width=_PLAIN_WIDTH, highlight=False, emoji=False, markup=False), summary)
    for line in plain.getvalue().splitlines():
        sys.stdout.write(line.rstrip() + "\n")


def _print(console: Console, summary: dict[str, Any]) -> None:
    _print_content(console, summary)
    for title, table in _tables(summary, console.width):
        if table.row_count:
            console.print()
            console.print(Text(title, style="bold"))
            table.box = box.SIMPLE_HEAD if console.is_terminal else None
            table.pad_edge = False
            console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if not summary["labels"] and not summary["resets"] and summary["segments"]:
        console.print("\nNothing is wrong with any of its segments.")
    console.print()


def _print_content(console: Console, summary: dict[str, Any]) -> None:
    console.print(Text(printable(summary["name"]), style="bold"), Text(f"({summary['format']})", style="dim"))
    counts = ", ".join(
        count_text(summary[member], singular)
        for member, singular in (
            ("frames", "frame"), ("segments", "TCP segment"), ("conversations", "conversation"), ("hosts", "host"),
        )
    )  # fmt: skip
    console.print(f"  {counts}")
    if summary["first"]:
        start, end = (summary[member][:19].replace("T", " ") for member in ("first", "last"))
        link_types = f"; {', '.join(summary['link_types'])}" if summary["link_types"] else ""
        console.print(f"  {start} to {end} UTC ({_duration(summary['seconds'])}){link_types}")
    if summary["payload_bytes"]:
        again = summary["retransmitted_bytes"] / summary["payload_bytes"]
        console.print(f"  {_bytes(summary['payload_bytes'])} of payload, {share_text(again)} of it sent again")
    if summary["unanswered"]:
        console.print(f"  {count_text(summary['unanswered'], 'conversation')} without an answer to the SYN")
    if summary["skipped"]:
        console.print(f"  Not analysed: {skipped_words(summary['skipped'])}")
    if summary["damage"]:
        console.print(Text(f"  Incomplete: {printable(summary['damage'])}", style="yellow"))


def _tables(summary: dict[str, Any], width: int) -> list[tuple[str, Table]]:
    sample = f"{SAMPLE} segments with data or more, {share_text(HIGH_RATE)} of bytes or more"
    return [
        ("Labels", _counts(summary["labels"], summary["segments"])),
        ("Worst conversations", _worst(summary["worst_conversations"], narrow=width < _NARROW)),
        (f"Hosts that send much again ({sample})", _rates(summary["retransmitting_hosts"])),
        (f"Pairs that send much again ({sample})", _rates(summary["retransmitting_pairs"])),
        ("Resets", _counts(summary["resets"], summary["segments"])),
        ("Zero windows", _zero_windows(summary["zero_window"])),
        ("Round trips", _round_trips(summary["rtt"])),
    ]


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(show_edge=False)
    for heading, justify in columns:
        numeric = justify == "right"
        table.add_column(
            heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold", header_style="dim"
        )
    return table


def _counts(counts: dict[str, int], segments: int) -> Table:
    table = _table(("", "left"), ("segments", "right"), ("share", "right"))
    for name, count in counts.items():
        table.add_row(name, f"{count:,}", share_text(count / max(segments, 1)))
    return table


def _worst(conversations: list[dict[str, Any]], *, narrow: bool) -> Table:
    ends = (("client → server", "left"),) if narrow else (("client", "left"), ("server", "left"))
    table = _table(*ends, ("segments", "right"), ("time", "right"), ("why", "left"))
    for one in conversations:
        client, server = (
            endpoint_text(one["client"], one["client_port"]),
            endpoint_text(one["server"], one["server_port"]),
        )
        names = (f"{client}\n→ {server}",) if narrow else (client, server)
        table.add_row(*names, f"{one['segments']:,}", _duration(one["seconds"]), "; ".join(one["why"]))
    return table


def _rates(rows: list[dict[str, Any]]) -> Table:
    table = _table(("", "left"), ("sent", "right"), ("again", "right"), ("of bytes", "right"), ("segments", "right"))
    for row in rows:
        name = row["host"] if "host" in row else f"{row['client']} → {endpoint_text(row['server'], row['server_port'])}"
        again = _bytes(row["retransmitted_bytes"])
        share = share_text(row["retransmitted_share"])
        table.add_row(name, _bytes(row["payload_bytes"]), again, share, f"{row['data_segments']:,}")
    return table


def _zero_windows(zero_window: dict[str, Any]) -> Table:
    table = _table(("", "left"), ("", "right"))
    table.show_header = False
    if zero_window["conversations"]:
        table.add_row("conversations", f"{zero_window['conversations']:,}")
        table.add_row("time at clients, summed", _duration(zero_window["client_seconds"]))
        table.add_row("time at servers, summed", _duration(zero_window["server_seconds"]))
    return table


def _round_trips(rtt: dict[str, Any]) -> Table:
    table = _table(("", "left"), *((heading, "right") for heading in ("samples", "least", "average or median", "most")))
    for name, side in (("to the client", rtt["client_side"]), ("to the server", rtt["server_side"])):
        if side:
            times = (side["min_seconds"], side["average_seconds"], side["max_seconds"])
            table.add_row(name, f"{side['samples']:,}", *map(_duration, times))
    if initial := rtt["initial"]:
        times = (initial["min_seconds"], initial["p50_seconds"], initial["max_seconds"])
        table.add_row("handshake", f"{initial['conversations']:,}", *map(_duration, times))
    return table


def _bytes(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.3g} {_UNITS[unit]}"


def _duration(seconds: float) -> str:
    if not seconds:
        return "0 s"
    if abs(seconds) < 120:
        return (
            seconds_text(round(seconds * _BILLION)) if seconds >= 0 else f"-{seconds_text(round(-seconds * _BILLION))}"
        )
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
