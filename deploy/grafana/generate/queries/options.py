"""What the variables offer: what is there in the range of time, most of it first."""

from typing import Final

from deploy.grafana.generate.queries.conditions import captured, minutes, places, sensor
from deploy.grafana.generate.queries.expressions import RETRANSMISSIONS, SIDES, both, key, subnet, text

MOST: Final = 500
"""Options that a list has at most; any other value can be typed in."""
_WORST_FIRST = "ORDER BY again DESC, window_closed DESC, resets DESC"
_INTERVALS = f"FROM intervals AS minute WHERE {minutes('minute')} AND {sensor('minute')}"

SENSOR = (
    "SELECT toString(minute.sensor) AS name FROM traffic_1m AS minute "
    f"WHERE {minutes('minute')} AND {captured('minute')} GROUP BY name UNION DISTINCT "
    "SELECT toString(word.sensor) AS name FROM sensors AS word WHERE $__timeFilter(word.time) GROUP BY name "
    "ORDER BY name"
)
PORT = (
    "SELECT toString(minute.server_port) AS port FROM traffic_1m AS minute "
    f"WHERE {minutes('minute')} AND {sensor('minute')} GROUP BY port ORDER BY sum(minute.segments) DESC LIMIT {MOST}"
)
HOST = (
    f"SELECT {text('found.address')} AS host FROM (SELECT arrayJoin([minute.client, minute.server]) AS address, "
    f"{both('minute', *RETRANSMISSIONS)} AS again, {both('minute', 'segments')} AS segments {_INTERVALS} "
    f"GROUP BY address ORDER BY again DESC, segments DESC LIMIT {MOST}) AS found ORDER BY found.again DESC, host"
)
_FIRSTS = ", ".join(f"IPv6CIDRToRange(minute.{side}, if(minute.ip_version = 4, 120, 64)).1" for side in SIDES)
NETWORK = (
    f"SELECT {subnet('found.first')} AS network FROM (SELECT arrayJoin([{_FIRSTS}]) AS first, "
    f"{both('minute', *RETRANSMISSIONS)} AS again, {both('minute', 'segments')} AS segments {_INTERVALS} "
    f"GROUP BY first ORDER BY again DESC, segments DESC LIMIT {MOST}) AS found ORDER BY found.again DESC, network"
)
LABEL = (
    "SELECT toString(minute.kind) AS label FROM anomalies_1m AS minute "
    f"WHERE {minutes('minute')} AND {sensor('minute')} AND NOT startsWith(minute.kind, 'reset_') "
    "GROUP BY label ORDER BY sum(minute.segments) DESC"
)
CONVERSATION = (
    f"SELECT {key('worst')} AS value, concat({text('worst.client')}, ':', toString(worst.client_port), ' to ', "
    f"{text('worst.server')}, ':', toString(worst.server_port)) AS text FROM (SELECT minute.session AS session, "
    "minute.stream AS stream, any(minute.client) AS client, any(minute.client_port) AS client_port, "
    "any(minute.server) AS server, any(minute.server_port) AS server_port, "
    f"{both('minute', *RETRANSMISSIONS)} AS again, {both('minute', 'zero_window_time')} AS window_closed, "
    f"{both('minute', 'resets')} AS resets FROM intervals AS minute WHERE {minutes('minute')} AND {places('minute')} "
    f"GROUP BY session, stream {_WORST_FIRST} LIMIT {MOST}) AS worst {_WORST_FIRST}"
)
