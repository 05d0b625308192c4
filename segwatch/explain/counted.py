"""What the counters of a conversation's minutes and its labelled segments prove, where no other segment was kept."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segwatch.counts import count_text
from segwatch.explain.closing import resets
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.opening import NO_ANSWER, NOT_CAPTURED_ANSWER, acceptance_text, beginning_text, request_text
from segwatch.explain.sentences import Number, Sentence, moment_text, span_text, the, upper
from segwatch.explain.stalls import MOST_STALLS, silence_reason, worth_telling
from segwatch.explain.totals import CLEAN, one_way_text, size_text, volume_text
from segwatch.jobs.trouble_counts import label_place
from segwatch.vocabulary import RETRANSMISSIONS, Completeness

_REPEATS: Final = [label_place(label) for label in RETRANSMISSIONS]


class Minutes:
    """The counters of a conversation, (M,) ``INTERVAL``, by minute."""

    def __init__(self, counts: npt.NDArray[Any]) -> None:
        self.counts = counts
        self.sent = counts["sent"]
        """(M, 2): [:, 0] is what the client sent, [:, 1] the server."""
        last = counts[int(np.argmax(counts["last"]))]
        self.shown = Completeness(int(last["completeness"]))
        self.closer = int(last["closer"])
        self.span = int(last["last"] - counts["opened"][0])
        """Nanoseconds from the first segment to the last."""

    def sum(self, name: str, side: int) -> int:
        """Return the sum of a counter of one side."""
        return int(self.sent[name][:, side].sum())

    def goes_on(self, side: int) -> bool:
        """Return whether a side sent anything but requests, acceptances and resets."""
        return self.sum("segments", side) > self.sum("syns", side) + self.sum("resets", side)

    def sentence(
        self, topic: str, text: str, mask: npt.NDArray[np.bool_], numbers: dict[str, Number], *, at: int = 0
    ) -> Sentence:
        """Return a sentence that the minutes of a mask show, all of them where it has none."""
        minutes = self.counts["start"][mask if mask.any() else slice(None)]
        return Sentence(topic, text, (), at, numbers, tuple(minutes.tolist()))

    @property
    def all(self) -> npt.NDArray[np.bool_]:
        """(M,) the first and the last minute."""
        mask = np.zeros(len(self.counts), np.bool_)
        mask[[0, -1]] = True
        return mask


def counted_totals(minutes: Minutes) -> Iterator[Sentence]:
    """Tell what each side sent, and how far away both are."""
    segments = minutes.sum("segments", CLIENT) + minutes.sum("segments", SERVER)
    text = size_text(segments, minutes.span)
    yield minutes.sentence("size", text, minutes.all, {"segments": segments, "span": minutes.span})
    yield from _one_way(minutes)
    for side in (CLIENT, SERVER):
        yield from _sent(minutes, side)
        yield from _distance(minutes, side)
    if not minutes.sent["labels"].any():
        yield minutes.sentence("clean", CLEAN, minutes.all, {"segments": 0})


def _one_way(minutes: Minutes) -> Iterator[Sentence]:
    for side in (CLIENT, SERVER):
        was_answered = Completeness.SYN not in minutes.shown or minutes.goes_on(side)
        if was_answered and not minutes.sum("segments", 1 - side):
            yield minutes.sentence("one_way", one_way_text(side), minutes.all, {})


def _sent(minutes: Minutes, side: int) -> Iterator[Sentence]:
    numbers: dict[str, Number] = {
        "bytes": minutes.sum("payload_bytes", side),
        "data_segments": minutes.sum("data_segments", side),
        "repeated_bytes": minutes.sum("retransmitted_bytes", side),
        "repeats": int(minutes.sent["labels"][:, side][:, _REPEATS].sum()),
    }
    if numbers["data_segments"]:
        text = volume_text(side, minutes.span, *(int(number) for number in numbers.values()))
        yield minutes.sentence("volume", text, minutes.sent["data_segments"][:, side] > 0, numbers)


def _distance(minutes: Minutes, side: int) -> Iterator[Sentence]:
    known = minutes.sent["rtt_count"][:, side] > 0
    samples = minutes.sum("rtt_count", side)
    if samples < 2:
        return
    average = minutes.sum("rtt_sum", side) // samples
    low, high = (
        int(minutes.sent["rtt_min"][known, side].min()),
        int(minutes.sent["rtt_max"][known, side].max()),
    )
    text = (
        f"From the sensor to {the(side)} and back {span_text(average)} passed on average ({span_text(low)} to "
        f"{span_text(high)}; {count_text(samples, 'acknowledgment')})."
    )
    numbers: dict[str, Number] = {"samples": samples, "min": low, "average": average, "max": high}
    yield minutes.sentence("round_trip", text, known, numbers)


def counted_opening(ledger: Ledger, minutes: Minutes) -> Iterator[Sentence]:
    """Tell which parts of the handshake were seen."""
    client, server = ledger.end_text(CLIENT), ledger.end_text(SERVER)
    first = minutes.counts["start"] == minutes.counts["start"][0]
    asked, accepted = Completeness.SYN in minutes.shown, Completeness.SYN_ACK in minutes.shown
    if not asked and not accepted:
        yield minutes.sentence("handshake", beginning_text(client, server), first, {})
        return
    if asked:
        requests = minutes.sum("syns", CLIENT)
        text = request_text(client, server)
        yield minutes.sentence("handshake", text, minutes.sent["syns"][:, CLIENT] > 0, {"requests": requests})
        if requests > 1:
            text = f"The client asked {count_text(requests, 'time')}."
            yield minutes.sentence("handshake", text, minutes.sent["syns"][:, CLIENT] > 0, {"requests": requests})
    if not accepted:
        if minutes.goes_on(CLIENT) or minutes.goes_on(SERVER):
            yield minutes.sentence("handshake", f"{NOT_CAPTURED_ANSWER}.", minutes.all, {})
        elif not minutes.sent["resets"].any():
            yield minutes.sentence("handshake", NO_ANSWER, minutes.all, {"waited": minutes.span})
        return
    text = "The server accepts (SYN/ACK)." if asked else acceptance_text(server)
    yield minutes.sentence("handshake", text, minutes.sent["syns"][:, SERVER] > 0, {})
    took = minutes.counts["initial_rtt"]
    if (took > 0).any():
        time = int(took.max())
        text = f"The handshake took {span_text(time)}, which is about a round trip."
        yield minutes.sentence("handshake", text, took > 0, {"initial_rtt": time})


def counted_stalls(ledger: Ledger, minutes: Minutes) -> Iterator[Sentence]:
    """Tell of closed windows, and of the longest silences that a segment with a label ended."""
    for side in (CLIENT, SERVER):
        closed = minutes.sent["zero_window_time"][:, side]
        if (time := int(closed.sum())) > 0:
            text = (
                f"The window of {the(side)} was closed for {span_text(time)} in all: its application read too slowly."
            )
            yield minutes.sentence("closed_window", text, closed > 0, {"silence": time})
    silences = ledger.findings.time_delta
    least = worth_telling(int(minutes.counts["initial_rtt"].max()))
    rows = [row for row in np.argsort(-silences, kind="stable").tolist() if silences[row] >= least]
    for row in sorted(rows[:MOST_STALLS]):
        silence = int(silences[row])
        begin = int(ledger.time[row]) - silence
        reason = silence_reason(ledger, row)
        text = f"For {span_text(silence)} from {moment_text(begin)} on nothing was sent: {reason.text}."
        yield Sentence(reason.topic, text, ledger.frames([row]), begin, {"silence": silence})


def counted_closing(ledger: Ledger, minutes: Minutes) -> Iterator[Sentence]:
    """Tell who closed, who broke off, and what was left open."""
    closers = [side for side in (CLIENT, SERVER) if minutes.sum("fins", side)]
    for side in sorted(closers, key=lambda one: one != minutes.closer - 1):
        text = f"{upper(the(side))} has nothing more to send and closes its direction (FIN)."
        fins = minutes.sent["fins"][:, side]
        at = int(minutes.counts["start"][fins > 0][0]) - ledger.begun
        yield minutes.sentence("close", text, fins > 0, {"fins": int(fins.sum())}, at=max(at, 0))
    if len(closers) == 1 and not minutes.sent["resets"].any():
        text = f"{upper(the(1 - closers[0]))} never closed its direction as far as the store knows."
        yield minutes.sentence("close", text, minutes.all, {})
    yield from resets(ledger)
    if not closers and not minutes.sent["resets"].any():
        opened = minutes.shown & (Completeness.ACK | Completeness.DATA) or Completeness.SYN not in minutes.shown
        text = f"The connection was {'still open' if opened else 'not open yet'} when its last segment was captured."
        yield minutes.sentence("end", text, minutes.counts["last"] == minutes.counts["last"].max(), {})


def unknown(ledger: Ledger, minutes: Minutes) -> Iterator[Sentence]:
    """Tell what was kept, and what nobody can know any more."""
    segments = minutes.sum("segments", CLIENT) + minutes.sum("segments", SERVER)
    judged = 0 if ledger.verdicts is None else len(ledger.verdicts)
    numbers: dict[str, Number] = {"segments": segments, "kept": len(ledger), "verdicts": judged}
    kept = f"the {len(ledger):,} with a label or a reset, and" if len(ledger) else "none, but"
    verdicts = f" {count_text(judged, 'verdict')} and" if judged else ""
    text = (
        f"Of the {count_text(segments, 'segment')} of this conversation the store has kept {kept}{verdicts} what was "
        "counted in each minute. What both sides agreed on at the beginning is not known, nor when segments without a "
        "label were sent: silences before these, and what filled a gap or opened a window again."
    )
    yield minutes.sentence("not_kept", text, minutes.all, numbers)
