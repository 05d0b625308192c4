"""What the alert rules ask: one row for each place that may be in trouble, its names as text, and one number.

Grafana makes an alert of each row whose number is beyond the limit. Variables do not exist here, and the end of the
range is the moment of the evaluation.
"""

from typing import Final

from deploy.grafana.generate.queries.conditions import captured, minutes, seconds
from deploy.grafana.generate.queries.expressions import RETRANSMISSIONS, last_segments, text

RECENT: Final = "INTERVAL 15 MINUTE"
"""What counts as now for a rate: minutes are stored when they are over, and some time later."""
LEAST_SEGMENTS: Final = 1000
"""Segments with payload, below which a rate says nothing."""
LEAST_PERCENT: Final = 0.5
"""Retransmissions in percent of the segments, below which no multiple of a baseline matters."""
FLOOR_PERCENT: Final = 0.1
"""A baseline below this counts as this."""
_RECENTLY = f"minute.time > $__toTime - {RECENT}"
_AGAIN = " + ".join(f"minute.{name}" for name in RETRANSMISSIONS)

RETRANSMISSION_RATE = (
    "SELECT rates.sensor AS sensor, if(rates.segments < "
    f"{LEAST_SEGMENTS} OR rates.recent < {LEAST_PERCENT}, 0, rates.recent / greatest(rates.usual, {FLOOR_PERCENT})) "
    "AS times FROM (SELECT toString(minute.sensor) AS sensor, "
    f"sumIf(minute.data_segments, {_RECENTLY}) AS segments, "
    f"100 * sumIf({_AGAIN}, {_RECENTLY}) / greatest(segments, 1) AS recent, "
    f"100 * sumIf({_AGAIN}, NOT ({_RECENTLY})) / greatest(sumIf(minute.data_segments, NOT ({_RECENTLY})), 1) AS usual "
    f"FROM traffic_1m AS minute WHERE {minutes('minute')} AND {captured('minute')} "
    "GROUP BY minute.sensor) AS rates ORDER BY sensor"
)
REFUSED = (
    f"SELECT {text('anomaly.server')} AS server, toString(anomaly.server_port) AS port, "
    f"sum(anomaly.keep_one_in) AS refused FROM anomalies AS anomaly WHERE {seconds('anomaly')} "
    f"AND {captured('anomaly')} AND anomaly.reset = 'refused' "
    "GROUP BY anomaly.server, anomaly.server_port ORDER BY refused DESC LIMIT 100"
)
WINDOW_CLOSED = (
    f"SELECT {text('minute.server')} AS server, toString(minute.server_port) AS port, "
    "sum((minute.client_zero_window_time + minute.server_zero_window_time) * minute.keep_one_in) / 1e9 AS seconds "
    f"FROM intervals AS minute WHERE {minutes('minute')} AND {captured('minute')} "
    "GROUP BY minute.server, minute.server_port ORDER BY seconds DESC LIMIT 100"
)
RESET_STORM = (
    "SELECT toString(anomaly.sensor) AS sensor, sum(anomaly.keep_one_in) * 60 / "
    "greatest(toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime), 1) AS a_minute "
    f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {captured('anomaly')} "
    "AND anomaly.reset NOT IN ('', 'after_fin', 'repeated') "
    "GROUP BY anomaly.sensor ORDER BY sensor"
)
SENSOR_SILENT = (
    "SELECT last.sensor AS sensor, if(last.state = 'stopping', 0, last.silent) AS seconds FROM ("
    "SELECT toString(word.sensor) AS sensor, toString(argMax(word.state, word.ts)) AS state, "
    "greatest(toInt64(toUnixTimestamp($__toTime)) - toInt64(toUnixTimestamp(max(word.time))), 0) AS silent "
    f"FROM sensors AS word WHERE {seconds('word')} GROUP BY word.sensor) AS last ORDER BY sensor"
)
_LOST = "word.kernel_drops + word.interface_drops"
CAPTURE_LOSS = (
    "SELECT sums.sensor AS sensor, 100 * sum(sums.lost) / greatest(sum(sums.frames) + sum(sums.lost), 1) AS percent "
    f"FROM (SELECT toString(word.sensor) AS sensor, max({_LOST}) - min({_LOST}) AS lost, "
    f"max(word.frames) - min(word.frames) AS frames FROM sensors AS word WHERE {seconds('word')} "
    "GROUP BY word.sensor, word.session) AS sums GROUP BY sensor ORDER BY sensor"
)
_SEEN = (
    "SELECT sums.sensor AS sensor, max(sums.moment) AS moment FROM ("
    f"SELECT toString(word.sensor) AS sensor, {last_segments('word')} AS moment "
    f"FROM sensors AS word WHERE {seconds('word')} GROUP BY word.sensor, word.session) AS sums GROUP BY sensor"
)
_STORED = (
    "SELECT toString(minute.sensor) AS sensor, toUnixTimestamp(max(minute.time)) AS moment "
    f"FROM traffic_1m AS minute WHERE {minutes('minute')} GROUP BY minute.sensor"
)
PIPELINE_LAG = (
    "SELECT seen.sensor AS sensor, greatest(toInt64(seen.moment) - toInt64(greatest("
    "stored.moment, toUnixTimestamp($__fromTime))) - 60, 0) AS seconds "
    f"FROM ({_SEEN}) AS seen LEFT JOIN ({_STORED}) AS stored ON seen.sensor = stored.sensor ORDER BY sensor"
)
"""As on the dashboard of the sensors; at most the range, where nothing is stored."""
