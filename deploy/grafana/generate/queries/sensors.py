"""Whether the figures can be trusted: what sensors say of themselves, and how far behind the store is."""

from typing import Final

from deploy.grafana.generate.queries.conditions import minutes, seconds, sensor
from deploy.grafana.generate.queries.expressions import last_segments, per_second, percent
from segwatch.vocabulary import Quality

DOUBTS: Final = (
    Quality.CAPTURE_LOSS,
    Quality.SEEN_TWICE,
    Quality.ONE_WAY,
    Quality.SUPER_SEGMENT,
    Quality.CLOCK_STEP,
    Quality.OPTIONS_CUT,
    Quality.HEADER_CUT,
)
"""What a capture may have spoilt."""
_FROM = f"FROM sensors AS word WHERE {seconds('word')} AND {sensor('word')}"
_SOURCE = "concat(toString(word.sensor), ' ', toString(word.interface))"
_COUNTERS: Final = (
    "frames", "segments", "undecoded", "kernel_drops", "interface_drops", "shed_segments", "dropped_segments"
)  # fmt: skip


def grown(counter: str) -> str:
    """Return what a counter has grown by since the word before: counters begin anew with each session."""
    before = f"lagInFrame(word.{counter}, 1, word.{counter}) OVER (PARTITION BY word.session ORDER BY word.ts)"
    return f"greatest(toInt64(word.{counter}) - toInt64({before}), 0)"


_GROWTH = (
    f"SELECT word.time AS moment, word.sensor AS sensor, {_SOURCE} AS source, "
    f"{', '.join(f'{grown(counter)} AS {counter}' for counter in _COUNTERS)} {_FROM}"
)
_LOST = "sum(step.kernel_drops + step.interface_drops)"


def _over_time(value: str, name: str) -> str:
    return (
        f"SELECT $__timeInterval(step.moment) AS time, step.source AS source, {value} AS {name} "
        f"FROM ({_GROWTH}) AS step GROUP BY time, source ORDER BY time, source"
    )


def _level_over_time(value: str, name: str) -> str:
    return (
        f"SELECT $__timeInterval(word.time) AS time, {_SOURCE} AS source, max({value}) AS {name} "
        f"{_FROM} GROUP BY time, source ORDER BY time, source"
    )


FRAMES = _over_time(per_second("sum(step.frames)"), "frames")
LOST = _over_time(percent(_LOST, f"(sum(step.frames) + {_LOST})"), "lost")
SHED = _over_time(percent("sum(step.shed_segments)", "(sum(step.segments) + sum(step.shed_segments))"), "left_out")
UNDECODED = _over_time(per_second("sum(step.undecoded)"), "undecoded")
GIVEN_UP = _over_time("max(step.dropped_segments)", "given_up")
KEEP_ONE_IN = _level_over_time("word.keep_one_in", "keep_one_in")
WAITING = _level_over_time("word.queued_batches + word.spooled_batches", "waiting")
SPOOLED = _level_over_time("word.spooled_bytes", "spooled")

_TOTALS = f"SELECT {_LOST} AS lost, sum(step.frames) AS frames FROM ({_GROWTH}) AS step"
LOST_SHARE = f"SELECT {percent('sums.lost', '(sums.frames + sums.lost)')} AS lost FROM ({_TOTALS}) AS sums"
SENSORS = f"SELECT uniqExact(word.sensor) AS sensors {_FROM}"
SILENT = (
    "SELECT max(toInt64(toUnixTimestamp($__toTime)) - toInt64(last.word)) AS silent FROM "
    f"(SELECT toUnixTimestamp(max(word.time)) AS word {_FROM} GROUP BY word.sensor) AS last"
)
LAST_WORDS = (
    f"SELECT toString(word.sensor) AS sensor, toString(word.interface) AS interface, "
    "toString(argMax(word.host, word.ts)) AS host, toString(argMax(word.state, word.ts)) AS state, "
    "argMax(word.problem, word.ts) AS problem, toInt64(toUnixTimestamp($__toTime)) - "
    "toInt64(toUnixTimestamp(max(word.time))) AS silent, argMax(word.frames, word.ts) AS frames, "
    "argMax(word.kernel_drops + word.interface_drops, word.ts) AS lost, "
    "argMax(word.shed_segments, word.ts) AS left_out, argMax(word.keep_one_in, word.ts) AS keep_one_in, "
    "argMax(word.spooled_bytes, word.ts) AS spooled, argMax(word.dropped_segments, word.ts) AS given_up, "
    "argMax(word.seen_twice, word.ts) AS seen_twice, argMax(word.one_way_conversations, word.ts) AS one_way, "
    "argMax(word.clock_steps, word.ts) AS clock_steps, toString(argMax(word.version, word.ts)) AS version "
    f"{_FROM} GROUP BY word.sensor, word.interface ORDER BY silent DESC, sensor, interface LIMIT 200"
)

_NEWEST_SEGMENTS = (
    "SELECT seen.sensor AS sensor, max(seen.moment) AS moment FROM ("
    f"SELECT word.sensor AS sensor, {last_segments('word')} AS moment {_FROM} GROUP BY word.sensor, word.session"
    ") AS seen GROUP BY sensor"
)
_NEWEST_MINUTES = (
    "SELECT minute.sensor AS sensor, toUnixTimestamp(max(minute.time)) AS moment FROM traffic_1m AS minute "
    f"WHERE {minutes('minute')} AND {sensor('minute')} GROUP BY minute.sensor"
)
BEHIND = (
    "SELECT toString(seen.sensor) AS sensor, greatest(toInt64(seen.moment) - toInt64(greatest(stored.moment, "
    "toUnixTimestamp($__fromTime))) - 60, 0) AS behind "
    f"FROM ({_NEWEST_SEGMENTS}) AS seen LEFT JOIN ({_NEWEST_MINUTES}) AS stored ON seen.sensor = stored.sensor "
    "ORDER BY behind DESC, sensor"
)
"""Seconds between the newest segments that a sensor told of and the end of the newest minute of its traffic that is
stored; from the beginning of the range where none is."""
STORED = (
    "SELECT $__timeInterval(minute.time) AS time, toString(minute.sensor) AS sensor, "
    f"{per_second('sum(minute.segments)')} AS stored FROM traffic_1m AS minute "
    f"WHERE {minutes('minute')} AND {sensor('minute')} GROUP BY time, sensor ORDER BY time, sensor"
)
_DOUBTED = f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {sensor('anomaly')}"
SUSPECT = f"SELECT {percent('countIf(anomaly.capture_suspect)', 'count()')} AS suspect {_DOUBTED}"
_COUNTED = ", ".join(
    f"('{str(doubt.name).lower()}', countIf(bitAnd(anomaly.quality, {doubt.value}) != 0))" for doubt in DOUBTS
)
DOUBTS_BY_NAME = (
    "SELECT counted.doubt.1 AS doubt, counted.doubt.2 AS segments "
    f"FROM (SELECT arrayJoin([{_COUNTED}]) AS doubt {_DOUBTED}) AS counted ORDER BY segments DESC, doubt"
)
APART = (
    "SELECT pair.sensor AS sensor, pair.other_sensor AS other_sensor, sum(pair.packets) AS packets, "
    "argMax(pair.clock_ahead_ms, pair.time) AS clock_ahead, argMax(pair.uncertain_ms, pair.time) AS uncertain, "
    "avg(pair.delay_there_ms) AS delay_there, avg(pair.delay_back_ms) AS delay_back "
    f"FROM sensor_pairs AS pair WHERE {minutes('pair')} AND {sensor('pair')} "
    "GROUP BY sensor, other_sensor ORDER BY sensor, other_sensor LIMIT 100"
)
"""Clocks of the last minute that tells of both."""
CAPTURES = (
    "SELECT capture.stored_at AS stored, toString(capture.sensor) AS sensor, capture.file_name AS file, "
    "capture.first AS first, capture.last AS last, capture.segments AS segments, "
    "capture.conversations AS conversations, capture.anomalies AS anomalies, toString(capture.state) AS state, "
    "capture.problem AS problem, toString(capture.rules) AS rules, toString(capture.version) AS version "
    f"FROM captures AS capture WHERE capture.first <= $__toTime AND capture.last >= $__fromTime "
    f"AND {sensor('capture')} ORDER BY capture.stored_at DESC LIMIT 100"
)
