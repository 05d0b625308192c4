"""Packet headers sampled by sFlow agents (sFlow versions 2, 4 and 5)."""

from ingest.tunnels.view import CutError, Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

FLOW_SAMPLE, EXPANDED_FLOW_SAMPLE = 1, 3
RAW_PACKET_HEADER = 1
ADDRESS_LENGTHS = {0: 0, 1: 4, 2: 16}
FLOW_RECORDS, EXPANDED_FLOW_RECORDS = 28, 40
"""Where the number of records lies in a version 5 sample."""
OLD_PACKET_DATA = 28
LONGEST_PACKET = 0x7FFFFFFF
LIMIT = 255
"""Samples and records that are looked at in one datagram and in one sample."""


class Sampled(Header):
    """Head of a sampled packet in version 5: protocol, length on the wire, bytes stripped, bytes that follow."""

    __hdr__ = (("protocol", "I", 1), ("wire", "I", 0), ("stripped", "I", 0), ("length", "I", 0))


class SampledBefore5(Header):
    """Head of a sampled packet in versions 2 and 4."""

    __hdr__ = (("protocol", "I", 1), ("wire", "I", 0), ("length", "I", 0))


def sflow(view: View, walk: Walk) -> Answer:
    """Return the sampled packets of all flow samples."""
    version, family = view.long(0), view.long(4)
    walk.enter(Tunnel.SFLOW)
    walk.sampled = True
    at = 8 + ADDRESS_LENGTHS[family] + (4 if version == 5 else 0) + 8
    samples = min(view.long(at) & 0xFF, LIMIT)
    found: list[Next] = []
    try:
        if version == 5:
            _samples(view, at + 4, samples, found)
        elif samples:
            _old_sample(view, at + 4, found)
    except CutError:
        pass
    if not found:
        walk.reason = "sFlow without sampled packets"
    return tuple(found)


def _samples(view: View, at: int, count: int, found: list[Next]) -> None:
    """Collect the packets of version 5 samples, each with a kind and a length."""
    for _ in range(count):
        kind, length = view.long(at), view.long(at + 4)
        if kind in (FLOW_SAMPLE, EXPANDED_FLOW_SAMPLE):
            start = at + 8 + (FLOW_RECORDS if kind == FLOW_SAMPLE else EXPANDED_FLOW_RECORDS)
            _records(view, start + 4, min(view.long(start) & 0xFF, LIMIT), found)
        elif kind >> 12:
            return
        at += 8 + length


def _records(view: View, at: int, count: int, found: list[Next]) -> None:
    """Collect the packets of a sample's records."""
    for _ in range(count):
        kind, length = view.long(at), view.long(at + 4)
        if kind == RAW_PACKET_HEADER:
            header = view.header(Sampled, at + 8)
            found.append(_sampled(view, at + 8 + header.__hdr_len__, header))
        at += 8 + (length + 3) // 4 * 4


def _sampled(view: View, at: int, header: Sampled | SampledBefore5) -> Next:
    """Return one sampled packet: its bytes here are the captured ones, padded to four."""
    padded = (header.length + 3) // 4 * 4
    if not view.has(at, padded) or header.wire > LONGEST_PACKET:
        raise CutError
    start = view.start + at
    captured = min(padded, header.wire)
    return Next(Kind.SFLOW_PROTOCOL, header.protocol, View(view.data, start, start + captured, start + header.wire))


def _old_sample(view: View, at: int, found: list[Next]) -> None:
    """Collect the packet of the first sample of versions 2 and 4; only its own fields tell where the next begins."""
    if view.long(at) == FLOW_SAMPLE and view.long(at + 4 + OLD_PACKET_DATA) == RAW_PACKET_HEADER:
        head = at + 8 + OLD_PACKET_DATA
        header = view.header(SampledBefore5, head)
        found.append(_sampled(view, head + header.__hdr_len__, header))
