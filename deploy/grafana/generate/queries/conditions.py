"""Conditions of the queries: the range of time, and what the variables choose.

Every column is written with the name of its table: ClickHouse would take a bare ``time`` in WHERE for the alias of the
same name in SELECT, and could not use the primary key.
"""

from typing import Final

from segwatch.scope import REPLAY_SUFFIX

OLDER: Final = "INTERVAL 7 DAY"
"""How far back the curve lies with which the present is compared."""
ENDS: Final = ("client", "server")
"""Columns of the two ends of a conversation."""


def seconds(table: str) -> str:
    """Return the condition for rows of single moments."""
    return f"$__timeFilter({table}.time)"


def minutes(table: str) -> str:
    """Return the condition for rows of whole minutes: the one in which the range begins belongs to it."""
    return _minutes(table, "$__fromTime", "$__toTime")


def minutes_last_week(table: str) -> str:
    """Return the condition for the same minutes a week earlier."""
    return _minutes(table, f"$__fromTime - {OLDER}", f"$__toTime - {OLDER}")


def _minutes(table: str, begin: str, end: str) -> str:
    """Return the condition for a range, twice: of the hour, the first column of the keys, and of the minute.

    A condition on the minute alone would not do: it stands in the keys, too, but behind others, and where ClickHouse
    finds a column in a key it does not look for a function of it.
    """
    hours = f"toStartOfHour({table}.time) BETWEEN toStartOfHour({begin}) AND toStartOfHour({end})"
    return f"{hours} AND {table}.time BETWEEN toStartOfMinute({begin}) AND {end}"


def captured(table: str) -> str:
    """Return the condition for what was captured: replays, which look at the same traffic again, are left out."""
    return f"NOT endsWith({table}.sensor, '{REPLAY_SUFFIX}')"


def sensor(table: str) -> str:
    """Return the condition for the chosen sensors."""
    return f"{captured(table)} AND $__conditionalAll({table}.sensor IN (${{sensor:singlequote}}), $sensor)"


def port(table: str) -> str:
    """Return the condition for the chosen ports of servers."""
    return f"$__conditionalAll(toString({table}.server_port) IN (${{port:singlequote}}), $port)"


def label(table: str) -> str:
    """Return the condition for the chosen labels of segments."""
    return f"$__conditionalAll(hasAny({table}.label_names, [${{label:singlequote}}]), $label)"


def host(table: str, ends: tuple[str, str] = ENDS) -> str:
    """Return the condition for conversations of the chosen host, as client or as server."""
    chosen = "toIPv6(${host:singlequote})"
    return f"$__conditionalAll(({table}.{ends[0]} = {chosen} OR {table}.{ends[1]} = {chosen}), $host)"


def network(table: str, ends: tuple[str, str] = ENDS) -> str:
    """Return the condition for conversations that have an end in the chosen network, written ``10.1.0.0/16``.

    Addresses are stored as IPv6, those of IPv4 behind 96 bits of ``::ffff:``.
    """
    chosen = "${network:singlequote}"
    given = f"toUInt8OrZero(splitByChar('/', {chosen})[2]) + if(position({chosen}, ':') = 0, 96, 0)"
    bits = f"toUInt8(if(position({chosen}, '/') = 0, 128, {given}))"
    span = f"IPv6CIDRToRange(toIPv6(splitByChar('/', {chosen})[1]), {bits})"
    either = " OR ".join(f"{table}.{end} BETWEEN {span}.1 AND {span}.2" for end in ends)
    return f"$__conditionalAll(({either}), $network)"


def places(table: str) -> str:
    """Return the conditions of all variables that name a place."""
    return " AND ".join((sensor(table), network(table), host(table), port(table)))


def network_places(table: str) -> str:
    """Return the same conditions for ``network_verdicts``, whose rows have a sender, a receiver and several sensors."""
    ends = ("src_ip", "dst_ip")
    chosen = f"$__conditionalAll(hasAny({table}.way, [${{sensor:singlequote}}]), $sensor)"
    return " AND ".join((chosen, network(table, ends), host(table, ends), port(table)))


def last_hour(table: str) -> str:
    """Return the condition for the minutes of the last hour of the range."""
    return _minutes(table, "greatest($__fromTime, $__toTime - INTERVAL 1 HOUR)", "$__toTime")


def conversation(table: str) -> str:
    """Return the condition for the chosen conversation, whose value is ``SESSION/STREAM``."""
    chosen = "splitByChar('/', ${conversation:singlequote})"
    return f"{table}.session = toUUIDOrZero({chosen}[1]) AND {table}.stream = toInt32OrZero({chosen}[2])"
