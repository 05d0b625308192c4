"""CAPWAP data channel (RFC 5415): 802.11 or Ethernet frames between access points and their controller."""

from ingest.tunnels.view import Header, View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

PREAMBLE_DTLS = 1
BINDING_IEEE_802_11 = 1
FLAG_NATIVE, FLAG_FRAGMENT, FLAG_LAST, FLAG_KEEP_ALIVE = 0x100, 0x080, 0x040, 0x008


class Capwap(Header):
    """CAPWAP preamble and header; ``word`` holds header length, radio, binding and nine flags."""

    __hdr__ = (("_version_type", "B", 0), ("word", "3s", b""), ("fragment", "H", 0), ("_offset_reserved", "H", 0))
    __bit_fields__ = {  # noqa: RUF012  (dpkt reads it as a plain dict)
        "_version_type": (("version", 4), ("type", 4)),
        "_offset_reserved": (("offset", 13), ("_low", 3)),
    }


def capwap_data(view: View, walk: Walk) -> Answer:
    """Read a CAPWAP header; fragments are joined by their identifier."""
    if view.octet(0) & 15 == PREAMBLE_DTLS:
        walk.reason = "encrypted: CAPWAP over DTLS"
        return None
    header = view.header(Capwap)
    word = int.from_bytes(header.word, "big")
    length, binding, flags = (word >> 19) * 4, word >> 9 & 31, word & 0x1FF
    if flags & FLAG_KEEP_ALIVE:
        walk.reason = "CAPWAP keep-alive"
        return None
    walk.enter(Tunnel.CAPWAP)
    payload = view.rest(length)
    if flags & FLAG_FRAGMENT:
        joined = _joined(payload, header, walk, more=not flags & FLAG_LAST)
        if joined is None:
            return None
        payload = joined
    if not flags & FLAG_NATIVE:
        return Next(Kind.ETHERNET, 0, payload)
    if binding == BINDING_IEEE_802_11:
        return Next(Kind.WLAN_SWAPPED, 0, payload)
    walk.reason = "CAPWAP of another wireless binding"
    return None


def _joined(payload: View, header: Capwap, walk: Walk, *, more: bool) -> View | None:
    """Return the whole frame if this fragment completes it."""
    if walk.ip is None or payload.wire <= 0 or not payload.has(0, payload.wire):
        walk.reason = "CAPWAP fragment that was cut"
        return None
    key = ("capwap", walk.ip.source, walk.ip.destination, header.fragment)
    whole = walk.fragment_table.add(key, header.offset * 8, payload.octets(0, payload.wire), more)
    if whole is None:
        walk.reason = "CAPWAP fragment of an incomplete frame"
        return None
    return View(whole, 0, len(whole), len(whole))
