"""The truth about a run: a row for each frame of each capture that is a repeat, out of order, or a probe."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from tests.lab.captures import Capture, Captured
from tests.lab.episodes import episodes
from tests.lab.flows import Fate, Flow, Key, Send, fates, flows_of
from tests.lab.join import Cause, causes, of_flow
from tests.lab.kernel import Repeat, Word
from tests.lab.middlebox import Action, Packet, Passing
from tests.lab.needed import Need, needs
from tests.lab.settings import Side
from tests.lab.showing import Gaps, Passed, PassedBefore

CAUSES: Final = (
    "rto", "fast_retransmit", "recovery", "tail_loss_probe", "syn_retry", "zero_window_probe", "keep_alive",
    "reordering", "network_duplicate", "capture_duplicate", "capture_loss", "unknown",
)  # fmt: skip


class Row(NamedTuple):
    """One line of ``truth.csv.gz``."""

    capture: str
    """Name of the point."""
    frame: int
    """From 1, as Wireshark counts."""
    cause: str
    """One of ``CAUSES``."""
    needed: str
    """As ``tests.lab.needed`` defines it; ``unknown`` of what is no repeat."""
    place: str
    """``before_sensor``, ``after_sensor``: where what a needed repeat replaces was lost; else ``unknown``."""
    episode: int
    """The same for the repeats of one loss episode, in all captures."""
    evidence: str
    """Pairs of name and value: what the kernel said, what the middlebox did."""


class Run(NamedTuple):
    """What a run leaves behind, for the truth to be made of."""

    packets: Sequence[Packet]
    actions: Sequence[Action]
    passings: Sequence[Passing]
    word: Word
    namespaces: tuple[int, int]
    """Of client and server, as the kernel's word has them."""
    thrown_away: tuple[int, int]
    """Segments that the client's and the server's kernel received and threw away."""
    points: Sequence[str]


class Known(NamedTuple):
    """What is known of the packets of a run, by packet."""

    fates: list[Fate]
    """What became of each packet."""
    flows: dict[Key, Flow]
    sends: dict[int, tuple[Flow, Send]]
    causes: dict[int, Cause]
    needs: dict[int, Need]
    episodes: dict[int, int]
    unseen: list[Repeat]
    """The kernel's events of which a part came by nowhere."""
    next_episode: int


def know(run: Run) -> Known:
    """Join what the kernel said and what the middlebox did."""
    fate = fates(run.actions, run.passings, run.packets, len(run.points) - 1)
    known = Known(fate, flows_of(run.packets), {}, {}, {}, {}, [], 0)
    numbers = count(1)
    for flow in known.flows.values():
        is_forward = flow.direction == "forward"
        word = of_flow(run.word, flow, run.namespaces[0 if is_forward else 1])
        why, unseen = causes(flow, word)
        known.sends.update({send.packet: (flow, send) for send in (*flow.sends, *flow.probes)})
        known.causes.update(why)
        known.unseen.extend(unseen)
        known.needs.update(needs(flow, fate, throws_away=run.thrown_away[1 if is_forward else 0] > 0))
        known.episodes.update(episodes(flow, why, numbers))
    return known._replace(next_episode=next(numbers))


def rows(run: Run, known: Known, captures: Sequence[Capture]) -> Iterator[Row]:
    """Yield the rows of all captures, one for each point."""
    numbers = count(known.next_episode)
    for point, capture in enumerate(captures):
        delivered = {number: time for number, time in capture.omitted.items() if known.fates[number].is_delivered}
        passed, gaps = Passed(), Gaps(known.sends, delivered)
        for number, frame in enumerate(capture.frames, 1):
            packet = run.packets[frame.packet]
            was_here = passed.note(frame, known.sends.get(frame.packet))
            gap = gaps.shown_by(frame.time, packet, known.flows)
            cause, needed, place, evidence = _of_frame(frame, known, point, was_here)
            if not cause and gap:
                cause, evidence = "capture_loss", f"omitted={gap}"
            if cause:
                is_sent_so = cause == known.causes.get(frame.packet, Cause("", "")).name
                episode = known.episodes[frame.packet] if is_sent_so else next(numbers)
                yield Row(run.points[point], number, cause, needed, place, episode, evidence)


def _of_frame(frame: Captured, known: Known, point: int, here: PassedBefore) -> tuple[str, str, str, str]:
    """Return cause, needed, place and evidence of a frame; the cause is empty where there is nothing to say."""
    if frame.is_again:
        return "capture_duplicate", "unknown", "unknown", f"packet={frame.packet}"
    if here.has_packet:
        return "network_duplicate", "unknown", "unknown", f"packet={frame.packet} copy={frame.copy}"
    if frame.packet in known.causes:
        cause = known.causes[frame.packet]
        need = known.needs.get(frame.packet)
        if need is None:
            return cause.name, "unknown", "unknown", cause.evidence
        flow, _ = known.sends[frame.packet]
        told = f"{cause.evidence} sent={need.sent} lost={need.lost} link={need.link} seen={here.copies}".strip()
        return cause.name, need.needed, _place(flow.direction, need.link, point), told
    if here.is_behind:
        return "reordering", "unknown", "unknown", f"packet={frame.packet} behind={here.behind}"
    return "", "unknown", "unknown", ""


def _place(direction: Side, link: int, point: int) -> str:
    """Return where a link is, seen from a point, on the way of a packet."""
    if link < 0:
        return "unknown"
    is_before = link < point if direction == "forward" else link >= point
    return "before_sensor" if is_before else "after_sensor"


def write(path: Path, lines: Sequence[Row]) -> None:
    """Write ``truth.csv.gz``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(lines)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def read(path: Path) -> list[Row]:
    """Return the rows of a ``truth.csv.gz``."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [
            Row(**{**line, "frame": int(line["frame"]), "episode": int(line["episode"])})  # type: ignore[arg-type]
            for line in csv.DictReader(file)
        ]
