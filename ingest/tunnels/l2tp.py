"""Layer two tunnelling protocol, version 2 (RFC 2661).

Sessions of version 3 have cookies and payloads of a kind that only their control messages tell; Wireshark follows
those, this decoder counts such data as skipped.
"""

from ingest.tunnels.view import View
from ingest.tunnels.walk import Answer, Kind, Next, Walk
from segwatch.vocabulary import Tunnel

CONTROL, LENGTH, SEQUENCE, OFFSET = 0x8000, 0x4000, 0x0800, 0x0200
VERSION = 0x000F


def l2tp(view: View, walk: Walk) -> Answer:
    """Read an L2TP header over UDP; data messages carry PPP."""
    flags = view.short(0)
    if flags & VERSION == 3:
        walk.reason = "L2TP version 3"
        return None
    if flags & CONTROL:
        walk.reason = "L2TP control"
        return None
    at = 2
    if flags & LENGTH:
        view, at = view.limited(view.short(2)), 4
    session = view.short(at + 2)
    at += 4
    if flags & SEQUENCE:
        at += 4
    if flags & OFFSET:
        at += 2 + view.short(at)
    walk.enter(Tunnel.L2TP, session)
    payload = view.rest(at)
    if payload.captured == 0:
        walk.reason = "L2TP without payload"
        return None
    return Next(Kind.PPP_HDLC, 0, payload)


def l2tp_over_ip(view: View, walk: Walk) -> Answer:
    """Note that only version 3 runs directly over IP."""
    del view
    walk.reason = "L2TP version 3"
    return None
