"""Which rows meet a condition of ``--where``: evaluated over whole columns."""

import ipaddress

import numpy as np
import numpy.typing as npt

from segwatch.output.filter_language import (
    Both,
    Condition,
    Either,
    Flagged,
    Labelled,
    Net,
    Not,
    Port,
    ResetClass,
    Side,
    Stream,
)
from segwatch.records.findings import FindingColumns
from segwatch.records.segments import SegmentColumns
from segwatch.vocabulary import Quality

Mask = npt.NDArray[np.bool_]
_IPV4_MAPPED_BITS = 96


def matching_rows(condition: Condition, segments: SegmentColumns, findings: FindingColumns) -> Mask:
    """Return (N,) which rows meet ``condition``."""
    match condition:
        case Both(left, right):
            return matching_rows(left, segments, findings) & matching_rows(right, segments, findings)
        case Either(left, right):
            return matching_rows(left, segments, findings) | matching_rows(right, segments, findings)
        case Not(operand):
            return ~matching_rows(operand, segments, findings)
        case Net(side, network):
            return _in_network(segments, side, network) & _has_ports(segments)
        case Port(side, number):
            return _at_side(side, segments.sport == number, segments.dport == number) & _has_ports(segments)
        case Labelled(mask):
            return _mask((findings.labels & mask) != 0)
        case ResetClass(number):
            return _mask(findings.reset != 0 if number is None else findings.reset == number)
        case Flagged(mask):
            return _mask((segments.flags & mask) != 0)
        case Stream(number):
            return _mask(findings.stream == number)


def _has_ports(segments: SegmentColumns) -> Mask:
    """Return which rows show their ends: those whose TCP header was captured far enough."""
    return _mask((segments.quality & int(Quality.HEADER_UNREADABLE)) == 0)


def _mask(comparison: npt.ArrayLike) -> Mask:
    return np.asarray(comparison, np.bool_)


def _at_side(side: Side, source: Mask, destination: Mask) -> Mask:
    if side == "src":
        return source
    if side == "dst":
        return destination
    return source | destination


def _in_network(segments: SegmentColumns, side: Side, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Mask:
    wanted, mask = _words_of(network)
    ipv6 = _mask((segments.quality & int(Quality.IPV6)) != 0)
    of_version = ipv6 if network.version == 6 else ~ipv6

    def inside(addresses: npt.NDArray[np.uint64]) -> Mask:
        return _mask((addresses & mask == wanted).all(axis=1))

    return of_version & _at_side(side, inside(segments.src), inside(segments.dst))


def _words_of(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Return the address and the mask of ``network`` as the two words of an address column."""
    length, address = network.prefixlen, network.network_address.packed
    if network.version == 4:
        length, address = length + _IPV4_MAPPED_BITS, bytes(10) + b"\xff\xff" + address
    mask = ((1 << 128) - (1 << (128 - length))).to_bytes(16, "big")
    return np.frombuffer(address, np.uint64), np.frombuffer(mask, np.uint64)
