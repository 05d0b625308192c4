"""The document of ``segwatch status`` in words."""

from collections.abc import Iterator, Sequence
from typing import Any

from segwatch.jobs.lines import size_text, table_lines
from segwatch.printable import printable

_DROPPED = ("kernel_drops", "interface_drops", "shed_segments")
"""What did not come of an interface; frames count as segments."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def status_text(document: dict[str, Any]) -> str:
    """Return the lines for a person; what sensors and senders of messages wrote is in some of them."""
    return "\n".join(map(printable, _lines(document)))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    if "kafka" in document:
        yield f"Kafka {document['kafka']}"
        rows = [("topic", "messages", "a second", "kept")]
        for topic in document["topics"]:
            kept = topic["retention_seconds"]
            shown = "last per key" if kept is None else _span(kept)
            rows.append((topic["name"], f"{topic['messages']:,}", f"{topic['messages_per_second']:,.1f}", shown))
        yield from table_lines(rows, right=(1, 2, 3))
        yield ""
        yield f"Processors  {_readers(document['processors'])}"
        yield f"            {_checkpoints(document['processors']['checkpoints'])}"
        yield f"Sinks       {_readers(document['sinks'])}"
    if "store" in document:
        yield f"Store       {_store(document['store'])}"
    if "kafka" in document:
        yield f"Refused     {_dead_letters(document['dead_letters'])}"
        for letter in document["dead_letters"]["last"]:
            place = f"{letter['topic']}/{letter['partition']} offset {letter['offset']}"
            yield f"  {letter['at']}  {letter['reader']}  {place}: {letter['detail'] or letter['reason']}"
        yield ""
        yield from _sensors(document["sensors"])
    yield from document["problems"]


def _readers(readers: dict[str, Any]) -> str:
    lag, members = readers["lag"], readers["members"]
    run = "none runs" if not members else "1 runs" if members == 1 else f"{members} run"
    if not lag["messages"]:
        return f"{run}, nothing waits"
    behind = "" if lag["seconds"] is None else f", {_span(lag['seconds'])} of traffic"
    worst = lag["worst"]
    return f"{run}, {lag['messages']:,} messages behind{behind} (worst: {worst['topic']}/{worst['partition']})"


def _checkpoints(checkpoints: dict[str, Any]) -> str:
    age = checkpoints["oldest_age_seconds"]
    if age is None:
        return "no checkpoint yet"
    return f"oldest checkpoint {_span(age)} ago, {size_text(checkpoints['bytes'])} to read at a start"


def _store(store: dict[str, Any]) -> str:
    rows = ", ".join(f"{number:,} {table}" for table, number in store["rows"].items() if number)
    return f"{store['address']}: {rows or 'no rows'}; {store['rows_per_second']:,.0f} rows a second"


def _dead_letters(letters: dict[str, Any]) -> str:
    number = letters["count"]
    what = "message" if number == 1 else "messages"
    return f"{number:,} {what} in the dead letters; the last:" if number else "no message"


def _sensors(sensors: list[dict[str, Any]]) -> Iterator[str]:
    if not sensors:
        yield "No sensor has been heard."
        return
    rows = [("sensor", "state", "last seen", "segments", "dropped", "interface")]
    for one in sensors:
        dropped = sum(one[kind] for kind in _DROPPED)
        rows.append(
            (one["sensor"], one["state"], f"{_span(one['age_seconds'])} ago", f"{one['segments']:,}", f"{dropped:,}",
             one["interface"])
        )  # fmt: skip
    yield from table_lines(rows, right=(3, 4))
    for one in sensors:
        name, interface = one["sensor"], one["interface"]
        if one["problem"]:
            yield f"{name}: {one['problem']}"
        if one["seen_twice"]:
            yield f"{name}: {one['seen_twice']:,} segments of {interface} are copies of others (seen twice)"
        if one["one_way_conversations"]:
            yield f"{name}: {one['one_way_conversations']:,} conversations of {interface} show one direction only"
    yield from _spools(sensors)
    shared = {one["sensor"]: one["shared_by_hosts"] for one in sensors if one["shared_by_hosts"]}
    for name, hosts in sorted(shared.items()):
        yield f"{name}: several sensors have this name (on {', '.join(hosts)}); give each its own with --name"


def _spools(sensors: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what waits in each sensor's spool or was given up: all interfaces of a sensor tell of the same one."""
    newest_first = {one["sensor"]: one for one in reversed(sensors)}
    for name, one in sorted(newest_first.items()):
        if one["spooled_messages"]:
            size = size_text(one["spooled_bytes"])
            yield f"{name}: {one['spooled_messages']:,} messages wait in its spool ({size})"
        dropped = max(other["dropped_segments"] for other in sensors if other["sensor"] == name)
        if dropped:
            yield f"{name}: {dropped:,} segments were given up, for which its spool had no room"


def _span(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
