"""Which UDP ports carry tunnels, and which belong to other protocols (Wireshark 4.0's assignments).

A payload goes to the protocol of the lower of the two ports, if that port has one, else to that of the higher.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ingest.tunnels.view import View

L2TP_PORT = 1701
SFLOW_PORT = 6343
JUNIPER_MIRROR_PORT = 30030


def _is_l2tp(payload: View) -> bool:
    """Return whether the version is one of L2TP's."""
    return payload.has(0, 2) and payload.short(0) & 15 in (2, 3)


def _is_gtp(payload: View) -> bool:
    """Return whether the version is one of GTP's."""
    return payload.has(0, 2) and payload.octet(0) >> 5 <= 2


def _is_sflow(payload: View) -> bool:
    """Return whether version and kind of address are ones of sFlow's."""
    return payload.has(0, 8) and payload.long(0) in (2, 4, 5) and payload.long(4) in (0, 1, 2)


def _is_lisp(payload: View) -> bool:
    """Return whether there is room for a LISP header."""
    return payload.wire >= 8


def _is_juniper_mirror(payload: View) -> bool:
    """Return whether IP or PPP follows the mirror header."""
    if not payload.has(8, 4):
        return False
    start = payload.octets(8, 4)
    is_ppp = start[:2] == b"\xff\x03" and (start[2] & 15, start[3]) in ((0, 0x21), (0, 0x57))
    return start[0] == 0x45 or start[0] >> 4 == 6 or is_ppp


TUNNEL_PORTS: Mapping[int, Callable[[View], bool] | None] = MappingProxyType(
    {
        L2TP_PORT: _is_l2tp,
        2123: _is_gtp,
        2152: _is_gtp,
        3386: _is_gtp,
        3544: None,
        4341: _is_lisp,
        4754: None,
        4789: None,
        4790: None,
        5072: None,
        5247: None,
        6081: None,
        SFLOW_PORT: _is_sflow,
        6635: None,
        12000: None,
        12001: None,
        12002: None,
        12003: None,
        12004: None,
        12220: None,
        12222: None,
        12223: None,
        JUNIPER_MIRROR_PORT: _is_juniper_mirror,
        37008: None,
    }
)
"""Ports of tunnels, each with a test that tells whether its protocol accepts a payload."""

# fmt: off
CLAIMED_PORTS = frozenset((
    7, 13, 19, 37, 49, 53, 67, 68, 69, 88, 111, 123, 137, 138, 161, 162, 173, 177, 213, 269, 319, 320, 389, 427,
    434, 464, 473, 496, 500, 502, 513, 514, 520, 521, 524, 525, 539, 546, 547, 573, 623, 631, 646, 654, 664, 698,
    699, 701, 750, 853, 854, 910, 921, 925, 1001, 1044, 1052, 1069, 1089, 1090, 1091, 1101, 1113, 1153, 1194, 1293,
    1547, 1628, 1629, 1645, 1646, 1700, 1718, 1719, 1745, 1755, 1812, 1813, 1900, 1985, 2029, 2055, 2067,
    2099, 2157, 2190, 2221, 2222, 2231, 2246, 2268, 2269, 2313, 2345, 2424, 2427, 2428, 2727, 2887, 2944, 2945,
    2948, 2949, 2960, 3000, 3121, 3130, 3205, 3222, 3250, 3333, 3343, 3357, 3389, 3452, 3455, 3478, 3483, 3503,
    3540, 3567, 3622, 3671, 3784, 3785, 3792, 3799, 3804, 3819, 3863, 3956, 4000, 4011, 4058, 4305, 4306, 4307,
    4342, 4500, 4533, 4534, 4551, 4555, 4556, 4569, 4665, 4672, 4713, 4729, 4739, 4784, 4791, 4991, 5000, 5001,
    5031, 5050, 5060, 5094, 5246, 5264, 5265, 5350, 5351, 5353, 5355, 5404, 5405, 5436, 5555, 5567, 5678, 5683,
    5684, 5868, 6060, 6073, 6084, 6087, 6118, 6160, 6543, 6666, 6696, 6784, 6970, 7000, 7001, 7002, 7003, 7004,
    7005, 7006, 7007, 7008, 7009, 7010, 7021, 7074, 7075, 7255, 7275, 7784, 8000, 8116, 8161, 8200, 8211, 8600,
    8611, 8612, 8613, 8614, 8755, 8767, 8805, 8848, 9003, 9200, 9201, 9202, 9203, 9214, 9600, 9875, 9877, 9899,
    9901, 9955, 9956, 9996, 9999, 10253, 10500, 11211, 11273, 11898, 13400, 13819, 13907, 13910, 17220, 17500,
    17754, 17755, 17756, 18246, 19132, 19788, 19948, 19999, 20000, 20561, 22222, 23272, 24576, 24577, 25826, 26000,
    27036, 27500, 27910, 27950, 27951, 27952, 27953, 27960, 27961, 27962, 27963, 32000, 32512, 34962, 34980, 41170,
    44818, 45564, 47000, 47808, 49999, 54328, 56000, 56001, 56500, 56501, 57000, 57001, 57032, 57033, 57500, 57501,
    57532, 57533, 59000, 59001, 59032, 59033, 59500, 59501, 59532, 59533, 60001,
))
# fmt: on
"""Ports of protocols that carry no packets that Wireshark would look into."""
