"""Expressions that several queries share."""

from typing import Final

from segwatch import vocabulary

RETRANSMISSIONS: Final = tuple(str(label.name).lower() for label in vocabulary.RETRANSMISSIONS)
"""Names of the labels that together are what Wireshark calls a retransmission."""
SIDES: Final = ("client", "server")


def total(table: str, *columns: str) -> str:
    """Return the sum of columns."""
    return f"sum({' + '.join(f'{table}.{column}' for column in columns)})"


def both(table: str, *columns: str) -> str:
    """Return the sum of columns that a table has for each side."""
    return total(table, *(f"{side}_{column}" for side in SIDES for column in columns))


def percent(part: str, whole: str) -> str:
    """Return a share of hundred; NULL, which is a gap in a plot, where there is nothing to share."""
    return f"100 * {part} / nullIf({whole}, 0)"


def milliseconds(nanoseconds: str, count: str) -> str:
    """Return the mean of a sum of nanoseconds, in milliseconds; NULL without any."""
    return f"{nanoseconds} / nullIf({count}, 0) / 1e6"


def in_seconds(nanoseconds: str) -> str:
    """Return nanoseconds as seconds."""
    return f"{nanoseconds} / 1e9"


def text(address: str) -> str:
    """Return an address as people write it, by the store's own function."""
    return f"segwatch_address({address})"


def subnet(address: str) -> str:
    """Return the network of an address in CIDR form, /24 of IPv4 and /64 of IPv6, by the store's own function."""
    return f"segwatch_subnet({address})"


def conversations(table: str, condition: str = "1") -> str:
    """Return the number of conversations in rows that fulfil a condition; a hash of their names is compared faster."""
    return f"uniqExactIf(cityHash64({table}.session, {table}.stream), {condition})"


def key(table: str) -> str:
    """Return the value of the variable ``conversation`` for a row."""
    return f"concat(toString({table}.session), '/', toString({table}.stream))"


def per_second(amount: str) -> str:
    """Return an amount of an interval of the panel by the second."""
    return f"{amount} / $__interval_s"


def last_segments(table: str) -> str:
    """Return when the segments that a session had seen last became more, in Unix seconds; 0 where they did not.

    What a sensor says after that asks for no minute in the store: on a quiet network none comes.
    """
    first_to_say = f"argMax({table}.time, ({table}.segments, -toInt64(toUnixTimestamp({table}.time))))"
    return f"if(max({table}.segments) > min({table}.segments), toUnixTimestamp({first_to_say}), 0)"
