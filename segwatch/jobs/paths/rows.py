"""Events between captures as tab-separated values: one line for each event, with its frames in all captures."""

import sys
from typing import Final

from processors.paths.network import Paths
from segwatch.endpoints import address_text, endpoint_text
from segwatch.records.paths import NOWHERE, PATH_EVENT_NAMES
from segwatch.vocabulary import Quality

COLUMNS: Final = ("time", "event", "from", "to", "src", "dst", "seq", "payload_len", "flags", "copy_of")
"""Before the columns of frames, one for each capture."""
_NANOSECONDS: Final = 1_000_000_000
_IPV6: Final = int(Quality.IPV6)


def write_events(paths: Paths, names: list[str]) -> None:
    """Write the events to standard output; ``names`` of the captures in the order of the way."""
    plain = [name.translate({ord(mark): " " for mark in "\t\r\n"}) for name in names]
    _write([*COLUMNS, *(f"frame {name}" for name in plain)])
    for event in range(len(paths.events.kind)):
        _write(_values(paths, plain, event))


def _write(values: list[str]) -> None:
    sys.stdout.write("\t".join(values) + "\n")


def _values(paths: Paths, names: list[str], event: int) -> list[str]:
    """Return the fields of one event."""
    events, segments = paths.events, paths.segments
    packet = int(events.packet[event])
    rows = [int(row) for row in paths.packets.row[packet]]
    row = max(rows)
    version = 6 if int(segments.quality[row]) & _IPV6 else 4
    seconds, nanoseconds = divmod(int(events.ts[event]), _NANOSECONDS)
    origin, target = int(events.origin[event]), int(events.target[event])
    original = int(paths.packets.copy_of[packet])
    return [
        f"{seconds}.{nanoseconds:09}",
        PATH_EVENT_NAMES[events.kind[event]],
        names[origin] if origin != NOWHERE else "",
        names[target],
        endpoint_text(address_text(segments.src[row], version), int(segments.sport[row])),
        endpoint_text(address_text(segments.dst[row], version), int(segments.dport[row])),
        str(segments.seq[row]),
        str(segments.payload_len[row]),
        f"0x{int(segments.flags[row]):04x}",
        _frames(paths, original) if original != NOWHERE else "",
        *("" if one == NOWHERE else str(segments.frame[one]) for one in rows),
    ]


def _frames(paths: Paths, packet: int) -> str:
    """Return the frames of a packet, one for each capture, - where there is none."""
    rows = paths.packets.row[packet]
    return ",".join("-" if row == NOWHERE else str(paths.segments.frame[row]) for row in rows)
