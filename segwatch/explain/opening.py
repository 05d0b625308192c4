"""How a conversation began, and what both sides agreed on (RFC 9293 section 3.5, RFC 7323, RFC 2018)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from segwatch.counts import bytes_text, count_text
from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.sentences import Sentence, span_text, the, upper
from segwatch.records.segments import NO_WINDOW_SCALE
from segwatch.vocabulary import Flag, Quality

_LARGEST_PLAIN_WINDOW = 65535
_LARGEST_SHIFT = 14
"""RFC 7323 section 2.3."""
_SMALL_IPV4, _SMALL_IPV6 = 536, 1220
"""Bytes of a segment where nothing was agreed on (RFC 9293 section 3.7.1)."""
_NEAR = 4
"""How many times as long one side must be away as the other, for the sensor to be near to that one."""
_CUT = (
    "What both sides agreed on is not known, nor how much room their windows mean: the options in the handshake were "
    "cut short (capture more of each frame)."
)
NO_ANSWER = (
    "Nobody ever answered: a firewall drops the request without a word, the server is down, its answers take another "
    "way than past the sensor, or the capture ended too early."
)
NOT_CAPTURED_ANSWER = "No acceptance (SYN/ACK) was captured, but there was an answer"


def opening(ledger: Ledger) -> Iterator[Sentence]:
    """Tell of the handshake and of the options in it."""
    syn, syn_ack = _requested(ledger), _accepted(ledger)
    if syn is None and syn_ack is None:
        yield _without_handshake(ledger)
        return
    if syn is not None:
        yield _request(ledger, syn)
        yield from _repeated_requests(ledger, syn, syn_ack)
    if syn_ack is None:
        if syn is not None:
            yield from _without_acceptance(ledger, syn)
        return
    yield from _answer(ledger, syn, syn_ack)
    yield from _confirmation(ledger, syn, syn_ack)
    if syn is not None:
        yield from _options(ledger, syn, syn_ack)


def _requested(ledger: Ledger) -> int | None:
    return ledger.first(ledger.has(Flag.SYN) & ~ledger.has(Flag.ACK) & ledger.rows(CLIENT))


def _accepted(ledger: Ledger) -> int | None:
    return ledger.first(ledger.has(Flag.SYN) & ledger.has(Flag.ACK) & ledger.rows(SERVER))


def was_never_opened(ledger: Ledger) -> bool:
    """Return whether a connection was asked for, and nobody said more than that or that it was accepted."""
    is_syn, acknowledges = ledger.has(Flag.SYN), ledger.has(Flag.ACK) & ~ledger.has(Flag.RST)
    return bool(is_syn.any() and not (acknowledges & ~(is_syn & ledger.rows(SERVER))).any())


def _without_handshake(ledger: Ledger) -> Sentence:
    text = beginning_text(ledger.end_text(CLIENT), ledger.end_text(SERVER))
    return Sentence("handshake", text, ledger.frames([0]), 0, {"segments": len(ledger)})


def beginning_text(client: str, server: str) -> str:
    """Say that nothing of the handshake was seen."""
    return (
        f"The capture begins in the middle: nothing of the handshake of {client} (taken for the client) and {server} "
        "is in it. What they agreed on at the beginning is not known, so windows are shown without their scale."
    )


def request_text(client: str, server: str) -> str:
    """Say that a connection was asked for."""
    return f"{client} (the client) asks {server} (the server) for a connection (SYN)."


def acceptance_text(server: str) -> str:
    """Say that a connection was accepted that nobody was seen to ask for."""
    return f"{server} (the server) accepts a connection (SYN/ACK); the request was not captured."


def _request(ledger: Ledger, syn: int) -> Sentence:
    text = request_text(ledger.end_text(CLIENT), ledger.end_text(SERVER))
    return Sentence("handshake", text, ledger.frames([syn]), int(ledger.time[syn]), {"time": int(ledger.time[syn])})


def _repeated_requests(ledger: Ledger, syn: int, syn_ack: int | None) -> Iterator[Sentence]:
    before = len(ledger) if syn_ack is None else syn_ack
    is_request = ledger.has(Flag.SYN) & ~ledger.has(Flag.ACK) & ledger.rows(CLIENT)
    again = [row for row in np.flatnonzero(is_request[:before]).tolist() if row > syn]
    if not again:
        return
    waits = np.diff(ledger.time[[syn, *again]]).tolist()
    times = ", ".join(span_text(wait) for wait in waits[:6]) + (", ..." if len(waits) > 6 else "")
    answers = np.flatnonzero(ledger.rows(SERVER)[: again[-1]]).tolist()
    why = "No answer came, so"
    if answers:
        is_refused = ledger.has(Flag.RST)[answers].any()
        why = "The request was refused (RST), and" if is_refused else "The answer was no acceptance, so"
    text = f"{why} the client asked again {count_text(len(again), 'time')}, after {times}."
    numbers = {"times": len(again), "waited": int(sum(waits))}
    frames = ledger.frames(sorted([syn, *again, *answers]))
    yield Sentence("handshake", text, frames, int(ledger.time[again[0]]), numbers)


def _without_acceptance(ledger: Ledger, syn: int) -> Iterator[Sentence]:
    """Tell of a request whose acceptance is not there, because there was none or because it was not captured."""
    of_client = ledger.rows(CLIENT) & ledger.has(Flag.ACK)
    shown = ledger.later(syn, (of_client | ledger.rows(SERVER)) & ~ledger.has(Flag.RST))
    if shown is not None:
        waited = int(ledger.time[shown] - ledger.time[syn])
        text = f"{NOT_CAPTURED_ANSWER}, as frame {ledger.frame[shown]} shows, {span_text(waited)} later."
        yield Sentence("handshake", text, ledger.frames([syn, shown]), int(ledger.time[shown]), {"waited": waited})
    elif not ledger.has(Flag.RST).any():
        waited = int(ledger.time[-1] - ledger.time[syn])
        yield Sentence("handshake", NO_ANSWER, ledger.frames([syn]), int(ledger.time[syn]), {"waited": waited})


def _answer(ledger: Ledger, syn: int | None, syn_ack: int) -> Iterator[Sentence]:
    time = int(ledger.time[syn_ack])
    if syn is None:
        text = acceptance_text(ledger.end_text(SERVER))
        yield Sentence("handshake", text, ledger.frames([syn_ack]), time, {"time": time})
        return
    latest = _latest_request(ledger, syn, syn_ack)
    waited = time - int(ledger.time[syn])
    text = f"The server accepts {span_text(waited)} later (SYN/ACK)."
    if waited < 0 or syn_ack < syn:
        text = f"The server accepts (SYN/ACK), by the capture {span_text(abs(waited))} before it was asked."
    elif latest != syn:
        text = f"The server accepts {span_text(waited)} after the first request (SYN/ACK), "
        text += f"{span_text(time - int(ledger.time[latest]))} after the latest."
    yield Sentence("handshake", text, ledger.frames(sorted({syn, latest, syn_ack})), time, {"waited": waited})


def _latest_request(ledger: Ledger, syn: int, syn_ack: int) -> int:
    """Return the row of the request that is taken for the one that was answered, as Wireshark takes it."""
    latest = ledger.earlier(syn_ack, ledger.has(Flag.SYN) & ~ledger.has(Flag.ACK) & ledger.rows(CLIENT))
    return syn if latest is None else latest


class _Confirmed(NamedTuple):
    """The rows of a handshake that a round trip is measured by: the latest of each kind, without what came too late."""

    request: int | None
    """None where it was not captured."""
    accepted: int
    confirmed: int
    there: int
    """Nanoseconds from a request to its answer; 0 without a request."""
    back: int
    """Nanoseconds from an acceptance to its confirmation."""


def _confirmed(ledger: Ledger, syn: int | None, syn_ack: int) -> _Confirmed | None:
    row = ledger.later(syn_ack, ledger.rows(CLIENT) & ledger.has(Flag.ACK) & ~ledger.has(Flag.RST))
    if row is None:
        return None
    request = None if syn is None else _latest_request(ledger, syn, syn_ack)
    again = ledger.earlier(row, ledger.has(Flag.SYN) & ledger.rows(SERVER))
    accepted = syn_ack if again is None else again
    there = 0 if request is None else int(ledger.time[syn_ack] - ledger.time[request])
    return _Confirmed(request, accepted, row, there, int(ledger.time[row] - ledger.time[accepted]))


def round_trip(ledger: Ledger) -> int:
    """Return how long the way there and back takes by the handshake (nanoseconds), waits for timers left out; or 0."""
    syn, syn_ack = _requested(ledger), _accepted(ledger)
    found = None if syn_ack is None else _confirmed(ledger, syn, syn_ack)
    return found.there + found.back if found and found.there > 0 else int(ledger.findings.initial_rtt.max(initial=0))


def _confirmation(ledger: Ledger, syn: int | None, syn_ack: int) -> Iterator[Sentence]:
    found = _confirmed(ledger, syn, syn_ack)
    if found is None:
        if was_never_opened(ledger) and not ledger.has(Flag.RST).any():
            text = "The client never confirmed that within the capture, so the connection was not open yet."
            yield Sentence("handshake", text, ledger.frames([syn_ack]), int(ledger.time[syn_ack]), {})
        return
    there, back = found.there, found.back
    text = f"The client confirms {span_text(back)} later, and the connection is open."
    numbers = {"server_side": there, "client_side": back}
    if there > 0 and back > 0:
        text += f" A round trip takes about {span_text(there + back)}, {span_text(there)} of it beyond the sensor"
        text += f" towards the server and {span_text(back)} towards the client{_place(there, back)}."
        numbers["initial_rtt"] = there + back
    rows = (found.request, syn_ack, found.accepted, found.confirmed)
    frames = ledger.frames(sorted({row for row in rows if row is not None}))
    yield Sentence("handshake", text, frames, int(ledger.time[found.confirmed]), numbers)


def _place(there: int, back: int) -> str:
    for side, near, far in ((CLIENT, back, there), (SERVER, there, back)):
        if near * _NEAR < far:
            return f": the sensor is near {the(side)}"
    return ""


def _options(ledger: Ledger, syn: int, syn_ack: int) -> Iterator[Sentence]:
    """Tell what was agreed on in the SYN and the SYN/ACK."""
    rows, columns, quality = [syn, syn_ack], ledger.segments, ledger.segments.quality[[syn, syn_ack]]
    if (quality & int(Quality.OPTIONS_CUT | Quality.HEADER_CUT)).any():
        yield Sentence("options", _CUT, ledger.frames(sorted(rows)), int(ledger.time[syn_ack]), {})
        return
    said = [_sizes(ledger, syn, syn_ack), _scales(ledger, syn, syn_ack)]
    numbers = {
        "client_mss": int(columns.mss[syn]), "server_mss": int(columns.mss[syn_ack]),
        "client_window_scale": int(columns.wscale[syn]), "server_window_scale": int(columns.wscale[syn_ack]),
    }  # fmt: skip
    for flag, meaning, without in (
        (Quality.SACK_PERMITTED, "selective acknowledgments", "so a receiver cannot say which segments are missing"),
        (Quality.TIMESTAMPS, "time stamps", "so repeats cannot be told from originals by their time stamps"),
    ):
        has = ((quality & int(flag)) != 0).tolist()
        numbers[meaning.replace(" ", "_")] = int(all(has))
        said.append(f"{upper(meaning)} are used." if all(has) else _refused(meaning, has, without))
    yield Sentence("options", " ".join(said), ledger.frames(sorted(rows)), int(ledger.time[syn_ack]), numbers)


def _refused(meaning: str, has: list[bool], without: str) -> str:
    who = "Neither side offers" if not any(has) else f"Only {the(has.index(True))} offers"
    return f"{who} {meaning}, {without}."


def _sizes(ledger: Ledger, syn: int, syn_ack: int) -> str:
    mss = [int(ledger.segments.mss[row]) for row in (syn, syn_ack)]
    if not all(mss):
        small = bytes_text(_SMALL_IPV6 if ledger.segments.quality[syn] & int(Quality.IPV6) else _SMALL_IPV4)
        return f"A side does not say how large segments to it may be, so they are to be small ({small})."
    if mss[0] == mss[1]:
        return f"Segments may carry {bytes_text(mss[0])} (MSS)."
    return f"Segments to the client may carry {bytes_text(mss[0])}, those to the server {bytes_text(mss[1])} (MSS)."


def _scales(ledger: Ledger, syn: int, syn_ack: int) -> str:
    scales = [int(ledger.segments.wscale[row]) for row in (syn, syn_ack)]
    if NO_WINDOW_SCALE in scales:
        return f"Windows are not scaled: at most {bytes_text(_LARGEST_PLAIN_WINDOW)} can be under way unacknowledged."
    client, server = (1 << min(scale, _LARGEST_SHIFT) for scale in scales)
    return f"The client's window field counts in units of {client:,}, the server's of {server:,}."
