-- Verdicts beside the labels. A verdict that later segments contradict is amended by a row with the same sort key and
-- the next revision, which may come in another block, on another day, after whatever was read in between: so rows are
-- replaced when parts are merged, views read them by FINAL, and no materialized view adds them up, as a sum could not
-- take the revision before back. The sort key is what all revisions of a verdict
-- have in common, and says which conversation by its number: so all have the same addresses and lie on one shard, and
-- FINAL, which reads the key of every row, has no addresses to read and compare.

ALTER TABLE captures ADD COLUMN IF NOT EXISTS verdicts UInt64 COMMENT 'Rows stored in verdicts, amendments counted' AFTER intervals;

CREATE TABLE IF NOT EXISTS verdicts
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time of the frame that is judged',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time in whole seconds, for dashboards and time filters',
    frame UInt64 CODEC(T64, LZ4) COMMENT 'Number of the frame that is judged in its capture session, from 1; of a capture_loss the one that shows it first',
    stream Int32 CODEC(T64, LZ4) COMMENT 'Number of the conversation in its session (tcp.stream)',
    client IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the side that opened the conversation; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 CODEC(T64, LZ4) COMMENT 'Port of the client',
    server IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the side that was asked; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 CODEC(T64, LZ4) COMMENT 'Port of the server',
    ip_version UInt8 CODEC(T64, LZ4) COMMENT '4 or 6',
    from_client Bool COMMENT 'Whether the client sent what is judged (of a capture_loss: what is missing)',
    seq_raw UInt32 CODEC(T64, LZ4) COMMENT 'Sequence number in the header (of a capture_loss: of what is missing)',
    payload_len UInt32 CODEC(T64, LZ4) COMMENT 'Payload bytes, as the headers say (of a capture_loss: bytes missed)',
    ttl UInt8 CODEC(T64, LZ4) COMMENT 'Time to live or hop limit of the frame that is judged; 0 of a capture_loss',
    ip_id UInt16 CODEC(T64, LZ4) COMMENT 'Its IPv4 identification; 0 for IPv6, and of a capture_loss',
    tsval UInt32 CODEC(T64, LZ4) COMMENT 'Its timestamp value; 0 without one, and of a capture_loss',
    cause Enum8('unknown' = 0, 'rto' = 1, 'fast_retransmit' = 2, 'recovery' = 3, 'tail_loss_probe' = 4, 'syn_retry' = 5, 'zero_window_probe' = 6, 'keep_alive' = 7, 'reordering' = 8, 'network_duplicate' = 9, 'capture_duplicate' = 10, 'capture_loss' = 11, 'window_closed' = 12, 'application_idle' = 13, 'reset' = 14, 'injected_reset' = 15) COMMENT 'Why the segment is there',
    needed Enum8('unknown' = 0, 'needed' = 1, 'spurious' = 2) COMMENT 'Whether the receiver lacked what was sent again',
    place Enum8('unknown' = 0, 'before_sensor' = 1, 'after_sensor' = 2) COMMENT 'Where the last copy before a needed repeat was lost, seen from the sensor',
    stage Enum8('' = 0, 'post_syn' = 1, 'post_ack' = 2, 'post_psh' = 3, 'later' = 4) COMMENT 'Of a reset: how far the client had come; empty where the beginning was not seen',
    confidence Float32 CODEC(ZSTD(1)) COMMENT 'How often verdicts that rest on the same kind of proof are right, 0 to 1',
    revision UInt16 CODEC(T64, LZ4) COMMENT '0 for the first verdict; each amendment is a row with the next one, and the highest one holds',
    amended_by UInt64 CODEC(T64, LZ4) COMMENT 'Frame that contradicted the revision before; 0 for the first',
    episode UInt32 CODEC(T64, LZ4) COMMENT 'Number of the loss episode in its direction, from 1; 0 for what belongs to none',
    stalled Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds that delivery stood still until this segment came; no span is counted twice',
    bytes_again UInt32 CODEC(T64, LZ4) COMMENT 'Payload bytes that had been sent before',
    proof UInt32 CODEC(T64, LZ4) COMMENT 'What the verdict rests on, one bit each; see proof_names',
    original_frame UInt64 CODEC(T64, LZ4) COMMENT 'Frame of the earlier copy; 0 if none passed',
    since_original Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds since the earlier copy; without one, since what came behind the hole',
    duplicate_acks UInt32 CODEC(T64, LZ4) COMMENT 'Duplicate ACKs since the last advance',
    sacked_above UInt32 CODEC(T64, LZ4) COMMENT 'Bytes acknowledged selectively above it',
    silence Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds since the sender sent, or may have heard, anything; below 0 where its own clock puts that after this segment',
    round_trip Int64 CODEC(T64, LZ4) COMMENT 'Smoothed round trip of the sender, nanoseconds; 0 unknown',
    timeout Int64 CODEC(T64, LZ4) COMMENT 'Retransmission timeout of the sender without backoff, nanoseconds; 0 unknown',
    ip_id_step Int32 CODEC(T64, LZ4) COMMENT 'How much further the IPv4 identification is than that of the earlier copy, or of what came behind the hole',
    tsval_step Int32 CODEC(T64, LZ4) COMMENT 'The same of the timestamp value',
    ttl_step Int16 CODEC(T64, LZ4) COMMENT 'Of a reset: how much its TTL is more than that of what its sender sent last',
    sequence_step Int32 CODEC(T64, LZ4) COMMENT 'Of a reset: how far its number is above the next one of its sender',
    proof_names Array(String) ALIAS arrayMap(bit -> ['original_seen', 'hole_seen', 'sent_later', 'sent_earlier', 'same_packet', 'silence', 'ack_clocked', 'loss_reported', 'acked_before', 'acked_early', 'eifel', 'dsack', 'late_original', 'next_interval', 'id_missing', 'echoed', 'acked_beyond', 'hops_differ', 'id_differs', 'off_sequence', 'habit', 'answered_again'][bit + 1], bitPositionsToArray(proof)) COMMENT 'Names of the bits of proof',
    client_address String ALIAS replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the client as text, IPv4 in dotted form',
    server_address String ALIAS replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the server as text, IPv4 in dotted form',
    src_address String ALIAS if(from_client, replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1'), replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1')) COMMENT 'Address of who sent what is judged, as text',
    dst_address String ALIAS if(from_client, replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1'), replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1')) COMMENT 'Address of who should have got it, as text',
    src_port UInt16 ALIAS if(from_client, client_port, server_port) COMMENT 'Port of who sent it',
    dst_port UInt16 ALIAS if(from_client, server_port, client_port) COMMENT 'Port of who should have got it',
    community_id String ALIAS concat('1:', base64Encode(SHA1(concat(unhex('0000'), if((client, client_port) <= (server, server_port), concat(if(startsWith(reinterpretAsFixedString(client), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(client), 13), toString(reinterpretAsFixedString(client))), if(startsWith(reinterpretAsFixedString(server), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(server), 13), toString(reinterpretAsFixedString(server)))), concat(if(startsWith(reinterpretAsFixedString(server), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(server), 13), toString(reinterpretAsFixedString(server))), if(startsWith(reinterpretAsFixedString(client), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(client), 13), toString(reinterpretAsFixedString(client))))), unhex('0600'), if((client, client_port) <= (server, server_port), concat(reverse(reinterpretAsFixedString(client_port)), reverse(reinterpretAsFixedString(server_port))), concat(reverse(reinterpretAsFixedString(server_port)), reverse(reinterpretAsFixedString(client_port)))))))) COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY stored
PRIMARY KEY (toStartOfHour(time), sensor, session, frame)
ORDER BY (toStartOfHour(time), sensor, session, frame, stream, from_client, seq_raw)
TTL stored + INTERVAL 90 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'One row for each verdict and each amendment of one, until these are merged; current_verdicts has the last revisions alone';

-- What is asked of minutes says nothing of hours to the sort key.
ALTER TABLE verdicts ADD INDEX IF NOT EXISTS time_range time TYPE minmax GRANULARITY 1;

CREATE VIEW IF NOT EXISTS current_verdicts
(
    time DateTime('UTC') COMMENT 'Capture time of the frame in whole seconds',
    ts DateTime64(9, 'UTC') COMMENT 'Capture time of the frame',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    frame UInt64 COMMENT 'Number of the frame that is judged, from 1; of a capture_loss the one that shows it first',
    cause String COMMENT 'Why the segment is there',
    needed String COMMENT 'Whether the receiver lacked what was sent again: needed, spurious or unknown',
    place String COMMENT 'Where the last copy before a needed repeat was lost: before_sensor, after_sensor or unknown',
    stage String COMMENT 'Of a reset: how far the client had come: post_syn, post_ack, post_psh (its first data) or later',
    confidence Float64 COMMENT 'How often verdicts that rest on the same kind of proof are right, 0 to 1',
    stalled_ms Float64 COMMENT 'Milliseconds that delivery stood still until this segment came; they can be added up',
    bytes_again UInt32 COMMENT 'Payload bytes that had been sent before',
    src String COMMENT 'Address of who sent what is judged (of a capture_loss: what is missing)',
    src_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    src_port UInt16 COMMENT 'Port of who sent it',
    dst String COMMENT 'Address of who should have got it',
    dst_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    dst_port UInt16 COMMENT 'Port of who should have got it',
    from_client Bool COMMENT 'Whether the client sent it',
    server_port UInt16 COMMENT 'Port of the server of the two',
    seq_raw UInt32 COMMENT 'Sequence number in the header',
    payload_bytes UInt32 COMMENT 'Payload bytes (of a capture_loss: bytes missed)',
    ttl UInt8 COMMENT 'Time to live or hop limit of the frame; 0 of a capture_loss',
    ip_id UInt16 COMMENT 'Its IPv4 identification; 0 for IPv6, and of a capture_loss',
    tsval UInt32 COMMENT 'Its timestamp value; 0 without one, and of a capture_loss',
    episode UInt32 COMMENT 'Number of the loss episode in its direction, from 1; 0 for what belongs to none',
    revision UInt16 COMMENT 'How often the verdict was amended',
    amended_by UInt64 COMMENT 'Frame that amended it last; 0 if none did',
    proof Array(String) COMMENT 'What the verdict rests on',
    original_frame UInt64 COMMENT 'Frame of the earlier copy; 0 if none passed',
    since_original_ms Float64 COMMENT 'Milliseconds since the earlier copy; without one, since what came behind the hole',
    duplicate_acks UInt32 COMMENT 'Duplicate ACKs since the last advance',
    sacked_above UInt32 COMMENT 'Bytes acknowledged selectively above it',
    silence_ms Float64 COMMENT 'Milliseconds since the sender sent, or may have heard, anything; below 0 where its own clock puts that after this segment',
    round_trip_ms Float64 COMMENT 'Smoothed round trip of the sender, milliseconds; 0 unknown',
    timeout_ms Float64 COMMENT 'Retransmission timeout of the sender without backoff, milliseconds; 0 unknown',
    community_id String COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
AS SELECT
    verdict.time AS time,
    verdict.ts AS ts,
    verdict.sensor AS sensor,
    verdict.session AS session,
    verdict.stream AS stream,
    verdict.frame AS frame,
    toString(verdict.cause) AS cause,
    toString(verdict.needed) AS needed,
    toString(verdict.place) AS place,
    toString(verdict.stage) AS stage,
    round(toFloat64(verdict.confidence), 4) AS confidence,
    verdict.stalled / 1e6 AS stalled_ms,
    verdict.bytes_again AS bytes_again,
    verdict.src_address AS src,
    if(verdict.from_client, verdict.client, verdict.server) AS src_ip,
    verdict.src_port AS src_port,
    verdict.dst_address AS dst,
    if(verdict.from_client, verdict.server, verdict.client) AS dst_ip,
    verdict.dst_port AS dst_port,
    verdict.from_client AS from_client,
    verdict.server_port AS server_port,
    verdict.seq_raw AS seq_raw,
    verdict.payload_len AS payload_bytes,
    verdict.ttl AS ttl,
    verdict.ip_id AS ip_id,
    verdict.tsval AS tsval,
    verdict.episode AS episode,
    verdict.revision AS revision,
    verdict.amended_by AS amended_by,
    verdict.proof_names AS proof,
    verdict.original_frame AS original_frame,
    verdict.since_original / 1e6 AS since_original_ms,
    verdict.duplicate_acks AS duplicate_acks,
    verdict.sacked_above AS sacked_above,
    verdict.silence / 1e6 AS silence_ms,
    verdict.round_trip / 1e6 AS round_trip_ms,
    verdict.timeout / 1e6 AS timeout_ms,
    verdict.community_id AS community_id
FROM verdicts AS verdict FINAL
COMMENT 'The last revision of each verdict, for people: why a segment was sent again, came late or twice, was lost to the capture, had to wait or reset the connection, and what it cost';

CREATE VIEW IF NOT EXISTS verdicts_per_minute
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    cause String COMMENT 'Why the segments are there',
    needed String COMMENT 'Whether the receiver lacked what was sent again: needed, spurious or unknown',
    place String COMMENT 'Where the last copies before needed repeats were lost: before_sensor, after_sensor or unknown',
    verdicts UInt64 COMMENT 'How many there are',
    amended UInt64 COMMENT 'How many of them were amended',
    stalled_ms Float64 COMMENT 'Milliseconds that delivery stood still for them, summed over conversations',
    bytes_again UInt64 COMMENT 'Payload bytes that had been sent before',
    sum_confidence Float64 COMMENT 'Their confidences together: over several rows, the mean is sum(sum_confidence) / sum(verdicts)'
)
AS SELECT
    toStartOfMinute(verdict.time) AS time,
    verdict.sensor AS sensor,
    verdict.session AS session,
    toString(verdict.cause) AS cause,
    toString(verdict.needed) AS needed,
    toString(verdict.place) AS place,
    count() AS verdicts,
    countIf(verdict.revision > 0) AS amended,
    sum(verdict.stalled) / 1e6 AS stalled_ms,
    sum(verdict.bytes_again) AS bytes_again,
    sum(toFloat64(verdict.confidence)) AS sum_confidence
FROM verdicts AS verdict FINAL
GROUP BY time, sensor, session, cause, needed, place
COMMENT 'How often each verdict holds, and what it cost, by minute; rows of one cause and minute add up';

-- A row for each wait, as whoever asks adds up over something else: to group twice costs three times as much as once.
CREATE VIEW IF NOT EXISTS stalled_by_reason
(
    time DateTime('UTC') COMMENT 'Second in which the wait was over',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    frame UInt64 COMMENT 'Number of the frame that ended the wait, from 1',
    client String COMMENT 'Address of the client',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 COMMENT 'Port of the server',
    from_client Bool COMMENT 'Whether what waited was the client''s',
    reason String COMMENT 'handshake (a SYN sent again), timeout, recovery (repeats that acknowledgments asked for, and reordering), receiver (its window was closed) or sender (its application had nothing to send)',
    stalled_ms Float64 COMMENT 'Milliseconds that delivery stood still; no span is counted twice for one direction and reason'
)
AS SELECT
    verdict.time AS time,
    verdict.sensor AS sensor,
    verdict.session AS session,
    verdict.stream AS stream,
    verdict.frame AS frame,
    verdict.client_address AS client,
    verdict.client AS client_ip,
    verdict.client_port AS client_port,
    verdict.server_address AS server,
    verdict.server AS server_ip,
    verdict.server_port AS server_port,
    verdict.from_client AS from_client,
    multiIf(verdict.cause = 'syn_retry', 'handshake', verdict.cause = 'window_closed', 'receiver', verdict.cause = 'application_idle', 'sender', verdict.cause IN ('fast_retransmit', 'recovery', 'reordering'), 'recovery', 'timeout') AS reason,
    verdict.stalled / 1e6 AS stalled_ms
FROM verdicts AS verdict FINAL
WHERE verdict.stalled > 0
COMMENT 'What delivery stood still for, a row for each wait: the answer to why it is slow';
