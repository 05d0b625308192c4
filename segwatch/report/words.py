"""A summary in words: what a colleague should know before looking at any figure."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from segwatch.counts import bytes_text, count_text
from segwatch.jobs.reasons import seconds_text, share_text
from segwatch.vocabulary import Reset

MUCH_AGAIN, SOME_AGAIN = 0.01, 0.001
"""Shares of bytes sent again from which a network is in trouble, or worth a look: as in the tables of ``analyze``."""
_MANY_UNANSWERED: Final = 0.1
"""Share of the conversations without any answer that is more than a few mistaken clients."""
_ENOUGH_FOR_SHARES: Final = 100
_BAD_RESETS: Final = tuple(
    reset.name.lower() for reset in Reset if reset not in {Reset.NONE, Reset.AFTER_FIN, Reset.REPEATED}
)


class Statement(NamedTuple):
    """A statement, and how bad what it says is: ``good``, ``fair`` or ``bad``; ``plain`` for what is neither."""

    state: str
    text: str
    figure: str
    """The figure whose SQL (``queries``) bears it out; empty where the store does not know it."""


def statements(summary: dict[str, Any]) -> Iterator[Statement]:
    """Say what a summary (docs/summary.md) comes to."""
    if not summary["segments"]:
        yield Statement("plain", "There are no TCP segments.", "size")
        return
    yield Statement("plain", _size(summary), "size")
    yield _again(summary)
    yield from _unanswered(summary)
    yield from _gaps(summary)
    yield from _windows(summary)
    yield from _resets(summary)
    yield from _round_trips(summary)


def _size(summary: dict[str, Any]) -> str:
    span = seconds_text(round(summary["seconds"] * 1e9))
    return (
        f"Seen in {span}: {count_text(summary['segments'], 'TCP segment')} of "
        f"{count_text(summary['conversations'], 'conversation')} between {count_text(summary['hosts'], 'host')}, with "
        f"{bytes_text(summary['payload_bytes'])} of payload."
    )


def _again(summary: dict[str, Any]) -> Statement:
    payload, again = summary["payload_bytes"], summary["retransmitted_bytes"]
    if not payload:
        return Statement("plain", "No payload was sent.", "labels")
    share = again / payload
    text = f"{share_text(share)} of the payload ({bytes_text(again)}) was sent again"
    if share >= MUCH_AGAIN:
        return Statement("bad", f"{text}: enough to slow connections down.", "labels")
    if share >= SOME_AGAIN:
        return Statement("fair", f"{text}: worth a look at who did.", "labels")
    if again:
        return Statement("good", f"{text}: no more than is usual.", "labels")
    return Statement("good", "No payload was sent again.", "labels")


def _unanswered(summary: dict[str, Any]) -> Iterator[Statement]:
    if count := summary["unanswered"]:
        text = (
            f"{count_text(count, 'conversation')} got no answer to the request for a connection (SYN): a firewall "
            "drops it, the server is down, or its answers do not pass the sensor."
        )
        state = "bad" if count >= _MANY_UNANSWERED * summary["conversations"] else "fair"
        yield Statement(state, text, "unanswered")


def _gaps(summary: dict[str, Any]) -> Iterator[Statement]:
    lost = summary["labels"].get("lost_segment", 0)
    unseen = summary["labels"].get("ack_lost_segment", 0)
    if lost:
        text = f"{_times(lost)} data was missing when the next came: lost before the sensor, or missed by it."
        yield Statement("fair", text, "labels")
    if unseen:
        text = f"{_times(unseen)} data was acknowledged that is not in the capture: the sensor missed it."
        yield Statement("fair", text, "labels")


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count:,} times"


def _windows(summary: dict[str, Any]) -> Iterator[Statement]:
    zero = summary["zero_window"]
    if not zero["conversations"]:
        return
    seconds = zero["client_seconds"] + zero["server_seconds"]
    text = (
        f"In {count_text(zero['conversations'], 'conversation')} a receiver had no room left, for "
        f"{seconds_text(round(seconds * 1e9))} in all: applications there read too slowly; the network is not at fault."
    )
    yield Statement("bad" if seconds >= 1 else "fair", text, "windows")


def _resets(summary: dict[str, Any]) -> Iterator[Statement]:
    bad = {name: count for name, count in summary["resets"].items() if name in _BAD_RESETS}
    if bad:
        kinds = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in bad.items())
        resets = count_text(sum(bad.values()), "reset")
        yield Statement("fair", f"{resets} ended or refused connections: {kinds}.", "resets")


def _round_trips(summary: dict[str, Any]) -> Iterator[Statement]:
    initial = summary["rtt"]["initial"]
    if initial is None:
        return
    middle, long = (seconds_text(round(initial[name] * 1e9)) for name in ("p50_seconds", "p99_seconds"))
    text = f"Handshakes took {middle} as a rule"
    if initial["conversations"] >= _ENOUGH_FOR_SHARES:
        text += f", and {long} or more for one in a hundred"
    yield Statement("plain", f"{text}.", "round_trips")
