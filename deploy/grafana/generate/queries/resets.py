"""Who ends connections, how and where, from the segments with RST: each is a row of ``anomalies``."""

from deploy.grafana.generate.queries.conditions import minutes, places, seconds
from deploy.grafana.generate.queries.expressions import both, conversations, key, percent, text

_FROM = f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND anomaly.reset != '' AND {places('anomaly')}"
_SENDER = "if(anomaly.from_client, anomaly.client, anomaly.server)"
_RECEIVER = "if(anomaly.from_client, anomaly.server, anomaly.client)"


def count(*classes: str) -> str:
    """Return the query for the number of resets of some classes, of all without any."""
    condition = " OR ".join(f"anomaly.reset = '{name}'" for name in classes) or "1"
    return f"SELECT countIf({condition}) AS resets {_FROM}"


_RESET = conversations("minute", "minute.reset != ''")
SHARE = (
    f"SELECT {percent(_RESET, conversations('minute'))} AS reset "
    f"FROM intervals AS minute WHERE {minutes('minute')} AND {places('minute')}"
)
BY_CLASS = (
    "SELECT $__timeInterval(anomaly.time) AS time, toString(anomaly.reset) AS reset, count() AS resets "
    f"{_FROM} GROUP BY time, reset ORDER BY time, reset"
)
BY_SIDE = (
    "SELECT toString(anomaly.reset) AS reset, countIf(anomaly.from_client) AS client, "
    f"countIf(NOT anomaly.from_client) AS server {_FROM} GROUP BY reset ORDER BY client + server DESC, reset"
)
SENDERS = (
    f"SELECT {text('worst.sender')} AS host, worst.* EXCEPT (sender) FROM (SELECT {_SENDER} AS sender, "
    f"count() AS resets, {conversations('anomaly')} AS conversations, uniqExact({_RECEIVER}) AS peers, "
    "arrayStringConcat(arraySort(groupUniqArray(toString(anomaly.reset))), ', ') AS classes, "
    f"max(anomaly.time) AS last {_FROM} GROUP BY sender ORDER BY resets DESC LIMIT 50) AS worst "
    "ORDER BY resets DESC, host"
)
REFUSED = (
    f"SELECT {text('anomaly.server')} AS host, toString(anomaly.server_port) AS port, count() AS refused, "
    f"uniqExact(anomaly.client) AS clients, min(anomaly.time) AS first, max(anomaly.time) AS last "
    f"{_FROM} AND anomaly.reset = 'refused' GROUP BY anomaly.server, anomaly.server_port "
    "ORDER BY refused DESC, host, port LIMIT 50"
)
PAIRS = (
    f"SELECT {text('anomaly.client')} AS client, {text('anomaly.server')} AS server, "
    "toString(anomaly.server_port) AS port, toString(anomaly.reset) AS reset, count() AS resets, "
    f"countIf(anomaly.from_client) AS by_client, {conversations('anomaly')} AS conversations "
    f"{_FROM} GROUP BY anomaly.client, anomaly.server, anomaly.server_port, anomaly.reset "
    "ORDER BY resets DESC, client, server, port LIMIT 100"
)
INJECTED = (
    f"SELECT anomaly.ts AS time, {key('anomaly')} AS conversation, {text('anomaly.client')} AS client, "
    f"{text('anomaly.server')} AS server, toString(anomaly.server_port) AS port, "
    "if(anomaly.from_client, 'client', 'server') AS in_the_name_of, anomaly.seq AS seq, anomaly.ack AS ack, "
    "anomaly.ttl AS ttl, anomaly.ip_id AS ip_id, anomaly.window_raw AS window, anomaly.frame AS frame "
    f"{_FROM} AND anomaly.reset = 'off_sequence' ORDER BY anomaly.ts DESC LIMIT 100"
)
ENDS = (
    "SELECT ended.reason AS reason, count() AS conversations FROM ("
    "SELECT multiIf(countIf(minute.reset != '') > 0, "
    "toString(argMinIf(minute.reset, minute.last, minute.reset != '')), "
    "bitAnd(groupBitOr(minute.completeness), 16) != 0, 'finished', 'open') AS reason "
    f"FROM intervals AS minute WHERE {minutes('minute')} AND {places('minute')} "
    "GROUP BY minute.session, minute.stream) AS ended GROUP BY reason ORDER BY conversations DESC, reason"
)
PACE = (
    f"SELECT $__timeInterval(minute.time) AS time, 60 * {both('minute', 'resets')} / $__interval_s AS `a minute` "
    f"FROM intervals AS minute WHERE {minutes('minute')} AND {places('minute')} GROUP BY time ORDER BY time"
)
