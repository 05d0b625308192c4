"""Rule sets: what differs between Wireshark's versions, as data. One engine serves them all.

Of ``wireshark-2.2`` the order of the checks for repeated data is what its readers notice; it is 4.0 in all else.
"""

from typing import Final, NamedTuple

from segwatch.errors import UsageError
from segwatch.vocabulary import Label

FAST: Final = int(Label.FAST_RETRANSMISSION)
SPURIOUS: Final = int(Label.SPURIOUS_RETRANSMISSION)
OUT_OF_ORDER: Final = int(Label.OUT_OF_ORDER)


class RuleSet(NamedTuple):
    """The numbers that kernels take their decisions by."""

    retransmission_checks: tuple[int, int, int]
    """Labels in the order in which they are tried; the first that holds wins, ``RETRANSMISSION`` comes after them."""
    fast_retransmission_limit: int
    """Nanoseconds since the peer's last segment within which a repeat can be a fast retransmission."""
    out_of_order_limit: int
    """Nanoseconds since the highest segment within which an older one is out of order, if no initial RTT is known."""


RULE_SETS: Final = {
    "wireshark-4.0": RuleSet(
        retransmission_checks=(SPURIOUS, FAST, OUT_OF_ORDER),
        fast_retransmission_limit=20_000_000,
        out_of_order_limit=3_000_000,
    ),
    # Until 3.x late data was called out of order before anybody asked whether it had been acknowledged already.
    "wireshark-2.2": RuleSet(
        retransmission_checks=(FAST, OUT_OF_ORDER, SPURIOUS),
        fast_retransmission_limit=20_000_000,
        out_of_order_limit=3_000_000,
    ),
}
DEFAULT_RULES: Final = "wireshark-4.0"


def rule_set(name: str) -> RuleSet:
    """Return the rule set of that name; raise ``UsageError`` for an unknown one."""
    try:
        return RULE_SETS[name]
    except KeyError:
        raise UsageError(f"there is no rule set {name!r}; there is {', '.join(sorted(RULE_SETS))}") from None
