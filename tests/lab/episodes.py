"""Which repeats belong to one loss episode."""

from collections.abc import Iterator, Mapping

from tests.lab.flows import Flow
from tests.lab.join import Cause


def episodes(flow: Flow, causes: Mapping[int, Cause], numbers: Iterator[int]) -> dict[int, int]:
    """Return the episode of each repeat and probe of a flow, by packet; new ones take the next of ``numbers``.

    An episode begins with a repeat, and lasts until its sender is acknowledged up to the highest sequence number that
    it had sent by then (the ``recover`` of RFC 6582), or by the last timeout of the episode; what the sender itself
    takes for a part of the same recovery always belongs to it. Probes belong together until something new is sent.
    """
    found = {}
    current, until = -1, 0
    for send in flow.repeats():
        cause = causes[send.packet]
        is_new = cause.acked >= until and cause.name != "recovery"
        if is_new or current < 0:
            current, until = next(numbers), send.highest
        elif cause.name == "rto":
            until = send.highest
        found[send.packet] = current
    last = 0
    for probe in flow.probes:
        if probe.highest != last:
            current, last = next(numbers), probe.highest
        found[probe.packet] = current
    return found
