"""The SQL that gives each figure of a report out of the store."""

from typing import Final

from segwatch.jobs.reasons import FEW_SEGMENTS, LARGE, POINT, POINTS_OF_RESET, SYN_ALONE, UNANSWERED_SCORE
from segwatch.scope import Scope, time_literal
from segwatch.vocabulary import Quality

_CONVERSATION: Final = "session, stream, opened, client, client_port, server, server_port"
_REPEATS: Final = " + ".join(
    f"{side}_{name}"
    for name in ("retransmission", "fast_retransmission", "spurious_retransmission")
    for side in ("client", "server")
)
_WHOLE: Final = 100 * POINT
_RESETS: Final = ", ".join(f"'{reset.name.lower()}'" for reset in POINTS_OF_RESET)
_POINTS: Final = ", ".join(str(POINT * points) for points in POINTS_OF_RESET.values())
_COUNTED_BY_SENSORS: Final = (
    "frames", "kernel_drops", "interface_drops", "shed_segments", "super_segments", "clock_steps", "seen_twice",
)  # fmt: skip
_SUMS_OF_BEATS: Final = ",\n    ".join(f"sum(counted_{name}) AS {name}" for name in _COUNTED_BY_SENSORS)
_COUNTS_OF_BEATS: Final = ",\n        ".join(
    f"max(beat.{name}) - maxIf(beat.{name}, beat.time < {{begin}}) AS counted_{name}" for name in _COUNTED_BY_SENSORS
)


def _share(part: str, whole: str) -> str:
    """Return how many thousandths of a per cent a part is, as ``segwatch.jobs.reasons`` counts them."""
    return (
        f"multiIf({part} <= 0 OR {whole} <= 0, 0, {part} >= {whole}, {_WHOLE}, {whole} < {LARGE}, "
        f"intDivOrZero({_WHOLE} * {part}, {whole}), intDivOrZero({part}, intDivOrZero({whole}, {_WHOLE})))"
    )


_SIZE: Final = f"""
SELECT
    sum(client_segments + server_segments) AS segments,
    uniqExact({_CONVERSATION}) AS conversations,
    sum(client_payload_bytes + server_payload_bytes) AS payload_bytes,
    min(first) AS earliest,
    max(last) AS latest
FROM intervals WHERE {{condition}}
"""  # noqa: S608  # made of constants; literals are quoted
_HOSTS: Final = """
SELECT uniqExact(arrayJoin([(client, ip_version), (server, ip_version)])) AS hosts FROM intervals WHERE {condition}
"""
_CAPTURES: Final = """
SELECT file_name, sensor, frames, segments, conversations, first, last, state, problem FROM captures
WHERE {sessions} ORDER BY first, session
"""
_TIMELINE: Final = f"""
SELECT
    toUnixTimestamp(toStartOfInterval(time, INTERVAL {{minutes}} MINUTE, 'UTC')) AS begin,
    sum(client_segments + server_segments) AS segments,
    sum(client_payload_bytes + server_payload_bytes) AS payload_bytes,
    sum(client_resets + server_resets) AS resets,
    sum({_REPEATS}) AS repeats,
    sum(client_lost_segment + server_lost_segment) AS lost_segments,
    sum(client_out_of_order + server_out_of_order) AS out_of_order,
    sum(client_duplicate_ack + server_duplicate_ack) AS duplicate_acks,
    sum(client_zero_window + server_zero_window) AS zero_windows
FROM intervals WHERE {{condition}} GROUP BY begin ORDER BY begin
"""  # noqa: S608  # made of constants; literals are quoted
_LABELS: Final = """
SELECT arrayJoin(label_names) AS label, count() AS segments FROM anomalies WHERE {condition}
GROUP BY label ORDER BY segments DESC, label
"""
_AGAIN: Final = """
SELECT
    sum(client_retransmitted_bytes + server_retransmitted_bytes) AS sent_again,
    sum(client_payload_bytes + server_payload_bytes) AS payload_bytes
FROM intervals WHERE {condition}
"""
_WINDOWS: Final = f"""
SELECT
    countIf(zero_windows > 0 OR client_closed > 0 OR server_closed > 0) AS conversations,
    sum(client_closed) / 1e9 AS client_seconds,
    sum(server_closed) / 1e9 AS server_seconds
FROM (
    SELECT
        sum(client_zero_window + server_zero_window) AS zero_windows,
        sum(client_zero_window_time) AS client_closed,
        sum(server_zero_window_time) AS server_closed
    FROM intervals WHERE {{condition}} GROUP BY {_CONVERSATION}
)
"""  # noqa: S608  # made of constants; literals are quoted
_WORST: Final = f"""
SELECT
    any(client_address) AS client_name, client_port, any(server_address) AS server_name, server_port,
    sum(client_segments + server_segments) AS segments,
    sum(client_payload_bytes + server_payload_bytes) AS payload,
    sum(client_retransmitted_bytes + server_retransmitted_bytes) AS again,
    sum(client_data_segments + server_data_segments) AS data_segments,
    sum(client_lost_segment + server_lost_segment) AS gaps,
    greatest(sum(client_zero_window_time), sum(server_zero_window_time)) AS closed,
    toUnixTimestamp64Nano(max(last)) - toUnixTimestamp64Nano(opened) AS lasted,
    toString(argMaxIf(reset, last, reset != '')) AS ended,
    {_share("again", "payload")} AS again_points,
    {_share("gaps", "segments")} AS gap_points,
    intDiv((again_points + gap_points) * least(data_segments, {FEW_SEGMENTS}), {FEW_SEGMENTS})
        + {_share("closed", "lasted")}
        + transform(ended, [{_RESETS}], [{_POINTS}], 0)
        + if(argMax(completeness, last) = {SYN_ALONE}, {UNANSWERED_SCORE}, 0) AS points
FROM intervals WHERE {{condition}}
GROUP BY {_CONVERSATION}
HAVING points > 0 ORDER BY points DESC, session, stream, opened LIMIT 10
"""  # noqa: S608  # made of constants; literals are quoted
_UNANSWERED: Final = f"""
SELECT countIf(shown = {SYN_ALONE}) AS unanswered
FROM (SELECT argMax(completeness, last) AS shown FROM intervals WHERE {{condition}} GROUP BY {_CONVERSATION})
"""  # noqa: S608  # made of constants; literals are quoted
_RESET_CLASSES: Final = """
SELECT reset, count() AS segments, uniqExact(session, stream) AS conversations FROM anomalies
WHERE {condition} AND reset != '' GROUP BY reset ORDER BY segments DESC, toInt8(reset)
"""
_ROUND_TRIPS: Final = """
SELECT
    sum(client_rtt_count) AS client_samples,
    intDivOrZero(sum(client_rtt_sum), client_samples) / 1e6 AS client_average_ms,
    sum(server_rtt_count) AS server_samples,
    intDivOrZero(sum(server_rtt_sum), server_samples) / 1e6 AS server_average_ms,
    minIf(client_rtt_min, client_rtt_count > 0) / 1e6 AS client_min_ms, max(client_rtt_max) / 1e6 AS client_max_ms,
    minIf(server_rtt_min, server_rtt_count > 0) / 1e6 AS server_min_ms, max(server_rtt_max) / 1e6 AS server_max_ms
FROM intervals WHERE {condition}
"""
_HANDSHAKES: Final = f"""
SELECT
    length(times) AS conversations, times[1] / 1e6 AS min_ms, times[-1] / 1e6 AS max_ms,
    arrayMap(share -> times[intDiv(share * conversations + 99, 100)] / 1e6, [50, 90, 99]) AS p50_p90_p99_ms
FROM (
    SELECT arraySort(groupArray(took)) AS times
    FROM (
        SELECT anyIf(initial_rtt, initial_rtt != 0) AS took FROM intervals WHERE {{condition}} GROUP BY {_CONVERSATION}
    )
    WHERE took > 0
)
"""  # noqa: S608  # made of constants; literals are quoted
_LABELLED: Final = """
SELECT time_relative / 1e9 AS seconds, frame, from_client, label_names, reset, seq, ack, payload_len, window
FROM anomalies WHERE {condition} ORDER BY frame
"""
_MINUTES: Final = "SELECT * EXCEPT stored FROM intervals WHERE {condition} ORDER BY time"
_SEGMENTS: Final = """
SELECT ts, frame, src_address, sport, dst_address, dport, seq, ack, flags, payload_len, window
FROM segments WHERE {unnumbered} AND {ends} ORDER BY frame
"""
_ESTIMATES: Final = """
SELECT
    max(minute.keep_one_in) AS keep_one_in, sum(minute.segments) AS segments,
    sum(minute.estimated_segments) AS estimated_segments,
    sum(minute.estimated_payload_bytes) AS estimated_payload_bytes
FROM traffic_1m AS minute WHERE {condition}
"""
_BEATS: Final = f"""
SELECT
    sensor, uniqExact(session) AS sessions, countIf(begun >= {{begin}}) AS begun_sessions,
    {_SUMS_OF_BEATS},
    max(given_up) AS dropped_segments, max(share) AS keep_one_in, max(heard) AS last_heard,
    arrayStringConcat(arraySort(groupUniqArrayIf(problem, problem != '')), '; ') AS problems
FROM (
    SELECT
        sensor, session, min(beat.time) AS begun, max(beat.time) AS heard, argMax(beat.problem, beat.ts) AS problem,
        maxIf(beat.keep_one_in, beat.time >= {{begin}}) AS share,
        max(beat.dropped_segments) - maxIf(beat.dropped_segments, beat.time < {{begin}}) AS given_up,
        {_COUNTS_OF_BEATS}
    FROM sensors AS beat
    WHERE beat.time < {{end}} AND session IN (SELECT session FROM sensors WHERE {{condition}})
    GROUP BY sensor, session
)
GROUP BY sensor ORDER BY sensor
"""  # noqa: S608  # made of constants; literals are quoted
_BY_SENSOR: Final = f"""
SELECT
    sensor, uniqExact(session) AS sessions, sum(client_segments + server_segments) AS segments,
    uniqExact(session, stream, opened) AS conversations,
    uniqExactIf((session, stream, opened), bitAnd(quality, {int(Quality.CAPTURE_LOSS)}) != 0) AS with_capture_loss
FROM intervals WHERE {{condition}} GROUP BY sensor ORDER BY sensor
"""  # noqa: S608  # made of constants; literals are quoted
_SUSPECT: Final = """
SELECT sensor, countIf(capture_suspect) AS suspect_labels FROM anomalies WHERE {condition}
GROUP BY sensor ORDER BY sensor
"""
_MARKS: Final = """
SELECT arrayJoin(quality_names) AS mark, uniqExact(session, stream, opened) AS conversations FROM intervals
WHERE {condition} GROUP BY mark ORDER BY mark
"""
_QUERIES: Final = {
    "size": (_SIZE, _HOSTS),
    "captures": (_CAPTURES,),
    "timeline": (_TIMELINE,),
    "labels": (_LABELS, _AGAIN),
    "windows": (_WINDOWS,),
    "conversations": (_WORST,),
    "unanswered": (_UNANSWERED,),
    "resets": (_RESET_CLASSES,),
    "round_trips": (_ROUND_TRIPS, _HANDSHAKES),
    "labelled": (_LABELLED, _MINUTES),
    "segments": (_SEGMENTS,),
    "estimates": (_ESTIMATES,),
    "sensors": (_BEATS, _BY_SENSOR, _SUSPECT),
    "marks": (_MARKS,),
}
_LAST: Final = 2**63 - 1


def queries(figure: str, scope: Scope, *, minutes: int = 1, ends: str = "") -> list[str]:
    """Return the queries of a figure for what belongs to a scope.

    ``minutes``: of a bin of the timeline. ``ends``: a condition for the ends of the segments that are asked for.
    """
    values = {
        "condition": scope.condition,
        "unnumbered": scope._replace(stream=None).condition,
        "sessions": scope.sessions_condition,
        "begin": time_literal(scope.begin or 0),
        "end": time_literal(_LAST if scope.end is None else scope.end),
        "minutes": minutes,
        "ends": ends,
    }
    return [query.format(**values).strip() for query in _QUERIES[figure]]
