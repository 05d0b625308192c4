"""What Wireshark's labels mean for one conversation: a sentence for each group of labelled segments."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from segwatch.counts import bytes_text, count_text
from segwatch.explain.groups import Group, groups
from segwatch.explain.ledger import Ledger
from segwatch.explain.sentences import Number, Sentence, moment_text, span_text, the
from segwatch.vocabulary import RETRANSMISSIONS, Flag, Label, label_text


class Told(NamedTuple):
    """What a teller has to say of a group."""

    text: str
    """Of all of it, without its subject."""
    detail: str = ""
    """Of its first segment alone."""
    numbers: Mapping[str, Number] = {}
    rows: Sequence[int] = ()
    """What shows it, besides the group's own segments."""
    frames: Sequence[int] = ()
    """The same, as frames that the ledger need not have."""


def course(ledger: Ledger) -> list[Sentence]:
    """Return a sentence for each group of labelled segments; together they speak of every one. ICMP errors, too."""
    told = [_sentence(ledger, group) for group in groups(ledger)]
    return sorted([*told, *_icmp_errors(ledger)], key=lambda sentence: sentence.time) if ledger.quoted else told


def _icmp_errors(ledger: Ledger) -> Iterator[Sentence]:
    """Yield the sentence about ICMP errors, of which there is one at least."""
    frames, times = zip(*ledger.quoted, strict=True)
    count, first = len(frames), min(times) - ledger.begun
    which = "an ICMP error quotes" if count == 1 else f"the first of {count:,} ICMP errors quotes"
    meaning = "mostly they say that it could not be passed on"
    text = f"{moment_text(first)}: {which} a segment of this connection ({meaning})."
    yield Sentence("icmp", text, tuple(sorted(set(frames))), first, {"errors": count})


def _sentence(ledger: Ledger, group: Group) -> Sentence:
    told = _TELLERS[group.label](ledger, group)
    first, last = int(ledger.time[group.rows[0]]), int(ledger.time[group.rows[-1]])
    when = " to ".join(dict.fromkeys((moment_text(first), moment_text(last))))
    text = f"{when}: {the(group.side)} {told.text}"
    if told.detail:
        text += f" (the first time {told.detail})" if group.is_scattered else f" ({told.detail})"
    numbers = {"segments": len(group.rows), "first": first, "last": last, **told.numbers}
    frames = tuple(sorted({*ledger.frames([*group.rows, *told.rows]), *told.frames}))
    return Sentence(label_text(group.label), f"{text}.", frames, first, numbers)


def _bytes(ledger: Ledger, group: Group) -> int:
    return int(ledger.length[group.rows].sum())


def _times(group: Group) -> str:
    count = len(group.rows)
    return "" if count == 1 else f"{count:,} times "


def _sent_again(ledger: Ledger, group: Group) -> str:
    count = _bytes(ledger, group)
    what = bytes_text(count) if count else _without_data(ledger, group)
    return f"sends {what} again" + (f", in {len(group.rows):,} segments" if len(group.rows) > 1 else "")


def _without_data(ledger: Ledger, group: Group) -> str:
    """Name what segments without data are for."""
    flags = set((ledger.segments.flags[group.rows] & int(Flag.SYN | Flag.ACK)).tolist())
    if flags == {int(Flag.SYN)}:
        return "its request for a connection (SYN)"
    return "its acceptance (SYN/ACK)" if flags == {int(Flag.SYN | Flag.ACK)} else "a segment without data"


def _retransmission(ledger: Ledger, group: Group) -> Told:
    row = group.rows[0]
    timeout, since = int(ledger.findings.rto[row]), int(ledger.findings.rto_frame[row])
    text, numbers = _sent_again(ledger, group), {"bytes": _bytes(ledger, group)}
    if ledger.earlier(row, ledger.has(Flag.RST) & ~ledger.rows(group.side)) is None:
        text += ", as no acknowledgment had come"
    if timeout <= 0:
        return Told(text, "", numbers)
    detail = f"{span_text(timeout)} after frame {since}"
    return Told(text, detail, {**numbers, "rto": timeout, "rto_frame": since}, (), (since,))


def _fast_retransmission(ledger: Ledger, group: Group) -> Told:
    duplicates = ledger.labelled(Label.DUPLICATE_ACK) & ~ledger.rows(group.side)
    row = ledger.earlier(group.rows[0], duplicates)
    text, numbers = f"{_sent_again(ledger, group)} at once, without waiting for its timer", _bytes(ledger, group)
    if row is None:
        return Told(text, "", {"bytes": numbers})
    count = int(ledger.findings.dup_ack_num[row])
    detail = f"after {count_text(count, 'duplicate ACK')}"
    return Told(text, detail, {"bytes": numbers, "duplicate_acks": count}, [row])


def _spurious_retransmission(ledger: Ledger, group: Group) -> Told:
    row = group.rows[0]
    text, numbers = f"{_sent_again(ledger, group)} that had arrived already", {"bytes": _bytes(ledger, group)}
    covers = ~ledger.rows(group.side) & (ledger.acknowledged >= ledger.begin[row] + ledger.length[row])
    known = ledger.first(covers[:row])
    if known is None or not ledger.is_whole:
        return Told(text, "", numbers)
    waited = int(ledger.time[row] - ledger.time[known])
    detail = f"acknowledged by frame {ledger.frame[known]}, {span_text(waited)} before"
    numbers |= {"acknowledged_frame": int(ledger.frame[known]), "waited": waited}
    return Told(text, detail, numbers, [known])


def _out_of_order(ledger: Ledger, group: Group) -> Told:
    count = _bytes(ledger, group)
    what = f"{bytes_text(count)} that belong" if count else "a segment without data that belongs"
    text = f"comes with {what} before what was seen already"
    return Told(f"{text}: overtaken on the way, or a lost segment was repeated very soon", "", {"bytes": count})


def _lost_segment(ledger: Ledger, group: Group) -> Told:
    text = f"leaves {_times(group)}something out: it was lost before the sensor, or the sensor missed it"
    if not ledger.is_whole:
        return Told(text)
    row = group.rows[0]
    if ledger.segments.flags[row] & int(Flag.SYN):
        return Told(f"begins {_times(group)}at a number that does not follow what it sent before")
    mine = ledger.rows(group.side) & ledger.is_analysed
    before = ledger.end[:row][mine[:row]]
    start = int(before.max()) if len(before) else int(ledger.begin[row])
    missing = max(int(ledger.begin[row]) - start, 0)
    numbers: dict[str, Number] = {"missing": missing}
    detail = bytes_text(missing)
    filled = ledger.later(row, mine & ledger.has_data & (ledger.begin <= start) & (ledger.end > start))
    if filled is not None:
        part = int(ledger.end[filled]) - start
        which = "which come" if part >= missing else f"{part:,} of which come"
        numbers["filled_frame"] = int(ledger.frame[filled])
        return Told(text, f"{detail}, {which} in frame {ledger.frame[filled]}", numbers, [filled])
    confirmed = ledger.later(row, ~ledger.rows(group.side) & (ledger.acknowledged > start))
    if confirmed is not None:
        part = int(ledger.acknowledged[confirmed]) - start
        which, they = ("which", "they") if part >= missing else (f"{part:,} of which", "these")
        numbers["acknowledged_frame"] = int(ledger.frame[confirmed])
        detail = f"{detail}, {which} frame {ledger.frame[confirmed]} acknowledges: so {they} did arrive"
        return Told(text, detail, numbers, [confirmed])
    return Told(text, detail, numbers)


def _ack_lost_segment(_ledger: Ledger, group: Group) -> Told:
    text = f"acknowledges {_times(group)}data that is not in the capture: it did arrive, so the sensor missed it"
    return Told(text)


def _duplicate_ack(ledger: Ledger, group: Group) -> Told:
    row = group.rows[0]
    original, number = int(ledger.findings.dup_ack_frame[row]), int(ledger.findings.dup_ack_num[group.rows[-1]])
    waits_for = int(ledger.acknowledged[row])
    text = f"repeats {_times(group)}its acknowledgment, "
    if ledger.is_whole and not _came(ledger, original, group):
        text += "though the capture shows nothing of the other side that it could answer"
    else:
        text += "for what came does not fit the end of what it has"
    detail = f"waiting for byte {waits_for:,}, as frame {original} said"
    numbers: dict[str, Number] = {"original_frame": original, "number": number, "waits_for": waits_for}
    return Told(text, detail, numbers, (), (original,))


def _came(ledger: Ledger, original: int, group: Group) -> bool:
    """Return whether the other side sent anything that duplicate ACKs may answer, ``original`` being their frame.

    That is what came after that frame, and earlier what lies beyond the end or repeats: acknowledgments may be late.
    """
    takes_room = (ledger.has_data | ledger.has(Flag.SYN | Flag.FIN)) & ~ledger.rows(group.side)
    out_of_place = ledger.labelled(RETRANSMISSIONS | Label.OUT_OF_ORDER) | (
        ledger.end > ledger.acknowledged[group.rows[0]]
    )
    may_be_answered = takes_room & ((ledger.frame > original) | out_of_place)
    return bool(may_be_answered[: group.rows[-1]].any())


def _zero_window(ledger: Ledger, group: Group) -> Told:
    text = f"says {_times(group)}that it has no room left (window 0): its application does not read fast enough"
    if not ledger.is_whole:
        return Told(text)
    closures = ledger.closures(group.rows)
    opened = [(first, row) for first, row in closures if row is not None]
    closed = sum(int(ledger.time[row] - ledger.time[first]) for first, row in opened)
    numbers: dict[str, Number] = {"closures": len(closures), "closed": closed}
    shown = [row for _, row in opened]
    if len(closures) > 1:
        text += f"; it was closed {len(closures):,} times, {span_text(closed)} in all"
        never = "" if len(opened) == len(closures) else ", and the last time it never says that it has room again"
        return Told(text + never, "", numbers, shown)
    if not opened:
        return Told(f"{text}; it never says that it has room again", "", numbers)
    text += f"; frame {ledger.frame[shown[0]]} opens the window again, {span_text(closed)} later"
    return Told(text, "", numbers, shown)


def _zero_window_probe(_ledger: Ledger, group: Group) -> Told:
    return Told(f"asks {_times(group)}with one byte whether there is room again")


def _zero_window_probe_ack(_ledger: Ledger, group: Group) -> Told:
    return Told(f"answers {_times(group)}that there is still none")


def _window_full(ledger: Ledger, group: Group) -> Told:
    flight = int(ledger.findings.bytes_in_flight[group.rows[0]])
    detail = f"with {bytes_text(flight)} under way" if flight else ""
    text = f"fills {_times(group)}the window of the other side and has to wait for it"
    return Told(text, detail, {"bytes_in_flight": flight})


def _window_update(ledger: Ledger, group: Group) -> Told:
    window = int(ledger.findings.window[group.rows[0]])
    text = f"says {_times(group)}how much room it has now"
    return Told(text, bytes_text(window), {"window": window})


def _keep_alive(_ledger: Ledger, group: Group) -> Told:
    return Told(f"asks {_times(group)}whether the other side is still there")


def _keep_alive_ack(_ledger: Ledger, group: Group) -> Told:
    return Told(f"answers {_times(group)}that it is still there")


def _reused_ports(ledger: Ledger, group: Group) -> Told:
    if ledger.segments.flags[group.rows[0]] & int(Flag.ACK):
        return Told(f"accepts {_times(group)}a connection by another first number than before, as a new one")
    return Told(f"opens {_times(group)}a connection between the same addresses and ports as one before")


_TELLERS: Final[dict[Label, Callable[[Ledger, Group], Told]]] = {
    Label.RETRANSMISSION: _retransmission,
    Label.FAST_RETRANSMISSION: _fast_retransmission,
    Label.SPURIOUS_RETRANSMISSION: _spurious_retransmission,
    Label.OUT_OF_ORDER: _out_of_order,
    Label.LOST_SEGMENT: _lost_segment,
    Label.ACK_LOST_SEGMENT: _ack_lost_segment,
    Label.DUPLICATE_ACK: _duplicate_ack,
    Label.ZERO_WINDOW: _zero_window,
    Label.ZERO_WINDOW_PROBE: _zero_window_probe,
    Label.ZERO_WINDOW_PROBE_ACK: _zero_window_probe_ack,
    Label.WINDOW_FULL: _window_full,
    Label.WINDOW_UPDATE: _window_update,
    Label.KEEP_ALIVE: _keep_alive,
    Label.KEEP_ALIVE_ACK: _keep_alive_ack,
    Label.REUSED_PORTS: _reused_ports,
}
assert len(_TELLERS) == len(Label)  # noqa: S101  # states that every label has its teller
