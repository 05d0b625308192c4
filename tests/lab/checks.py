"""Whether the truth of a run can be trusted: the same things counted in two ways."""

from collections.abc import Iterator, Mapping
from typing import Final

from tests.lab import smoltcp
from tests.lab.endpoint import PORT
from tests.lab.join import match, of_flow
from tests.lab.truth import Known, Run

_LONGEST_LAG_NS: Final = 5_000_000_000
_LONGEST_LEAD_NS: Final = 1_000_000_000
"""The kernel says that it has repeated when the packet is on its way, which may be at the middlebox by then."""
Results = Mapping[str, Mapping[str, int | str]]
"""What a host's program says of its connections, by the client's port."""


def problems(run: Run, known: Known, client: Results, received: tuple[int, int]) -> Iterator[str]:
    """Yield a sentence for each thing that does not add up; ``received``: segments that the two kernels took in."""
    for number, cause in sorted(known.causes.items()):
        if not cause.evidence or cause.name == "unknown":
            yield f"packet {number}: no event of the kernel explains this repeat or probe"
    for event in known.unseen:
        if not event.error:
            yield f"the kernel repeated {event.seq} to {event.end} of port {event.sport}, and no packet has all of it"
    yield from _lags(run, known)
    yield from _counted(run, received)
    for port, result in client.items():
        yield from _connection(int(port), result, known)


def _lags(run: Run, known: Known) -> Iterator[str]:
    for flow in known.flows.values():
        namespace = run.namespaces[0 if flow.direction == "forward" else 1]
        matches, _ = match(flow, of_flow(run.word, flow, namespace).repeats)
        times = {send.packet: send.time for send in flow.sends}
        for number, found in matches.items():
            lag = times[number] - found.event.time
            if not -_LONGEST_LEAD_NS < lag < _LONGEST_LAG_NS:
                yield f"packet {number} came {lag / 1e9:.3f} s after the event that is said to be its cause"


def _counted(run: Run, received: tuple[int, int]) -> Iterator[str]:
    """Compare what the middlebox delivered with what the kernels took in."""
    for host, point, direction in ((0, 0, "backward"), (1, len(run.points) - 1, "forward")):
        delivered = sum(one.point == point and run.packets[one.packet].direction == direction for one in run.passings)
        if delivered != received[host] and run.namespaces[host] != smoltcp.NAMESPACE:
            yield f"{delivered} segments were delivered {direction}, and the kernel took in {received[host]}"


def _connection(port: int, result: Mapping[str, int | str], known: Known) -> Iterator[str]:
    """Compare a connection's TCP_INFO, at its end, with what the client was seen to repeat."""
    if "error" in result:
        yield f"the connection of port {port} failed: {result['error']}"
        return
    flow = known.flows["forward", port, PORT]
    repeats = list(flow.repeats())
    if result["total_retrans"] != len(repeats):
        yield f"port {port}: TCP_INFO counts {result['total_retrans']} repeats, and {len(repeats)} were seen"
    timeouts = sum(known.causes[one.packet].name in {"rto", "syn_retry"} for one in repeats)
    if result["total_rto"] != timeouts:
        yield f"port {port}: TCP_INFO counts {result['total_rto']} timeouts, and {timeouts} repeats came of one"
