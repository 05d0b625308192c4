"""The picture as lines, for logs and programs."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any, Final, Self

from segwatch.endpoints import address_text
from segwatch.jobs.reasons import reasons
from segwatch.jobs.watch.filtering import Filter
from segwatch.jobs.watch.frame import Frame, TakesFrame
from segwatch.jobs.watch.picture import Tally
from segwatch.jobs.watch.sheets import CONVERSATIONS, sheet_of
from segwatch.jobs.watch.texts import end_text, percent, rate_text, short

WORST: Final = 10
_STEP_SECONDS: Final = 0.05


class Lines(nullcontext[None]):
    """Prints a line, or a JSON object in a line, per interval."""

    def __init__(self, interval: float, *, as_json: bool) -> None:
        super().__init__()
        self._interval = interval
        self._text = json_line if as_json else line

    def __enter__(self) -> Self:  # type: ignore[override]
        return self

    def show(self, frame: TakesFrame, is_over: Callable[[], bool]) -> None:
        """Print until it is over, and once more at the end."""
        due = time.monotonic() + self._interval
        while not is_over():
            time.sleep(_STEP_SECONDS)
            if time.monotonic() >= due:
                due += self._interval
                self._print(frame(since_start=False))
        self._print(frame(since_start=False))

    def _print(self, frame: Frame) -> None:
        sys.stdout.write(f"{self._text(frame)}\n")
        sys.stdout.flush()


def line(frame: Frame) -> str:
    """Return a frame in a line."""
    look = frame.look
    labels = {name: number for name, number in look.window.labels.items() if number}
    parts = [
        f"{_time_text(look.now)[11:19]} {frame.name}: {rate_text(frame.packets_a_second, 'packets')}",
        f"{rate_text(frame.payload_bits_a_second, 'bit')} of payload",
        f"{look.start.segments:,} segments in {look.conversations:,} conversations",
        f"{frame.dropped:,} dropped, {percent(frame.shed_share) or 0} % shed",
    ]
    if frame.half_seen:
        parts.append(frame.half_seen)
    if labels:
        most = sorted(labels, key=lambda name: -labels[name])
        counted = ", ".join(f"{name} {short(labels[name])}" for name in most[:4])
        parts.append(f"last {look.window.seconds:.0f} s: {counted}")
    for row in _worst(frame, 1):
        one = look.ends[row]
        client, server = (
            end_text(one[side], int(one["ip_version"]), int(one[f"{side}_port"])) for side in ("client", "server")
        )
        parts.append(f"worst: {client} → {server} ({'; '.join(_why(frame, row))})")
    if problem := frame.problem or frame.status.problem:
        parts.append(problem)
    return "; ".join(parts)


def json_line(frame: Frame) -> str:
    """Return a frame as a JSON object; docs/watch.md lists the members."""
    look, status = frame.look, frame.status
    document = {
        "kind": "interval",
        "name": frame.name,
        "time": _time_text(look.now),
        "running_seconds": round(frame.running, 3),
        "packets_a_second": round(frame.packets_a_second, 1),
        "payload_bits_a_second": round(frame.payload_bits_a_second, 1),
        "conversations": look.conversations,
        "active_conversations": look.active,
        "forgotten_conversations": frame.evicted,
        "lost_rows": frame.lost_rows,
        **status._asdict(),
        "problem": frame.problem or status.problem,
        "shed_share": frame.shed_share,
        "window": _tally(look.window),
        "since_start": _tally(look.start),
        "worst_conversations": [_conversation(frame, row) for row in _worst(frame, WORST)],
    }
    return json.dumps(document, ensure_ascii=False)


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "seconds": round(tally.seconds, 9),
        "segments": tally.segments,
        "payload_bytes": tally.payload_bytes,
        "labels": {name: number for name, number in tally.labels.items() if number},
        "resets": {name: number for name, number in tally.reset_classes.items() if number},
    }


def _conversation(frame: Frame, row: int) -> dict[str, Any]:
    one, total = frame.look.ends[row], frame.look.judged.totals[row]
    return {
        **{side: address_text(one[side], int(one["ip_version"])) for side in ("client", "server")},
        "client_port": int(one["client_port"]),
        "server_port": int(one["server_port"]),
        "segments": int(total["segments"].sum()),
        "payload_bytes": int(total["payload_bytes"].sum()),
        "why": _why(frame, row),
    }


def _worst(frame: Frame, count: int) -> Sequence[int]:
    """Return the worst conversations, those with something to say."""
    best = sheet_of(CONVERSATIONS, frame.look, Filter(), [frame.name]).best(count, None, reverse=False)
    return [row for row in best if frame.look.judged.scores[row] > 0]


def _why(frame: Frame, row: int) -> list[str]:
    judged = frame.look.judged
    return reasons(judged.totals[row], judged.troubles[row])


def _time_text(nanoseconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return f"{nanoseconds // 10**9}"
