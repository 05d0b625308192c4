-- The share of conversations that was kept (bits 24 to 28 of quality, the logarithm to base 2) and the doubts about the
-- capture reach every table; where conversations were shed, estimates count what was kept as often as it stands for.
-- Numbers: 520093696 are the bits of the share, 3774873599 all others.

ALTER TABLE sensors
    ADD COLUMN IF NOT EXISTS seen_twice UInt64 COMMENT 'Segments in frames that are copies of one seen just before, since the session began' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS one_way_conversations UInt64 COMMENT 'Conversations of which only one direction was seen, since the session began' CODEC(T64, LZ4),
    COMMENT COLUMN published_segments 'Segments of the whole sensor that the bus acknowledged since the session began; the sessions of its other interfaces tell the same, so never add them up',
    COMMENT COLUMN dropped_segments 'Segments of the whole sensor given up because the spool was full, since the session began; the sessions of its other interfaces tell the same, so never add them up';

ALTER TABLE anomalies
    COMMENT COLUMN quality 'How the segment was captured (bits of segwatch.vocabulary.Quality); bits 24 to 28 are the share, see keep_one_in',
    ADD COLUMN IF NOT EXISTS keep_one_in UInt32 ALIAS bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(quality, 24), 31)) COMMENT 'How many conversations stand for this one: one in so many was kept while it was captured',
    MODIFY COLUMN quality_names Array(String) ALIAS arrayMap(bit -> ['header_unreadable', 'header_cut', 'options_cut', 'offset_too_small', 'short_segment', 'fragment', 'reassembled', 'quoted_in_icmp', 'ipv6', 'timestamps', 'sack_permitted', 'fast_open', 'fast_open_cookie', 'payload_cut', 'total_length_zero', 'announced', 'proxied', 'restarted', 'capture_loss', 'super_segment', 'clock_step', 'seen_twice', 'one_way'][bit + 1], bitPositionsToArray(bitAnd(quality, 3774873599))) COMMENT 'Names of the bits of quality: how the segment was captured',
    MODIFY COLUMN capture_suspect Bool ALIAS (bitAnd(quality, 262144) != 0 AND bitAnd(labels, 56) != 0) OR (bitAnd(quality, 2097152) != 0 AND bitAnd(labels, 79) != 0) COMMENT 'Whether the capture, not the network, may be what the label speaks of: lost_segment, ack_lost_segment or out_of_order where frames were lost; retransmissions, duplicate_ack or out_of_order where the frame was seen twice';

ALTER TABLE segments
    COMMENT COLUMN quality 'How the segment was captured (bits of segwatch.vocabulary.Quality); bits 24 to 28 are the share, see keep_one_in',
    ADD COLUMN IF NOT EXISTS keep_one_in UInt32 ALIAS bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(quality, 24), 31)) COMMENT 'How many conversations stand for this one: one in so many was kept while it was captured',
    ADD COLUMN IF NOT EXISTS quality_names Array(String) ALIAS arrayMap(bit -> ['header_unreadable', 'header_cut', 'options_cut', 'offset_too_small', 'short_segment', 'fragment', 'reassembled', 'quoted_in_icmp', 'ipv6', 'timestamps', 'sack_permitted', 'fast_open', 'fast_open_cookie', 'payload_cut', 'total_length_zero', 'announced', 'proxied', 'restarted', 'capture_loss', 'super_segment', 'clock_step', 'seen_twice', 'one_way'][bit + 1], bitPositionsToArray(bitAnd(quality, 3774873599))) COMMENT 'Names of the bits of quality: how the segment was captured';

ALTER TABLE intervals
    ADD COLUMN IF NOT EXISTS client_quality UInt32 COMMENT 'Bits of quality that any segment of the client has, and the greatest share (bits 24 to 28)' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS server_quality UInt32 COMMENT 'Bits of quality that any segment of the server has, and the greatest share (bits 24 to 28)' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS quality UInt32 ALIAS bitOr(bitAnd(bitOr(client_quality, server_quality), 3774873599), greatest(bitAnd(client_quality, 520093696), bitAnd(server_quality, 520093696))) COMMENT 'The same of both sides together',
    ADD COLUMN IF NOT EXISTS keep_one_in UInt32 ALIAS greatest(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(client_quality, 24), 31)), bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(server_quality, 24), 31))) COMMENT 'How many conversations stand for this one, at most: one in so many was kept',
    ADD COLUMN IF NOT EXISTS quality_names Array(String) ALIAS arrayMap(bit -> ['header_unreadable', 'header_cut', 'options_cut', 'offset_too_small', 'short_segment', 'fragment', 'reassembled', 'quoted_in_icmp', 'ipv6', 'timestamps', 'sack_permitted', 'fast_open', 'fast_open_cookie', 'payload_cut', 'total_length_zero', 'announced', 'proxied', 'restarted', 'capture_loss', 'super_segment', 'clock_step', 'seen_twice', 'one_way'][bit + 1], bitPositionsToArray(bitAnd(bitOr(client_quality, server_quality), 3774873599))) COMMENT 'Names of the bits of quality';

ALTER TABLE flows
    ADD COLUMN IF NOT EXISTS quality SimpleAggregateFunction(groupBitOr, UInt32) COMMENT 'Bits of quality that any segment has; the share is in keep_one_in',
    ADD COLUMN IF NOT EXISTS keep_one_in SimpleAggregateFunction(max, UInt32) DEFAULT 1 COMMENT 'How many conversations stand for this one, at most: one in so many was kept',
    ADD COLUMN IF NOT EXISTS quality_names Array(String) ALIAS arrayMap(bit -> ['header_unreadable', 'header_cut', 'options_cut', 'offset_too_small', 'short_segment', 'fragment', 'reassembled', 'quoted_in_icmp', 'ipv6', 'timestamps', 'sack_permitted', 'fast_open', 'fast_open_cookie', 'payload_cut', 'total_length_zero', 'announced', 'proxied', 'restarted', 'capture_loss', 'super_segment', 'clock_step', 'seen_twice', 'one_way'][bit + 1], bitPositionsToArray(bitAnd(quality, 3774873599))) COMMENT 'Names of the bits of quality';

ALTER TABLE intervals_to_flows MODIFY QUERY
SELECT
    sensor,
    session,
    stored,
    toDateTime(intDiv(least(greatest(toUnixTimestamp64Nano(opened), 0), 4294967295000000000), 1000000000), 'UTC') AS time,
    stream,
    opened,
    client,
    client_port,
    server,
    server_port,
    ip_version,
    first,
    last,
    initial_rtt,
    completeness,
    if(reset = '', 0, bitShiftLeft(toUInt16(1), toInt8(reset))) AS resets_seen,
    toInt8(closer) AS closer,
    client_segments,
    client_data_segments,
    client_payload_bytes,
    client_retransmitted_bytes,
    client_resets,
    client_syns,
    client_fins,
    client_zero_window_time,
    client_rtt_sum,
    if(client_rtt_count = 0, 9223372036854775807, client_rtt_min) AS client_rtt_min,
    client_rtt_max,
    client_rtt_count,
    client_retransmission,
    client_fast_retransmission,
    client_spurious_retransmission,
    client_out_of_order,
    client_lost_segment,
    client_ack_lost_segment,
    client_duplicate_ack,
    client_zero_window,
    client_zero_window_probe,
    client_zero_window_probe_ack,
    client_window_full,
    client_window_update,
    client_keep_alive,
    client_keep_alive_ack,
    client_reused_ports,
    server_segments,
    server_data_segments,
    server_payload_bytes,
    server_retransmitted_bytes,
    server_resets,
    server_syns,
    server_fins,
    server_zero_window_time,
    server_rtt_sum,
    if(server_rtt_count = 0, 9223372036854775807, server_rtt_min) AS server_rtt_min,
    server_rtt_max,
    server_rtt_count,
    server_retransmission,
    server_fast_retransmission,
    server_spurious_retransmission,
    server_out_of_order,
    server_lost_segment,
    server_ack_lost_segment,
    server_duplicate_ack,
    server_zero_window,
    server_zero_window_probe,
    server_zero_window_probe_ack,
    server_window_full,
    server_window_update,
    server_keep_alive,
    server_keep_alive_ack,
    server_reused_ports,
    bitAnd(bitOr(client_quality, server_quality), 3774873599) AS quality,
    greatest(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(client_quality, 24), 31)), bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(server_quality, 24), 31))) AS keep_one_in
FROM intervals;

ALTER TABLE traffic_1m
    ADD COLUMN IF NOT EXISTS keep_one_in SimpleAggregateFunction(max, UInt32) DEFAULT 1 COMMENT 'How many conversations stand for one, at most: one in so many was kept',
    ADD COLUMN IF NOT EXISTS estimated_segments SimpleAggregateFunction(sum, UInt64) DEFAULT segments COMMENT 'Segments, those of conversations that were shed too, as far as the kept ones tell',
    ADD COLUMN IF NOT EXISTS estimated_payload_bytes SimpleAggregateFunction(sum, UInt64) DEFAULT payload_bytes COMMENT 'Payload bytes, those of conversations that were shed too, as far as the kept ones tell';

ALTER TABLE intervals_to_traffic_1m MODIFY QUERY
SELECT
    sensor,
    session,
    stored,
    time,
    server_port,
    uniqState(stream) AS conversations,
    sum(client_segments + server_segments) AS segments,
    sum(client_data_segments + server_data_segments) AS data_segments,
    sum(client_payload_bytes + server_payload_bytes) AS payload_bytes,
    sum(client_retransmitted_bytes + server_retransmitted_bytes) AS retransmitted_bytes,
    sum(client_resets + server_resets) AS resets,
    sum(client_syns + server_syns) AS syns,
    sum(client_fins + server_fins) AS fins,
    sum(client_zero_window_time + server_zero_window_time) AS zero_window_time,
    sum(interval.client_rtt_sum) AS client_rtt_sum,
    min(if(interval.client_rtt_count = 0, 9223372036854775807, interval.client_rtt_min)) AS client_rtt_min,
    max(interval.client_rtt_max) AS client_rtt_max,
    sum(interval.client_rtt_count) AS client_rtt_count,
    sum(interval.server_rtt_sum) AS server_rtt_sum,
    min(if(interval.server_rtt_count = 0, 9223372036854775807, interval.server_rtt_min)) AS server_rtt_min,
    max(interval.server_rtt_max) AS server_rtt_max,
    sum(interval.server_rtt_count) AS server_rtt_count,
    sum(client_retransmission + server_retransmission) AS retransmission,
    sum(client_fast_retransmission + server_fast_retransmission) AS fast_retransmission,
    sum(client_spurious_retransmission + server_spurious_retransmission) AS spurious_retransmission,
    sum(client_out_of_order + server_out_of_order) AS out_of_order,
    sum(client_lost_segment + server_lost_segment) AS lost_segment,
    sum(client_ack_lost_segment + server_ack_lost_segment) AS ack_lost_segment,
    sum(client_duplicate_ack + server_duplicate_ack) AS duplicate_ack,
    sum(client_zero_window + server_zero_window) AS zero_window,
    sum(client_zero_window_probe + server_zero_window_probe) AS zero_window_probe,
    sum(client_zero_window_probe_ack + server_zero_window_probe_ack) AS zero_window_probe_ack,
    sum(client_window_full + server_window_full) AS window_full,
    sum(client_window_update + server_window_update) AS window_update,
    sum(client_keep_alive + server_keep_alive) AS keep_alive,
    sum(client_keep_alive_ack + server_keep_alive_ack) AS keep_alive_ack,
    sum(client_reused_ports + server_reused_ports) AS reused_ports,
    max(greatest(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(client_quality, 24), 31)), bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(server_quality, 24), 31)))) AS keep_one_in,
    sum(toUInt64(interval.client_segments) * bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(interval.client_quality, 24), 31)) + toUInt64(interval.server_segments) * bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(interval.server_quality, 24), 31))) AS estimated_segments,
    sum(toUInt64(interval.client_payload_bytes) * bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(interval.client_quality, 24), 31)) + toUInt64(interval.server_payload_bytes) * bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(interval.server_quality, 24), 31))) AS estimated_payload_bytes
FROM intervals AS interval
GROUP BY sensor, session, stored, time, server_port;

ALTER TABLE anomalies_1m
    ADD COLUMN IF NOT EXISTS estimated_segments SimpleAggregateFunction(sum, UInt64) DEFAULT segments COMMENT 'Segments of this kind, those of conversations that were shed too, as far as the kept ones tell';

ALTER TABLE anomalies_to_1m MODIFY QUERY
SELECT
    sensor,
    session,
    stored,
    toStartOfMinute(time) AS time,
    arrayJoin(arrayConcat(
        arrayMap(bit -> ['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', 'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window', 'zero_window_probe', 'zero_window_probe_ack', 'window_full', 'window_update', 'keep_alive', 'keep_alive_ack', 'reused_ports'][bit + 1], bitPositionsToArray(labels)),
        if(reset = '', [], [concat('reset_', toString(reset))])
    )) AS kind,
    count() AS segments,
    sum(payload_len) AS payload_bytes,
    uniqState(stream) AS conversations,
    sum(toUInt64(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(quality, 24), 31)))) AS estimated_segments
FROM anomalies
GROUP BY sensor, session, stored, time, kind;

CREATE OR REPLACE VIEW connections
(
    time DateTime('UTC') COMMENT 'Second in which the conversation began',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    client String COMMENT 'Address of the client',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_port UInt16 COMMENT 'Port of the server',
    close_reason String COMMENT 'How the conversation ended: the class of its reset, finished after a FIN, or open',
    closer Enum8('nobody' = 0, 'client' = 1, 'server' = 2) COMMENT 'Side that sent the first FIN or RST',
    seconds Float64 COMMENT 'Seconds from the first to the last segment',
    initial_rtt_ms Float64 COMMENT 'Milliseconds that the handshake took; 0 unknown',
    segments UInt64 COMMENT 'Segments of both sides',
    payload_bytes UInt64 COMMENT 'Payload bytes of both sides, repeats included',
    retransmissions UInt64 COMMENT 'Segments labelled retransmission, fast or spurious ones included',
    retransmission_percent Float64 COMMENT 'Retransmissions per hundred segments with payload',
    duplicate_acks UInt64 COMMENT 'Segments labelled duplicate_ack',
    out_of_order UInt64 COMMENT 'Segments labelled out_of_order',
    lost_segments UInt64 COMMENT 'Segments labelled lost_segment',
    zero_windows UInt64 COMMENT 'Segments labelled zero_window',
    zero_window_ms Float64 COMMENT 'Milliseconds in which a side had its window closed',
    resets UInt64 COMMENT 'Segments with RST',
    client_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and client, milliseconds; 0 unknown',
    server_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and server, milliseconds; 0 unknown',
    opened DateTime64(9, 'UTC') COMMENT 'Time of the first segment',
    last DateTime64(9, 'UTC') COMMENT 'Time of the last segment',
    completeness UInt8 COMMENT 'What the conversation has shown: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32',
    community_id String COMMENT 'Community ID version 1 with seed 0',
    keep_one_in UInt32 COMMENT 'How many conversations stand for this one, at most: one in so many was kept',
    quality_names Array(String) COMMENT 'Names of the bits of quality: what the capture may have spoilt'
)
AS SELECT
    flow.time AS time,
    flow.sensor AS sensor,
    flow.session AS session,
    flow.stream AS stream,
    flow.client_address AS client,
    flow.client_port AS client_port,
    flow.server_address AS server,
    flow.server_port AS server_port,
    flow.close_reason AS close_reason,
    CAST(flow.closer, 'Enum8(''nobody'' = 0, ''client'' = 1, ''server'' = 2)') AS closer,
    (toUnixTimestamp64Nano(flow.last) - toUnixTimestamp64Nano(flow.first)) / 1e9 AS seconds,
    flow.initial_rtt / 1e6 AS initial_rtt_ms,
    flow.client_segments + flow.server_segments AS segments,
    flow.client_payload_bytes + flow.server_payload_bytes AS payload_bytes,
    flow.client_retransmission + flow.server_retransmission + flow.client_fast_retransmission + flow.server_fast_retransmission + flow.client_spurious_retransmission + flow.server_spurious_retransmission AS retransmissions,
    if(flow.client_data_segments + flow.server_data_segments = 0, 0, 100 * (flow.client_retransmission + flow.server_retransmission + flow.client_fast_retransmission + flow.server_fast_retransmission + flow.client_spurious_retransmission + flow.server_spurious_retransmission) / (flow.client_data_segments + flow.server_data_segments)) AS retransmission_percent,
    flow.client_duplicate_ack + flow.server_duplicate_ack AS duplicate_acks,
    flow.client_out_of_order + flow.server_out_of_order AS out_of_order,
    flow.client_lost_segment + flow.server_lost_segment AS lost_segments,
    flow.client_zero_window + flow.server_zero_window AS zero_windows,
    (flow.client_zero_window_time + flow.server_zero_window_time) / 1e6 AS zero_window_ms,
    flow.client_resets + flow.server_resets AS resets,
    if(flow.client_rtt_count = 0, 0, flow.client_rtt_sum / flow.client_rtt_count / 1e6) AS client_rtt_ms,
    if(flow.server_rtt_count = 0, 0, flow.server_rtt_sum / flow.server_rtt_count / 1e6) AS server_rtt_ms,
    flow.opened AS opened,
    flow.last AS last,
    flow.completeness AS completeness,
    flow.community_id AS community_id,
    flow.keep_one_in AS keep_one_in,
    flow.quality_names AS quality_names
FROM flows AS flow FINAL
COMMENT 'One row for each conversation, for people: flows with addresses as text and with rates';

CREATE VIEW IF NOT EXISTS traffic
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    server_port UInt16 COMMENT 'Port of the server',
    keep_one_in UInt32 COMMENT 'How many conversations stand for one, at most: one in so many was kept',
    conversations UInt64 COMMENT 'Conversations that sent in this minute, as captured',
    segments UInt64 COMMENT 'Segments of both sides, as captured',
    payload_bytes UInt64 COMMENT 'Payload bytes of both sides, as captured',
    estimated_conversations UInt64 COMMENT 'Conversations, those that were shed too: too many in a minute in which the share changed',
    estimated_segments UInt64 COMMENT 'Segments, those of conversations that were shed too',
    estimated_payload_bytes UInt64 COMMENT 'Payload bytes, those of conversations that were shed too',
    retransmission_percent Float64 COMMENT 'Retransmissions, fast or spurious ones included, per hundred segments with payload'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.server_port AS server_port,
    max(minute.keep_one_in) AS keep_one_in,
    uniqMerge(minute.conversations) AS conversations,
    sum(minute.segments) AS segments,
    sum(minute.payload_bytes) AS payload_bytes,
    uniqMerge(minute.conversations) * max(minute.keep_one_in) AS estimated_conversations,
    sum(minute.estimated_segments) AS estimated_segments,
    sum(minute.estimated_payload_bytes) AS estimated_payload_bytes,
    if(sum(minute.data_segments) = 0, 0, 100 * sum(minute.retransmission + minute.fast_retransmission + minute.spurious_retransmission) / sum(minute.data_segments)) AS retransmission_percent
FROM traffic_1m AS minute
GROUP BY time, sensor, session, server_port
COMMENT 'Traffic by minute and server port, for people: as captured, and estimates of what was on the network while conversations were shed'
