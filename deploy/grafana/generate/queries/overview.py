"""The health of the network, now and against last week, from rollups: no filter but that of the sensors."""

from deploy.grafana.generate.queries.conditions import OLDER, minutes, minutes_last_week, seconds, sensor
from deploy.grafana.generate.queries.expressions import RETRANSMISSIONS, both, in_seconds, percent, text, total

_FROM = f"FROM traffic_1m AS minute WHERE {minutes('minute')} AND {sensor('minute')}"
_FROM_LAST_WEEK = f"FROM traffic_1m AS minute WHERE {minutes_last_week('minute')} AND {sensor('minute')}"
_BYTES_AGAIN = percent("sum(minute.retransmitted_bytes)", "sum(minute.payload_bytes)")
_SEGMENTS_AGAIN = percent(total("minute", *RETRANSMISSIONS), "sum(minute.data_segments)")
_RATE = "8 * sum(minute.payload_bytes) / $__interval_s"

BYTES_AGAIN = f"SELECT {_BYTES_AGAIN} AS bytes {_FROM}"
SEGMENTS_AGAIN = f"SELECT {_SEGMENTS_AGAIN} AS segments {_FROM}"
STALLED = f"SELECT {in_seconds('sum(minute.zero_window_time)')} AS stalled {_FROM}"
RESETS = f"SELECT sum(minute.resets) AS resets {_FROM}"
CONVERSATIONS = (
    "SELECT sum(one.conversations) AS conversations FROM (SELECT uniqMerge(minute.conversations) AS conversations "
    f"{_FROM} GROUP BY minute.session) AS one"
)
"""A stream has a number in its session, so every session is counted apart."""
TRAFFIC = (
    "SELECT 8 * sum(minute.payload_bytes) / greatest(toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime), 1) "
    f"AS traffic {_FROM}"
)
CHANGE = (
    "SELECT present.share / nullIf(past.share, 0) AS change "
    f"FROM (SELECT {_BYTES_AGAIN} AS share {_FROM}) AS present, "
    f"(SELECT {_BYTES_AGAIN} AS share {_FROM_LAST_WEEK}) AS past"
)


def _over_time(value: str, name: str) -> str:
    return f"SELECT $__timeInterval(minute.time) AS time, {value} AS {name} {_FROM} GROUP BY time ORDER BY time"


def _last_week(value: str) -> str:
    moved = f"$__timeInterval(minute.time + {OLDER})"
    return f"SELECT {moved} AS time, {value} AS last_week {_FROM_LAST_WEEK} GROUP BY time ORDER BY time"


BYTES_AGAIN_OVER_TIME = _over_time(_BYTES_AGAIN, "now")
BYTES_AGAIN_LAST_WEEK = _last_week(_BYTES_AGAIN)
SEGMENTS_AGAIN_OVER_TIME = _over_time(_SEGMENTS_AGAIN, "now")
SEGMENTS_AGAIN_LAST_WEEK = _last_week(_SEGMENTS_AGAIN)
TRAFFIC_OVER_TIME = _over_time(_RATE, "now")
TRAFFIC_LAST_WEEK = _last_week(_RATE)
CLOSED_WINDOWS_OVER_TIME = _over_time(in_seconds("sum(minute.zero_window_time)"), "`window closed`")
WAITS_OVER_TIME = (
    f"SELECT $__timeInterval(anomaly.time) AS time, {in_seconds('sum(anomaly.rto)')} AS `waiting to send again` "
    f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {sensor('anomaly')} GROUP BY time ORDER BY time"
)
STALLED_BY_REASON = (
    "SELECT $__timeInterval(wait.time) AS time, wait.reason AS reason, sum(wait.stalled_ms) / 1000 AS stalled "
    f"FROM stalled_by_reason AS wait WHERE {seconds('wait')} AND {sensor('wait')} "
    "GROUP BY time, reason ORDER BY time, reason"
)
RESETS_BY_CLASS = (
    "SELECT $__timeInterval(minute.time) AS time, minute.class AS reset, sum(minute.resets) AS resets "
    f"FROM resets_by_class AS minute WHERE {minutes('minute')} AND {sensor('minute')} "
    "GROUP BY time, reset ORDER BY time, reset"
)

_SENT = percent("sum(minute.sent_retransmitted_bytes)", "sum(minute.sent_payload_bytes)")
_RECEIVED = percent("sum(minute.received_retransmitted_bytes)", "sum(minute.received_payload_bytes)")
_OF_HOSTS = (
    f"{total('minute', 'sent_retransmitted_bytes', 'received_retransmitted_bytes')} AS again, "
    f"{_SENT} AS sent_again, {_RECEIVED} AS received_again, "
    f"{in_seconds('sum(minute.zero_window_time)')} AS window_closed, sum(minute.sent_resets) AS resets, "
    f"{total('minute', 'sent_payload_bytes', 'received_payload_bytes')} AS payload "
    f"FROM hosts_1m AS minute WHERE {minutes('minute')} AND {sensor('minute')}"
)
_WORST_FIRST = "ORDER BY again DESC, window_closed DESC, resets DESC LIMIT 20"
WORST_SUBNETS = f"SELECT minute.subnet AS network, {_OF_HOSTS} GROUP BY network {_WORST_FIRST}"
WORST_HOSTS = (
    f"SELECT {text('worst.address')} AS host, worst.* EXCEPT (address) "
    f"FROM (SELECT minute.host AS address, {_OF_HOSTS} GROUP BY address {_WORST_FIRST}) AS worst {_WORST_FIRST}"
)
_OF_SERVICES = (
    f"{both('minute', 'retransmitted_bytes')} AS again, "
    f"{percent('sum(minute.server_retransmitted_bytes)', 'sum(minute.server_payload_bytes)')} AS sent_again, "
    f"{percent('sum(minute.client_retransmitted_bytes)', 'sum(minute.client_payload_bytes)')} AS received_again, "
    f"{in_seconds('sum(minute.server_zero_window_time)')} AS window_closed, {both('minute', 'resets')} AS resets, "
    f"{both('minute', 'payload_bytes')} AS payload"
)
WORST_SERVICES = (
    f"SELECT {text('worst.address')} AS host, toString(worst.number) AS port, worst.* EXCEPT (address, number) FROM ("
    f"SELECT minute.server AS address, minute.server_port AS number, {_OF_SERVICES} FROM intervals AS minute "
    f"WHERE {minutes('minute')} AND {sensor('minute')} GROUP BY address, number {_WORST_FIRST}) AS worst {_WORST_FIRST}"
)
