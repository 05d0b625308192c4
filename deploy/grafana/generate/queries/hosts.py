"""What is wrong with a host or a service, from the counters of each conversation and minute."""

from deploy.grafana.generate.queries.conditions import (
    OLDER,
    label,
    last_hour,
    minutes,
    minutes_last_week,
    network_places,
    places,
    seconds,
)
from deploy.grafana.generate.queries.expressions import (
    RETRANSMISSIONS,
    SIDES,
    both,
    conversations,
    in_seconds,
    key,
    milliseconds,
    per_second,
    percent,
    text,
    total,
)

_FROM = f"FROM intervals AS minute WHERE {minutes('minute')} AND {places('minute')}"
_FROM_LAST_WEEK = f"FROM intervals AS minute WHERE {minutes_last_week('minute')} AND {places('minute')}"
_FROM_ANOMALIES = f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {places('anomaly')}"
_BYTES_AGAIN = percent(both("minute", "retransmitted_bytes"), both("minute", "payload_bytes"))


def _of_sides(expression: str) -> str:
    """Return an expression for each side, named after it."""
    return ", ".join(f"{expression.replace('SIDE', side)} AS {side}" for side in SIDES)


_AGAIN = _of_sides(percent("sum(minute.SIDE_retransmitted_bytes)", "sum(minute.SIDE_payload_bytes)"))
_CLOSED = _of_sides(in_seconds("sum(minute.SIDE_zero_window_time)"))
_ROUND_TRIP = _of_sides(milliseconds("sum(minute.SIDE_rtt_sum)", "sum(minute.SIDE_rtt_count)"))
_TRAFFIC = _of_sides(per_second("8 * sum(minute.SIDE_payload_bytes)"))


def _over_time(columns: str) -> str:
    return f"SELECT $__timeInterval(minute.time) AS time, {columns} {_FROM} GROUP BY time ORDER BY time"


AGAIN = f"SELECT {_AGAIN} {_FROM}"
CLOSED = f"SELECT {_CLOSED} {_FROM}"
ROUND_TRIP = f"SELECT {_ROUND_TRIP} {_FROM}"
CONVERSATIONS = f"SELECT {conversations('minute')} AS conversations, {both('minute', 'resets')} AS resets {_FROM}"
TRAFFIC_OVER_TIME = _over_time(_TRAFFIC)
AGAIN_OVER_TIME = _over_time(_AGAIN)
CLOSED_OVER_TIME = _over_time(_CLOSED)
ROUND_TRIP_OVER_TIME = _over_time(_ROUND_TRIP)
TREND = _over_time(f"{_BYTES_AGAIN} AS now")
TREND_LAST_WEEK = (
    f"SELECT $__timeInterval(minute.time + {OLDER}) AS time, {_BYTES_AGAIN} AS last_week "
    f"{_FROM_LAST_WEEK} GROUP BY time ORDER BY time"
)
LABELS_OVER_TIME = (
    "SELECT $__timeInterval(anomaly.time) AS time, arrayJoin(anomaly.label_names) AS label, count() AS segments "
    f"{_FROM_ANOMALIES} AND {label('anomaly')} GROUP BY time, label ORDER BY time, label"
)
RESETS_OVER_TIME = (
    "SELECT $__timeInterval(anomaly.time) AS time, toString(anomaly.reset) AS reset, count() AS resets "
    f"{_FROM_ANOMALIES} AND anomaly.reset != '' GROUP BY time, reset ORDER BY time, reset"
)

_NUMBERS = (
    f"{both('minute', 'payload_bytes')} AS payload, "
    f"{percent('sum(minute.client_retransmitted_bytes)', 'sum(minute.client_payload_bytes)')} AS client_again, "
    f"{percent('sum(minute.server_retransmitted_bytes)', 'sum(minute.server_payload_bytes)')} AS server_again, "
    f"{both('minute', *RETRANSMISSIONS)} AS retransmissions, "
    f"{in_seconds(both('minute', 'zero_window_time'))} AS window_closed, {both('minute', 'resets')} AS resets, "
    f"{milliseconds(total('minute', 'client_rtt_sum'), total('minute', 'client_rtt_count'))} AS client_rtt, "
    f"{milliseconds(total('minute', 'server_rtt_sum'), total('minute', 'server_rtt_count'))} AS server_rtt"
)
_WORST_FIRST = "ORDER BY retransmissions DESC, window_closed DESC, resets DESC, payload DESC"
PEERS = (
    f"SELECT {text('minute.client')} AS client, {text('minute.server')} AS server, "
    f"toString(minute.server_port) AS port, {conversations('minute')} AS conversations, {_NUMBERS} "
    f"{_FROM} GROUP BY minute.client, minute.server, minute.server_port {_WORST_FIRST} LIMIT 100"
)
WORST_CONVERSATIONS = (
    f"SELECT {key('worst')} AS conversation, {text('worst.client')} AS client, {text('worst.server')} AS server, "
    "worst.* EXCEPT (session, stream, client, server) FROM (SELECT minute.session AS session, "
    "minute.stream AS stream, min(minute.opened) AS opened, any(minute.client) AS client, "
    "any(minute.client_port) AS client_port, any(minute.server) AS server, "
    f"toString(any(minute.server_port)) AS port, {_NUMBERS} {_FROM} GROUP BY session, stream {_WORST_FIRST} LIMIT 100"
    f") AS worst {_WORST_FIRST}"
)
"""Addresses are written as text for the rows that are left."""
HOPS = (
    "SELECT event.hop_from AS hop_from, event.hop_to AS hop_to, event.cause AS cause, event.needed AS needed, "
    "count() AS events, countIf(event.contradicting > 0) AS contradicted, sum(event.stalled_ms) AS stalled, "
    "sum(event.bytes_again) AS bytes_again, arrayStringConcat(anyLast(event.way), ', ') AS way "
    f"FROM network_verdicts AS event WHERE {last_hour('event')} AND {network_places('event')} "
    "AND (event.hop_from, event.hop_to) != ('', '') "
    "GROUP BY hop_from, hop_to, cause, needed ORDER BY events DESC, hop_from, hop_to, cause, needed LIMIT 100"
)
