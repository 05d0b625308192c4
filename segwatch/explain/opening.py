"""How a conversation began, and what both sides agreed on (RFC 9293 section 3.5, RFC 7323, RFC 2018)."""

from collections.abc import Iterator

import numpy as np

from segwatch.explain.ledger import CLIENT, SERVER, Ledger
from segwatch.explain.sentences import Sentence, bytes_text, count_text, span_text, the, upper
from segwatch.records.segments import NO_WINDOW_SCALE
from segwatch.vocabulary import Flag, Quality

_LARGEST_PLAIN_WINDOW = 65535
_LARGEST_SHIFT = 14
"""RFC 7323 section 2.3."""
_NEAR = 4
"""How many times as long one side must be away as the other, for the sensor to be near to that one."""
NO_ANSWER = (
    "Nobody ever answered: a firewall drops the request without a word, the server is down, its answers take another "
    "way than past the sensor, or the capture ended too early."
)


def opening(ledger: Ledger) -> Iterator[Sentence]:
    """Tell of the handshake and of the options in it."""
    is_syn = ledger.has(Flag.SYN)
    syn = ledger.first(is_syn & ~ledger.has(Flag.ACK) & ledger.rows(CLIENT))
    syn_ack = ledger.first(is_syn & ledger.has(Flag.ACK) & ledger.rows(SERVER))
    if syn is None and syn_ack is None:
        yield _without_handshake(ledger)
        return
    if syn is not None:
        yield _request(ledger, syn)
        yield from _repeated_requests(ledger, syn, syn_ack)
    if syn_ack is None:
        if syn is not None and not ledger.has(Flag.RST).any():
            yield _no_answer(ledger, syn)
        return
    yield from _answer(ledger, syn, syn_ack)
    yield from _confirmation(ledger, syn, syn_ack)
    if syn is not None:
        yield from _options(ledger, syn, syn_ack)


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
    text = f"No answer came, so the client asked again {count_text(len(again), 'time')}, after {times}."
    numbers = {"times": len(again), "waited": int(sum(waits))}
    yield Sentence("handshake", text, ledger.frames([syn, *again]), int(ledger.time[again[0]]), numbers)


def _no_answer(ledger: Ledger, syn: int) -> Sentence:
    silence = int(ledger.time[-1] - ledger.time[syn])
    text = (
        "Nobody ever answered: a firewall drops the request without a word, the server is down, its answers take "
        "another way than past the sensor, or the capture ended too early."
    )
    return Sentence("handshake", text, ledger.frames([syn]), int(ledger.time[syn]), {"waited": silence})


def _answer(ledger: Ledger, syn: int | None, syn_ack: int) -> Iterator[Sentence]:
    time = int(ledger.time[syn_ack])
    if syn is None:
        text = acceptance_text(ledger.end_text(SERVER))
        yield Sentence("handshake", text, ledger.frames([syn_ack]), time, {"time": time})
        return
    waited = time - int(ledger.time[syn])
    text = f"The server accepts {span_text(waited)} later (SYN/ACK)."
    yield Sentence("handshake", text, ledger.frames([syn, syn_ack]), time, {"waited": waited})


def _confirmation(ledger: Ledger, syn: int | None, syn_ack: int) -> Iterator[Sentence]:
    row = ledger.later(syn_ack, ledger.rows(CLIENT) & ledger.has(Flag.ACK) & ~ledger.has(Flag.RST))
    if row is None:
        return
    there = int(ledger.time[syn_ack] - ledger.time[syn]) if syn is not None else 0
    back = int(ledger.time[row] - ledger.time[syn_ack])
    text = f"The client confirms {span_text(back)} later, and the connection is open."
    if there > 0 and back > 0:
        text += f" A round trip takes about {span_text(there + back)}, {span_text(there)} of it beyond the sensor"
        text += f" towards the server and {span_text(back)} towards the client{_place(there, back)}."
    frames = [row for row in (syn, syn_ack, row) if row is not None]
    numbers = {"server_side": there, "client_side": back, "initial_rtt": there + back}
    yield Sentence("handshake", text, ledger.frames(frames), int(ledger.time[row]), numbers)


def _place(there: int, back: int) -> str:
    for side, near, far in ((CLIENT, back, there), (SERVER, there, back)):
        if near * _NEAR < far:
            return f": the sensor is near {the(side)}"
    return ""


def _options(ledger: Ledger, syn: int, syn_ack: int) -> Iterator[Sentence]:
    """Tell what was agreed on in the SYN and the SYN/ACK."""
    rows, columns, quality = [syn, syn_ack], ledger.segments, ledger.segments.quality[[syn, syn_ack]]
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
    yield Sentence("options", " ".join(said), ledger.frames(rows), int(ledger.time[syn_ack]), numbers)


def _refused(meaning: str, has: list[bool], without: str) -> str:
    who = "Neither side offers" if not any(has) else f"Only {the(has.index(True))} offers"
    return f"{who} {meaning}, {without}."


def _sizes(ledger: Ledger, syn: int, syn_ack: int) -> str:
    mss = [int(ledger.segments.mss[row]) for row in (syn, syn_ack)]
    if not all(mss):
        return "A side does not say how large segments to it may be, so they are to be small (536 bytes for IPv4)."
    if mss[0] == mss[1]:
        return f"Segments may carry {bytes_text(mss[0])} (MSS)."
    return f"Segments to the client may carry {bytes_text(mss[0])}, those to the server {bytes_text(mss[1])} (MSS)."


def _scales(ledger: Ledger, syn: int, syn_ack: int) -> str:
    scales = [int(ledger.segments.wscale[row]) for row in (syn, syn_ack)]
    if NO_WINDOW_SCALE in scales:
        return f"Windows are not scaled: at most {bytes_text(_LARGEST_PLAIN_WINDOW)} can be under way unacknowledged."
    client, server = (1 << min(scale, _LARGEST_SHIFT) for scale in scales)
    return f"The client's window field counts in units of {client:,}, the server's of {server:,}."
