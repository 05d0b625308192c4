"""How a conversation ended: FIN, RST, or not at all (RFC 9293 sections 3.5.2 and 3.6)."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from segwatch.counts import count_text
from segwatch.explain.ledger import Ledger
from segwatch.explain.opening import was_never_opened
from segwatch.explain.sentences import Sentence, moment_text, span_text, the, upper
from segwatch.vocabulary import Flag, Reset

RESET_MEANINGS: Final = {
    Reset.REFUSED: "nobody listens at that port, or a firewall answers in the server's name",
    Reset.HANDSHAKE_ABORTED: "the connection was given up before it was open",
    Reset.AFTER_FIN: "it came after a close, mostly without harm: late segments are answered like that, and programs "
    "that are done wait for nothing more",
    Reset.ABORTED_BY_CLIENT: "the client broke off in the middle; whatever was under way is lost",
    Reset.ABORTED_BY_SERVER: "the server broke off in the middle; whatever was under way is lost",
    Reset.HALF_OPEN: "the other side did not know the connection (any more), perhaps after a restart",
    Reset.AFTER_IDLE: "it came after a long silence: a timeout of an application, or of a firewall or load balancer",
    Reset.OFF_SEQUENCE: "its sequence number does not fit, so a middlebox or an attacker may have injected it",
    Reset.KEEP_ALIVE_FAILURE: "keep-alives had gone unanswered: the other side was gone",
    Reset.REPEATED: "it repeats an earlier one",
}


def closing(ledger: Ledger) -> Iterator[Sentence]:
    """Tell who closed, who broke off, and what was left open."""
    yield from sorted([*_finishes(ledger), *resets(ledger)], key=lambda sentence: sentence.time)
    if not ledger.has(Flag.FIN | Flag.RST).any():
        yield Sentence(
            "end", _end(ledger), ledger.frames([len(ledger) - 1]), int(ledger.time[-1]), {"last": int(ledger.time[-1])}
        )


def _end(ledger: Ledger) -> str:
    """Say how things stood at the last segment, without any FIN or RST."""
    if ledger.is_cut:
        return "The story ends here, because the conversation has more segments than are looked at."
    if len(ledger) == 1:
        return "Nothing more was seen."
    if was_never_opened(ledger):
        return "The connection was not open yet when the capture ended."
    return "The connection was still open when the capture ended."


def _finishes(ledger: Ledger) -> Iterator[Sentence]:
    firsts = []
    for side in (0, 1):
        row = ledger.first(ledger.has(Flag.FIN) & ledger.rows(side))
        if row is not None:
            firsts.append((row, side))
    for place, (row, side) in enumerate(sorted(firsts)):
        confirmed = ledger.later(row, ~ledger.rows(side) & (ledger.acknowledged >= ledger.end[row]))
        text = (
            f"{upper(the(side))} {'closes too' if place else 'has nothing more to send and closes its direction'} (FIN)"
        )
        numbers: dict[str, int | float | str] = {"time": int(ledger.time[row])}
        frames = [row]
        if confirmed is None:
            text += "; no acknowledgment of that was captured"
        else:
            waited = int(ledger.time[confirmed] - ledger.time[row])
            text += f", which {the(1 - side)} acknowledges {span_text(waited)} later"
            frames.append(confirmed)
            numbers["waited"] = waited
        yield Sentence("close", f"{text}.", ledger.frames(frames), int(ledger.time[row]), numbers)
    if len(firsts) == 1 and not ledger.is_cut and not ledger.has(Flag.RST).any():
        row, side = firsts[0]
        text = f"{upper(the(1 - side))} never closed its direction within the capture."
        yield Sentence("close", text, ledger.frames([row, len(ledger) - 1]), int(ledger.time[row]), {})


def resets(ledger: Ledger) -> Iterator[Sentence]:
    """Tell of the resets by class."""
    for reset, meaning in RESET_MEANINGS.items():
        rows = np.flatnonzero(ledger.findings.reset == int(reset)).tolist()
        if not rows:
            continue
        sides = {int(ledger.side[row]) for row in rows}
        who = upper(the(sides.pop())) if len(sides) == 1 else "Both sides"
        times = "" if len(rows) == 1 else f" ({count_text(len(rows), 'time')})"
        verb = "send" if who == "Both sides" else "sends"
        name = reset.name.lower()
        text = f"{who} {verb} a reset{times} at {moment_text(int(ledger.time[rows[0]]))} ({name}): {meaning}."
        yield Sentence(
            "reset", text, ledger.frames(rows), int(ledger.time[rows[0]]), {"segments": len(rows), "reset": name}
        )
