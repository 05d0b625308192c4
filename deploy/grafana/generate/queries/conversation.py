"""Everything about one conversation: its sum, its picture, and every anomaly with its numbers.

The chosen conversation is looked for in the minutes of the range, which the primary key of ``intervals`` finds; what is
found there (beginning, addresses) leads through the primary keys of the other tables.
"""

from typing import Final

from deploy.grafana.generate.queries.conditions import conversation, minutes, seconds
from deploy.grafana.generate.queries.expressions import RETRANSMISSIONS

MOST_POINTS: Final = 20_000
"""Segments in a picture, at most."""
_MINUTES = f"FROM intervals AS minute WHERE {minutes('minute')} AND {conversation('minute')}"
_OPENED = f"(SELECT toDateTime(min(minute.opened), 'UTC') {_MINUTES})"
_ANOMALIES = f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {conversation('anomaly')}"

SUMMARY = (
    "SELECT flow.opened AS opened, flow.client AS client, flow.client_port AS client_port, flow.server AS server, "
    "toString(flow.server_port) AS port, flow.close_reason AS ended, toString(flow.closer) AS ended_by, "
    "flow.seconds AS seconds, flow.initial_rtt_ms AS handshake, flow.client_rtt_ms AS client_rtt, "
    "flow.server_rtt_ms AS server_rtt, flow.segments AS segments, flow.payload_bytes AS payload, "
    "flow.retransmissions AS retransmissions, flow.retransmission_percent AS retransmission_percent, "
    "flow.duplicate_acks AS duplicate_acks, flow.out_of_order AS out_of_order, flow.lost_segments AS lost_segments, "
    "flow.zero_window_ms / 1000 AS window_closed, flow.resets AS resets, flow.sensor AS sensor, "
    "flow.community_id AS community_id, arrayStringConcat(flow.quality_names, ', ') AS quality "
    f"FROM connections AS flow WHERE flow.time = {_OPENED} AND {conversation('flow')}"
)

_ENDS = (
    "SELECT cityHash64(least((minute.client, minute.client_port), (minute.server, minute.server_port)), "
    "greatest((minute.client, minute.client_port), (minute.server, minute.server_port))) "
    f"{_MINUTES} LIMIT 1"
)
_OPENER = f"SELECT (minute.client, minute.client_port) {_MINUTES} LIMIT 1"
_STORED = (
    "SELECT segment.ts AS ts, segment.frame AS frame, "
    f"toUInt8(ifNull((segment.src, segment.sport) = ({_OPENER}), 0)) AS from_client, "
    "segment.seq AS seq, segment.ack AS ack, segment.payload_len AS bytes, "
    "toUInt32(0) AS labels, segment.flags AS flags "
    f"FROM segments AS segment WHERE {seconds('segment')} "
    f"AND segment.session = toUUIDOrZero(splitByChar('/', ${{conversation:singlequote}})[1]) "
    f"AND segment.conversation = ({_ENDS})"
)
_LABELLED = (
    "SELECT anomaly.ts AS ts, anomaly.frame AS frame, toUInt8(anomaly.from_client) AS from_client, "
    "anomaly.seq_raw AS seq, anomaly.ack_raw AS ack, anomaly.payload_len AS bytes, "
    "anomaly.labels AS labels, anomaly.flags AS flags "
    f"{_ANOMALIES}"
)
_POINTS = (
    "SELECT min(seen.ts) AS ts, seen.frame AS frame, any(seen.from_client) AS from_client, any(seen.seq) AS seq, "
    "any(seen.ack) AS ack, any(seen.bytes) AS bytes, max(seen.labels) AS labels, any(seen.flags) AS flags "
    f"FROM ({_STORED} UNION ALL {_LABELLED}) AS seen GROUP BY seen.frame"
)
"""Each segment once: those with labels are there always, the others where segments are kept."""
_REPEATED = " OR ".join(f"has(names, '{name}')" for name in RETRANSMISSIONS)
_NAMES = (
    "arrayMap(bit -> ['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', "
    "'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window'][bit + 1], "
    "arrayFilter(bit -> bit < 8, bitPositionsToArray(point.labels)))"
)


def picture(sender: int) -> str:
    """Return the query for the time-sequence picture of a side: 1 the client, 0 the server.

    Positions are bytes since the first one that the side sent, as far as it was seen. Each column is a series, NULL
    where a segment does not belong to it.
    """
    sent = f"point.from_client = {sender} AND (point.bytes > 0 OR bitAnd(point.flags, 3) != 0)"
    answered = f"point.from_client = {1 - sender} AND bitAnd(point.flags, 16) != 0"
    first = f"argMinIf(point.seq, (point.ts, point.frame), point.from_client = {sender}) OVER ()"
    position = (
        f"reinterpretAsInt32(toUInt32(if(point.from_client = {sender}, point.seq + point.bytes, point.ack) - {first}))"
    )
    points = (
        f"SELECT (toUnixTimestamp64Nano(point.ts) - min(toUnixTimestamp64Nano(point.ts)) OVER ()) / 1e9 AS seconds, "
        f"point.frame AS frame, {position} AS position, {_NAMES} AS names, {sent} AS is_sent, {answered} AS is_answer "
        f"FROM ({_POINTS}) AS point"
    )
    series = {
        "sent": f"is_sent AND NOT ({_REPEATED} OR has(names, 'out_of_order'))",
        "acknowledged": "is_answer AND NOT (has(names, 'duplicate_ack') OR has(names, 'zero_window'))",
        "sent_again": f"is_sent AND ({_REPEATED})",
        "out_of_order": "is_sent AND has(names, 'out_of_order')",
        "after_a_gap": "is_sent AND has(names, 'lost_segment')",
        "duplicate_ack": "is_answer AND has(names, 'duplicate_ack')",
        "window_closed": "is_answer AND has(names, 'zero_window')",
    }
    columns = ", ".join(f"if({condition}, position, NULL) AS {name}" for name, condition in series.items())
    return (
        f"SELECT seconds, frame, {columns} FROM ({points}) AS picture WHERE is_sent OR is_answer "
        f"ORDER BY seconds, frame LIMIT {MOST_POINTS}"
    )


OVER_TIME = (
    "SELECT $__timeInterval(minute.time) AS time, sum(minute.client_payload_bytes) AS client, "
    f"sum(minute.server_payload_bytes) AS server {_MINUTES} GROUP BY time ORDER BY time"
)
WINDOWS = (
    "SELECT anomaly.ts AS time, maxOrNullIf(anomaly.window, anomaly.from_client) AS `window of the client`, "
    "maxOrNullIf(anomaly.window, NOT anomaly.from_client) AS `window of the server`, "
    f"nullIf(max(anomaly.bytes_in_flight), 0) AS `in flight` {_ANOMALIES} "
    f"GROUP BY time ORDER BY time LIMIT {MOST_POINTS}"
)
LABELS = (
    "SELECT arrayJoin(arrayConcat(anomaly.label_names, if(anomaly.reset = '', [], "
    "[concat('reset: ', toString(anomaly.reset))]))) AS label, countIf(anomaly.from_client) AS client, "
    f"countIf(NOT anomaly.from_client) AS server {_ANOMALIES} GROUP BY label ORDER BY client + server DESC, label"
)
VERDICTS = (
    "SELECT verdict.ts AS time, verdict.frame AS frame, if(verdict.from_client, 'client', 'server') AS sender, "
    "verdict.cause AS cause, verdict.needed AS needed, verdict.place AS place, verdict.stage AS stage, "
    "verdict.stalled_ms AS stalled, verdict.bytes_again AS bytes_again, 100 * verdict.confidence AS confidence, "
    "verdict.original_frame AS original_frame, verdict.silence_ms AS silence, "
    "verdict.duplicate_acks AS duplicate_acks, verdict.episode AS episode, "
    "verdict.revision AS revision, verdict.amended_by AS amended_by, "
    "arrayStringConcat(verdict.proof, ', ') AS proof "
    f"FROM current_verdicts AS verdict WHERE {seconds('verdict')} AND {conversation('verdict')} "
    "ORDER BY verdict.ts, verdict.frame LIMIT 5000"
)
_HOSTS = f"SELECT arrayJoin([minute.client, minute.server]) {_MINUTES}"
_WAYS = (
    "SELECT arrayJoin([(minute.client, minute.client_port, minute.server, minute.server_port), "
    f"(minute.server, minute.server_port, minute.client, minute.client_port)]) {_MINUTES}"
)
# The view puts together less where addresses are given by themselves, which are among its keys.
HOPS = (
    f"SELECT event.ts AS time, if((event.src_ip, event.src_port) = ({_OPENER}), 'client', 'server') AS sender, "
    "event.cause AS cause, event.needed AS needed, event.hop_from AS hop_from, event.hop_to AS hop_to, "
    "event.contradicting AS contradicting, arrayStringConcat(event.sensors, ', ') AS sensors, "
    "arrayStringConcat(arrayMap(frame -> toString(frame), event.frames), ', ') AS frames, "
    "arrayStringConcat(event.causes, ', ') AS causes, arrayStringConcat(event.way, ', ') AS way "
    f"FROM network_verdicts AS event WHERE {minutes('event')} "
    f"AND event.src_ip IN ({_HOSTS}) AND event.dst_ip IN ({_HOSTS}) "
    f"AND (event.src_ip, event.src_port, event.dst_ip, event.dst_port) IN ({_WAYS}) "
    "ORDER BY event.ts LIMIT 5000"
)
ANOMALIES = (
    "SELECT anomaly.ts AS time, anomaly.frame AS frame, if(anomaly.from_client, 'client', 'server') AS sender, "
    "arrayStringConcat(anomaly.label_names, ', ') AS labels, toString(anomaly.reset) AS reset, anomaly.seq AS seq, "
    "anomaly.nxtseq AS next_seq, anomaly.ack AS ack, anomaly.payload_len AS payload, anomaly.window AS window, "
    "anomaly.bytes_in_flight AS in_flight, anomaly.rto / 1e6 AS rto, anomaly.rto_frame AS rto_frame, "
    "anomaly.ack_rtt / 1e6 AS ack_rtt, anomaly.acks_frame AS acks_frame, anomaly.dup_ack_num AS dup_ack_num, "
    "anomaly.dup_ack_frame AS dup_ack_frame, anomaly.ttl AS ttl, "
    "if(anomaly.capture_suspect, 'perhaps the capture', '') AS doubt, "
    "arrayStringConcat(anomaly.quality_names, ', ') AS quality "
    f"{_ANOMALIES} ORDER BY anomaly.ts, anomaly.frame LIMIT 5000"
)
