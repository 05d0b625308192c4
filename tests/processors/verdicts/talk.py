"""Conversations for tests of verdicts, as a sensor on the way sees them, and the verdicts on them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from processors.engine import Engine
from processors.verdicts.engine import Verdicts
from segwatch.output.verdict_table import final
from segwatch.records.findings import empty_findings
from segwatch.records.segments import SegmentColumns, take_segments
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause, Needed, Place, Proof, Quality
from tests.processors.builder import CLIENT, SERVER, Segment, columns

CLIENT_ISN, SERVER_ISN = 1000, 5000
SIZE = 1000
"""Bytes of a segment; segment n has the bytes from ``SIZE * n`` on."""
NEEDED_AFTER = (Needed.NEEDED, Place.AFTER_SENSOR)
NEEDED_BEFORE = (Needed.NEEDED, Place.BEFORE_SENSOR)
SPURIOUS = (Needed.SPURIOUS, Place.UNKNOWN)
NO_NEED = (Needed.UNKNOWN, Place.UNKNOWN)

_WAITS = {Cause.WINDOW_CLOSED, Cause.APPLICATION_IDLE}
_RESETS = {Cause.RESET, Cause.INJECTED_RESET}


class Talk:
    """A client sends to a server; ``near`` and ``far`` are milliseconds from the sensor to either and back.

    Each of the client's segments has the next IP ID and the time as its timestamp, unless ``stamped`` or ``numbered``
    is off. IP IDs go on from ``last_id``, but for the SYN, which has none. Times are milliseconds.
    """

    def __init__(
        self,
        near: float = 4,
        far: float = 16,
        *,
        stamped: bool = True,
        numbered: bool = True,
        sack: bool = True,
        last_id: int = 100,
    ) -> None:
        self.segments: list[Segment] = []
        self._stamped, self._numbered = stamped, numbered
        self._ids = {CLIENT: last_id, SERVER: 9000}
        self._halves = {CLIENT: near, SERVER: far}
        permitted = int(Quality.SACK_PERMITTED) if sack else 0
        self._put(0, CLIENT, "S", CLIENT_ISN, 0, quality=permitted, ip_id=0)
        self._put(far, SERVER, "SA", SERVER_ISN, CLIENT_ISN + 1, quality=permitted)
        self._put(far + near, CLIENT, "A", CLIENT_ISN + 1, SERVER_ISN + 1)

    def _put(self, at: float, sender: str, flags: str, seq: int, ack: int, **more: Any) -> int:
        """Append a segment; return its frame."""
        self._ids[sender] += 1
        stamps = {"tsval": round(at) + 7000, "tsecr": self._heard(at, sender)}
        fields: dict[str, Any] = (stamps if self._stamped else {}) | {
            "ip_id": self._ids[sender] if self._numbered else 0
        }
        fields |= more
        fields["quality"] = more.get("quality", 0) | (int(Quality.TIMESTAMPS) if self._stamped else 0)
        self.segments.append(Segment(at, sender, flags, seq, ack, **fields))
        return len(self.segments)

    def _heard(self, at: float, by: str) -> int:
        """Return the timestamp of what an end had heard last, when it sent what passes at that time."""
        sent = at - self._halves[by] + 0.001
        return max((one.tsval for one in self.segments if one.sender != by and one.at <= sent), default=0)

    def send(self, at: float, *numbers: int, flags: str = "A", **more: Any) -> int:
        """Let the client send segments of these numbers at once; return the frame of the last."""
        for number in numbers:
            more = {"length": SIZE} | more
            self._put(at, CLIENT, flags, CLIENT_ISN + 1 + SIZE * number, SERVER_ISN + 1, **more)
        return len(self.segments)

    def lose(self, sender: str = CLIENT) -> None:
        """Let a segment not come to the sensor."""
        self._ids[sender] += 1

    def repeat_alone(self, at: float, number: int) -> int:
        """Send one segment, and again when either timer runs out; return the frame of the repeat."""
        self.send(at, number)
        frame = self.send(at + 222, number)
        self.ack(at + 238, number + 1)
        return frame

    def ack(self, at: float, number: int, *sacked: tuple[int, int], **more: Any) -> int:
        """Let the server acknowledge all before segment ``number``, and ranges [from, to) selectively."""
        edges = tuple(CLIENT_ISN + 1 + SIZE * edge for block in sacked for edge in block)
        return self._put(at, SERVER, "A", SERVER_ISN + 1, CLIENT_ISN + 1 + SIZE * number, sack=edges, **more)

    def answer(self, at: float, number: int, answers: int = 0) -> int:
        """Let the server send data behind so many answers, and acknowledge all before segment ``number``."""
        seq, ack = SERVER_ISN + 1 + SIZE * answers, CLIENT_ISN + 1 + SIZE * number
        return self._put(at, SERVER, "A", seq, ack, length=SIZE)

    def take(self, at: float, answers: int, length: int = 0) -> int:
        """Let the client acknowledge so many answers in its first segment, which may have data."""
        return self._put(at, CLIENT, "A", CLIENT_ISN + 1, SERVER_ISN + 1 + SIZE * answers, length=length)

    def reset(self, at: float, number: int, **more: Any) -> int:
        """Let a reset pass that bears the client's address and the number of that segment."""
        return self._put(at, CLIENT, "R", CLIENT_ISN + 1 + SIZE * number, 0, **more)

    def keep_alive(self, at: float, number: int) -> int:
        """Let the client ask for an answer, and the server give it, after ``number`` segments."""
        frame = self.probe(at, CLIENT_ISN + SIZE * number)
        self.ack(at + self._halves[SERVER], number)
        return frame

    def probe(self, at: float, seq: int, length: int = 0) -> int:
        """Let the client send an empty segment, or a short one, of that raw number."""
        return self._put(at, CLIENT, "A", seq, SERVER_ISN + 1, length=length)

    def warm(self, until: int = 10) -> float:
        """Exchange segments 0 to ``until``, one a round trip, so that times are known; return when that is over."""
        at = 100.0
        for number in range(until):
            self.send(at, number)
            self.ack(at + 16, number + 1)
            at += 20
        return at

    def verdicts(self) -> list["Verdict"]:
        """Return the last revision of each verdict but those on waits and resets."""
        return [one for one in self._all() if one.cause not in _WAITS | _RESETS]

    def waits(self) -> list["Verdict"]:
        """Return the verdicts on new data that waited."""
        return [one for one in self._all() if one.cause in _WAITS]

    def resets(self) -> list["Verdict"]:
        """Return the verdicts on resets."""
        return [one for one in self._all() if one.cause in _RESETS]

    def _all(self) -> list["Verdict"]:
        return [Verdict(row) for row in final(judged(columns(self.segments)))]

    def only(self) -> "Verdict":
        """Return the only verdict."""
        (verdict,) = self.verdicts()
        return verdict


class Verdict:
    """A row, in words."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.cause = Cause(int(row["cause"]))
        self.needed = Needed(int(row["needed"]))
        self.place = Place(int(row["place"]))
        self.proof = Proof(int(row["proof"]))

    def __repr__(self) -> str:
        return f"{self.row['frame']}: {self.cause!r} {self.needed!r} {self.place!r} {self.proof!r}"

    @property
    def says(self) -> tuple[Cause, Needed, Place]:
        """What it says."""
        return self.cause, self.needed, self.place


def judged(segments: SegmentColumns, cuts: Sequence[int] = (), *, read_back: bool = False) -> npt.NDArray[Any]:
    """Return all verdicts on segments cut at the given rows, in the order in which they were written."""
    engine, verdicts = Engine(), Verdicts()
    parts = [np.zeros(0, VERDICT)]
    rows = len(segments.ts)
    for begin, end in zip([0, *cuts], [*cuts, rows], strict=True):
        part = take_segments(segments, slice(begin, end))
        findings = empty_findings(end - begin)
        numbers = engine.flows.find(part)
        engine.analyze_found(part, numbers, findings)
        parts.append(verdicts.judge(part, numbers, findings).copy())
        if read_back:
            taken = verdicts.state()
            verdicts = Verdicts()
            verdicts.restore(taken)
    return np.concatenate(parts).view(VERDICT)


@st.composite
def troubled_segments(draw: st.DrawFn, most: int = 40) -> list[Segment]:
    """Draw a bulk transfer with everything that can happen to it: so that kernels get to their far corners."""
    now, highest, acked = 0.0, 1001, 1001
    drawn = [Segment(0, CLIENT, "S", 1000, quality=1 << 10), Segment(1, SERVER, "SA", 5000, 1001, quality=1 << 10)]
    for _ in range(draw(st.integers(1, most))):
        now += draw(st.sampled_from([0.0, 0.01, 1.0, 10.0, 250.0, 1500.0]))
        stamp: dict[str, Any] = {
            "tsval": round(now),
            "tsecr": draw(st.integers(0, round(now))),
            "ip_id": draw(st.integers(0, 40)),
        }
        stamp["quality"] = draw(st.sampled_from([0, 1 << 9]))
        where = 100 * draw(st.integers(-8, 2))
        if draw(st.booleans()):
            length = draw(st.sampled_from([0, 1, 100, 300]))
            drawn.append(Segment(now, CLIENT, "A", highest + where, 5001, length, **stamp))
            highest = max(highest, highest + where + length)
        else:
            acked = max(acked, min(highest, acked + 100 * draw(st.integers(-1, 6))))
            blocks = draw(st.lists(st.tuples(st.integers(-4, 8), st.integers(1, 4)), max_size=4))
            edges = [edge for left, length in blocks for edge in (acked + 100 * left, acked + 100 * (left + length))]
            window = draw(st.sampled_from([0, 1000, 1000]))
            drawn.append(Segment(now, SERVER, "A", 5001, acked, sack=tuple(edges), window=window, **stamp))
    return drawn
