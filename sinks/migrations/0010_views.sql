-- What people and dashboards ask: one rollup by host, views whose names say what they hold, functions for bits.
-- A view never groups what it need not: filters on time reach the primary key of the table below, and rows of one
-- minute that come from different blocks or sessions add up. Rates are there for each row; over several rows, divide
-- the sums. Functions belong to a server, not to a database, hence the prefix of their names. No view uses them.

-- The sort keys of these tables name time twice, as the hour in front and as the minute behind; ClickHouse 26 takes a
-- condition on time for the latter alone, and reads every hour. So each mark keeps its range of time.
ALTER TABLE intervals ADD INDEX IF NOT EXISTS time_range time TYPE minmax GRANULARITY 1;

ALTER TABLE intervals MATERIALIZE INDEX time_range;

ALTER TABLE traffic_1m ADD INDEX IF NOT EXISTS time_range time TYPE minmax GRANULARITY 1;

ALTER TABLE traffic_1m MATERIALIZE INDEX time_range;

ALTER TABLE anomalies_1m ADD INDEX IF NOT EXISTS time_range time TYPE minmax GRANULARITY 1;

ALTER TABLE anomalies_1m MATERIALIZE INDEX time_range;

-- An hour after a day of storing is over, its rows are merged into one part: then FINAL costs nothing, and the rollups are
-- as small as they can be.
ALTER TABLE flows MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE traffic_1m MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

ALTER TABLE anomalies_1m MODIFY SETTING min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1;

CREATE TABLE IF NOT EXISTS hosts_1m
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Start of the minute',
    host IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the host; IPv4 as ::ffff:a.b.c.d',
    role Enum8('client' = 1, 'server' = 2) COMMENT 'Whether the host opened the conversations or was asked',
    flow_minutes SimpleAggregateFunction(sum, UInt64) COMMENT 'Rows of intervals that are summed up here',
    sent_segments SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments that the host sent',
    sent_data_segments SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments with payload that the host sent',
    sent_payload_bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Payload bytes that the host sent, repeats included',
    sent_retransmitted_bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Payload bytes that the host sent again',
    sent_retransmissions SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled retransmission that the host sent, fast or spurious ones included',
    sent_out_of_order SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled out_of_order that the host sent',
    sent_lost_segment SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled lost_segment that the host sent',
    sent_duplicate_ack SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled duplicate_ack that the host sent',
    sent_zero_window SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled zero_window that the host sent',
    sent_resets SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments with RST that the host sent',
    received_segments SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments that were sent to the host',
    received_data_segments SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments with payload that were sent to the host',
    received_payload_bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Payload bytes that were sent to the host, repeats included',
    received_retransmitted_bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Payload bytes that were sent to the host again',
    received_retransmissions SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments labelled retransmission that were sent to the host, fast or spurious ones included',
    received_resets SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments with RST that were sent to the host',
    zero_window_time SimpleAggregateFunction(sum, Int64) COMMENT 'Nanoseconds in which the host had its window closed, counted when it sends again',
    rtt_sum SimpleAggregateFunction(sum, Int64) COMMENT 'Sum of the round trip times between sensor and host, nanoseconds',
    rtt_min SimpleAggregateFunction(min, Int64) COMMENT 'Least of these round trip times; the greatest possible number if rtt_count is 0',
    rtt_max SimpleAggregateFunction(max, Int64) COMMENT 'Greatest of these round trip times',
    rtt_count SimpleAggregateFunction(sum, UInt64) COMMENT 'Number of these round trip times',
    keep_one_in SimpleAggregateFunction(max, UInt32) DEFAULT 1 COMMENT 'How many conversations stand for one, at most: one in so many was kept',
    host_address String ALIAS if(host BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(host), 8), toString(host)) COMMENT 'Address of the host as text, IPv4 in dotted form',
    subnet_ip IPv6 ALIAS tupleElement(IPv6CIDRToRange(host, if(host BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), 120, 64)), 1) COMMENT 'First address of the network of the host: 24 bits of an IPv4 address, 64 of an IPv6 address',
    subnet String ALIAS if(host BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), concat(substring(toString(tupleElement(IPv6CIDRToRange(host, 120), 1)), 8), '/24'), concat(toString(tupleElement(IPv6CIDRToRange(host, 64), 1)), '/64')) COMMENT 'Network of the host as text: 24 bits of an IPv4 address, 64 of an IPv6 address'
)
ENGINE = AggregatingMergeTree
PARTITION BY stored
PRIMARY KEY (toStartOfHour(time), sensor, session, host)
ORDER BY (toStartOfHour(time), sensor, session, host, role, time)
TTL stored + INTERVAL 90 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, min_age_to_force_merge_seconds = 3600, min_age_to_force_merge_on_partition_only = 1
COMMENT 'Traffic by minute and host, in both directions; rows of one host and minute add up';

-- It leaves the adding up to merges: to group the few rows of a block that belong together costs more than it saves.
CREATE MATERIALIZED VIEW IF NOT EXISTS intervals_to_hosts_1m TO hosts_1m AS
SELECT
    interval.sensor AS sensor,
    interval.session AS session,
    interval.stored AS stored,
    interval.time AS time,
    if(is_client, interval.client, interval.server) AS host,
    CAST(if(is_client, 'client', 'server'), 'Enum8(''client'' = 1, ''server'' = 2)') AS role,
    1 AS flow_minutes,
    if(is_client, client_segments, server_segments) AS sent_segments,
    if(is_client, client_data_segments, server_data_segments) AS sent_data_segments,
    if(is_client, client_payload_bytes, server_payload_bytes) AS sent_payload_bytes,
    if(is_client, client_retransmitted_bytes, server_retransmitted_bytes) AS sent_retransmitted_bytes,
    if(is_client, client_retransmission + client_fast_retransmission + client_spurious_retransmission, server_retransmission + server_fast_retransmission + server_spurious_retransmission) AS sent_retransmissions,
    if(is_client, client_out_of_order, server_out_of_order) AS sent_out_of_order,
    if(is_client, client_lost_segment, server_lost_segment) AS sent_lost_segment,
    if(is_client, client_duplicate_ack, server_duplicate_ack) AS sent_duplicate_ack,
    if(is_client, client_zero_window, server_zero_window) AS sent_zero_window,
    if(is_client, client_resets, server_resets) AS sent_resets,
    if(is_client, server_segments, client_segments) AS received_segments,
    if(is_client, server_data_segments, client_data_segments) AS received_data_segments,
    if(is_client, server_payload_bytes, client_payload_bytes) AS received_payload_bytes,
    if(is_client, server_retransmitted_bytes, client_retransmitted_bytes) AS received_retransmitted_bytes,
    if(is_client, server_retransmission + server_fast_retransmission + server_spurious_retransmission, client_retransmission + client_fast_retransmission + client_spurious_retransmission) AS received_retransmissions,
    if(is_client, server_resets, client_resets) AS received_resets,
    if(is_client, client_zero_window_time, server_zero_window_time) AS zero_window_time,
    if(is_client, client_rtt_sum, server_rtt_sum) AS rtt_sum,
    if(if(is_client, client_rtt_count, server_rtt_count) = 0, 9223372036854775807, if(is_client, client_rtt_min, server_rtt_min)) AS rtt_min,
    if(is_client, client_rtt_max, server_rtt_max) AS rtt_max,
    if(is_client, client_rtt_count, server_rtt_count) AS rtt_count,
    greatest(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(client_quality, 24), 31)), bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(server_quality, 24), 31))) AS keep_one_in
FROM intervals AS interval
ARRAY JOIN [true, false] AS is_client
COMMENT 'Fills hosts_1m';

CREATE OR REPLACE VIEW connections
(
    time DateTime('UTC') COMMENT 'Second in which the conversation began',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    client String COMMENT 'Address of the client',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
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
    flow.client AS client_ip,
    flow.client_port AS client_port,
    flow.server_address AS server,
    flow.server AS server_ip,
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

CREATE VIEW IF NOT EXISTS network_health
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    segments UInt64 COMMENT 'Segments of both sides, as captured',
    data_segments UInt64 COMMENT 'Segments with payload of both sides, as captured',
    payload_bytes UInt64 COMMENT 'Payload bytes of both sides, repeats included',
    retransmissions UInt64 COMMENT 'Segments labelled retransmission, fast or spurious ones included',
    retransmitted_bytes UInt64 COMMENT 'Payload bytes that were sent again',
    retransmission_percent Float64 COMMENT 'Retransmissions per hundred segments with payload',
    retransmitted_bytes_percent Float64 COMMENT 'Payload bytes sent again per hundred payload bytes',
    out_of_order UInt64 COMMENT 'Segments labelled out_of_order',
    lost_segments UInt64 COMMENT 'Segments labelled lost_segment',
    duplicate_acks UInt64 COMMENT 'Segments labelled duplicate_ack',
    zero_windows UInt64 COMMENT 'Segments labelled zero_window',
    zero_window_seconds Float64 COMMENT 'Seconds in which a side had its window closed, summed over conversations',
    syns UInt64 COMMENT 'Segments with SYN of both sides: attempts to connect, and their answers',
    fins UInt64 COMMENT 'Segments with FIN of both sides',
    resets UInt64 COMMENT 'Segments with RST of both sides',
    client_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and clients, milliseconds; 0 unknown',
    server_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and servers, milliseconds; 0 unknown',
    keep_one_in UInt32 COMMENT 'How many conversations stand for one, at most: one in so many was kept',
    estimated_segments UInt64 COMMENT 'Segments, those of conversations that were shed too',
    estimated_payload_bytes UInt64 COMMENT 'Payload bytes, those of conversations that were shed too'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    sum(minute.segments) AS segments,
    sum(minute.data_segments) AS data_segments,
    sum(minute.payload_bytes) AS payload_bytes,
    sum(minute.retransmission + minute.fast_retransmission + minute.spurious_retransmission) AS retransmissions,
    sum(minute.retransmitted_bytes) AS retransmitted_bytes,
    if(sum(minute.data_segments) = 0, 0, 100 * sum(minute.retransmission + minute.fast_retransmission + minute.spurious_retransmission) / sum(minute.data_segments)) AS retransmission_percent,
    if(sum(minute.payload_bytes) = 0, 0, 100 * sum(minute.retransmitted_bytes) / sum(minute.payload_bytes)) AS retransmitted_bytes_percent,
    sum(minute.out_of_order) AS out_of_order,
    sum(minute.lost_segment) AS lost_segments,
    sum(minute.duplicate_ack) AS duplicate_acks,
    sum(minute.zero_window) AS zero_windows,
    sum(minute.zero_window_time) / 1e9 AS zero_window_seconds,
    sum(minute.syns) AS syns,
    sum(minute.fins) AS fins,
    sum(minute.resets) AS resets,
    if(sum(minute.client_rtt_count) = 0, 0, sum(minute.client_rtt_sum) / sum(minute.client_rtt_count) / 1e6) AS client_rtt_ms,
    if(sum(minute.server_rtt_count) = 0, 0, sum(minute.server_rtt_sum) / sum(minute.server_rtt_count) / 1e6) AS server_rtt_ms,
    max(minute.keep_one_in) AS keep_one_in,
    sum(minute.estimated_segments) AS estimated_segments,
    sum(minute.estimated_payload_bytes) AS estimated_payload_bytes
FROM traffic_1m AS minute
GROUP BY time, sensor, session
COMMENT 'How the network is: traffic and trouble of all conversations by minute';

-- Where FINAL reads, all of a row is computed before WHERE leaves it out, save for what if() does not need.
CREATE VIEW IF NOT EXISTS worst_conversations
(
    time DateTime('UTC') COMMENT 'Second in which the conversation began',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    client String COMMENT 'Address of the client',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 COMMENT 'Port of the server',
    score Float64 COMMENT 'How bad it was, in the points of segwatch analyze: per cent of bytes sent again, of segments after a gap and of time with a closed window, and points for how it ended',
    why Array(String) COMMENT 'What was wrong, in words',
    seconds Float64 COMMENT 'Seconds from the first to the last segment',
    segments UInt64 COMMENT 'Segments of both sides',
    payload_bytes UInt64 COMMENT 'Payload bytes of both sides, repeats included',
    retransmitted_bytes UInt64 COMMENT 'Payload bytes that were sent again',
    retransmissions UInt64 COMMENT 'Segments labelled retransmission, fast or spurious ones included',
    lost_segments UInt64 COMMENT 'Segments labelled lost_segment',
    out_of_order UInt64 COMMENT 'Segments labelled out_of_order',
    duplicate_acks UInt64 COMMENT 'Segments labelled duplicate_ack',
    zero_window_seconds Float64 COMMENT 'Seconds in which a side had its window closed',
    close_reason String COMMENT 'How the conversation ended: the class of its reset, finished after a FIN, or open',
    capture_doubtful Bool COMMENT 'Whether frames were lost or seen twice, the clock was set, or only one direction was seen: the capture may be what is wrong'
)
AS SELECT
    flow.time AS time,
    flow.sensor AS sensor,
    flow.session AS session,
    flow.stream AS stream,
    if(score <= 0, '', if(flow.client BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(flow.client), 8), toString(flow.client))) AS client,
    flow.client AS client_ip,
    flow.client_port AS client_port,
    if(score <= 0, '', if(flow.server BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(flow.server), 8), toString(flow.server))) AS server,
    flow.server AS server_ip,
    flow.server_port AS server_port,
    (if(payload_bytes = 0, 0, least(100, 100 * retransmitted_bytes / payload_bytes)) + if(segments = 0, 0, least(100, 100 * lost_segments / segments)))
        * least(20, flow.client_data_segments + flow.server_data_segments) / 20
        + if(seconds <= 0, 0, least(100, greatest(flow.client_zero_window_time, flow.server_zero_window_time) / 1e7 / seconds))
        + multiIf(bitTest(flow.resets_seen, 8), 15, bitAnd(flow.resets_seen, 544) != 0, 10, bitAnd(flow.resets_seen, 214) != 0, 5, 0)
        + if(flow.completeness = 1, 5, 0) AS score,
    if(score <= 0, [], arrayConcat(arrayFilter(words -> words != '', [
        if(retransmitted_bytes = 0, '', concat(toString(round(100 * retransmitted_bytes / payload_bytes, 2)), ' % of bytes retransmitted')),
        if(retransmitted_bytes = 0 AND retransmissions > 0, concat(toString(retransmissions), ' retransmitted'), ''),
        if(flow.client_zero_window_time > 0, concat(toString(round(flow.client_zero_window_time / 1e9, 3)), ' s zero window at the client'), ''),
        if(flow.server_zero_window_time > 0, concat(toString(round(flow.server_zero_window_time / 1e9, 3)), ' s zero window at the server'), ''),
        if(flow.client_zero_window_time + flow.server_zero_window_time = 0 AND flow.client_zero_window + flow.server_zero_window > 0, 'zero window for a moment', ''),
        if(lost_segments > 0, concat(toString(lost_segments), if(lost_segments = 1, ' gap', ' gaps'), ' in what was captured'), ''),
        if(out_of_order > 0, concat(toString(out_of_order), ' out of order'), ''),
        if(flow.completeness = 1, 'no answer to the SYN', '')
    ]), arrayMap(bit -> ['', 'refused by the server', 'reset during the handshake', 'late data reset after the close', 'reset by the client', 'reset by the server', 'reset: the other side did not know the connection', 'reset after a long silence', 'reset off sequence, perhaps injected', 'reset after keep-alives went unanswered', 'reset repeatedly'][bit + 1], bitPositionsToArray(flow.resets_seen)))) AS why,
    (toUnixTimestamp64Nano(flow.last) - toUnixTimestamp64Nano(flow.opened)) / 1e9 AS seconds,
    flow.client_segments + flow.server_segments AS segments,
    flow.client_payload_bytes + flow.server_payload_bytes AS payload_bytes,
    flow.client_retransmitted_bytes + flow.server_retransmitted_bytes AS retransmitted_bytes,
    flow.client_retransmission + flow.server_retransmission + flow.client_fast_retransmission + flow.server_fast_retransmission + flow.client_spurious_retransmission + flow.server_spurious_retransmission AS retransmissions,
    flow.client_lost_segment + flow.server_lost_segment AS lost_segments,
    flow.client_out_of_order + flow.server_out_of_order AS out_of_order,
    flow.client_duplicate_ack + flow.server_duplicate_ack AS duplicate_acks,
    (flow.client_zero_window_time + flow.server_zero_window_time) / 1e9 AS zero_window_seconds,
    flow.close_reason AS close_reason,
    bitAnd(flow.quality, 7602176) != 0 AS capture_doubtful
FROM flows AS flow FINAL
WHERE score > 0
COMMENT 'Conversations with trouble, for people: order them by score';

CREATE VIEW IF NOT EXISTS conversation_minutes
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    client String COMMENT 'Address of the client',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 COMMENT 'Port of the server',
    client_segments UInt32 COMMENT 'Segments that the client sent',
    server_segments UInt32 COMMENT 'Segments that the server sent',
    data_segments UInt64 COMMENT 'Segments with payload of both sides',
    client_payload_bytes UInt64 COMMENT 'Payload bytes that the client sent, repeats included',
    server_payload_bytes UInt64 COMMENT 'Payload bytes that the server sent, repeats included',
    client_retransmitted_bytes UInt64 COMMENT 'Payload bytes that the client sent again',
    server_retransmitted_bytes UInt64 COMMENT 'Payload bytes that the server sent again',
    client_retransmissions UInt64 COMMENT 'Segments labelled retransmission that the client sent, fast or spurious ones included',
    server_retransmissions UInt64 COMMENT 'Segments labelled retransmission that the server sent, fast or spurious ones included',
    retransmission_percent Float64 COMMENT 'Retransmissions per hundred segments with payload',
    client_zero_window_seconds Float64 COMMENT 'Seconds in which the client had its window closed',
    server_zero_window_seconds Float64 COMMENT 'Seconds in which the server had its window closed',
    client_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and client, milliseconds; 0 unknown',
    server_rtt_ms Float64 COMMENT 'Mean round trip time between sensor and server, milliseconds; 0 unknown',
    client_resets UInt32 COMMENT 'Segments with RST that the client sent',
    server_resets UInt32 COMMENT 'Segments with RST that the server sent',
    keep_one_in UInt32 COMMENT 'How many conversations stand for this one, at most: one in so many was kept',
    quality_names Array(String) COMMENT 'Names of the bits of quality: what the capture may have spoilt',
    community_id String COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.stream AS stream,
    minute.client_address AS client,
    minute.client AS client_ip,
    minute.client_port AS client_port,
    minute.server_address AS server,
    minute.server AS server_ip,
    minute.server_port AS server_port,
    minute.client_segments AS client_segments,
    minute.server_segments AS server_segments,
    minute.client_data_segments + minute.server_data_segments AS data_segments,
    minute.client_payload_bytes AS client_payload_bytes,
    minute.server_payload_bytes AS server_payload_bytes,
    minute.client_retransmitted_bytes AS client_retransmitted_bytes,
    minute.server_retransmitted_bytes AS server_retransmitted_bytes,
    minute.client_retransmission + minute.client_fast_retransmission + minute.client_spurious_retransmission AS client_retransmissions,
    minute.server_retransmission + minute.server_fast_retransmission + minute.server_spurious_retransmission AS server_retransmissions,
    if(data_segments = 0, 0, 100 * (client_retransmissions + server_retransmissions) / data_segments) AS retransmission_percent,
    minute.client_zero_window_time / 1e9 AS client_zero_window_seconds,
    minute.server_zero_window_time / 1e9 AS server_zero_window_seconds,
    if(minute.client_rtt_count = 0, 0, minute.client_rtt_sum / minute.client_rtt_count / 1e6) AS client_rtt_ms,
    if(minute.server_rtt_count = 0, 0, minute.server_rtt_sum / minute.server_rtt_count / 1e6) AS server_rtt_ms,
    minute.client_resets AS client_resets,
    minute.server_resets AS server_resets,
    minute.keep_one_in AS keep_one_in,
    minute.quality_names AS quality_names,
    minute.community_id AS community_id
FROM intervals AS minute
COMMENT 'Each conversation minute by minute, in both directions; rows of one conversation and minute add up';

CREATE VIEW IF NOT EXISTS labelled_segments
(
    time DateTime('UTC') COMMENT 'Capture time in whole seconds',
    ts DateTime64(9, 'UTC') COMMENT 'Capture time',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream); -1 if it belongs to none',
    frame UInt64 COMMENT 'Number of the frame in its capture session, from 1',
    src String COMMENT 'Address of the sender',
    src_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    src_port UInt16 COMMENT 'Port of the sender',
    dst String COMMENT 'Address of the receiver',
    dst_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    dst_port UInt16 COMMENT 'Port of the receiver',
    from_client Bool COMMENT 'Whether the client sent the segment',
    label_names Array(String) COMMENT 'Names of the labels (tcp.analysis)',
    reset String COMMENT 'Class of a segment with the RST flag; empty for others',
    flags String COMMENT 'Flags in the header, as Wireshark writes them',
    seq UInt32 COMMENT 'Relative sequence number',
    ack UInt32 COMMENT 'Relative acknowledgment number',
    payload_bytes UInt32 COMMENT 'Payload bytes',
    window UInt32 COMMENT 'Receive window in bytes, scaled',
    bytes_in_flight UInt32 COMMENT 'Bytes sent and not acknowledged',
    since_begin_ms Float64 COMMENT 'Milliseconds since the first segment of the conversation',
    since_previous_ms Float64 COMMENT 'Milliseconds since the previous segment of the conversation',
    rto_ms Float64 COMMENT 'Milliseconds from the segment that is sent again to this one; 0 if none',
    rto_frame UInt64 COMMENT 'Frame that is sent again; only where rto_ms is not 0',
    ack_rtt_ms Float64 COMMENT 'Milliseconds from the segment that is acknowledged to this one; 0 if none',
    dup_ack_num UInt32 COMMENT 'Number of the duplicate ACK; only with that label',
    dup_ack_frame UInt64 COMMENT 'Frame that the duplicate ACK repeats; only with that label',
    ttl UInt8 COMMENT 'Time to live or hop limit',
    capture_suspect Bool COMMENT 'Whether the capture, not the network, may be what the label speaks of',
    community_id String COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
AS SELECT
    anomaly.time AS time,
    anomaly.ts AS ts,
    anomaly.sensor AS sensor,
    anomaly.session AS session,
    anomaly.stream AS stream,
    anomaly.frame AS frame,
    anomaly.src_address AS src,
    if(anomaly.from_client, anomaly.client, anomaly.server) AS src_ip,
    anomaly.src_port AS src_port,
    anomaly.dst_address AS dst,
    if(anomaly.from_client, anomaly.server, anomaly.client) AS dst_ip,
    anomaly.dst_port AS dst_port,
    anomaly.from_client AS from_client,
    anomaly.label_names AS label_names,
    toString(anomaly.reset) AS reset,
    if(anomaly.flags = 0, '<None>', arrayStringConcat(arrayMap(bit -> ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'][bit + 1], bitPositionsToArray(bitAnd(anomaly.flags, 511))), ', ')) AS flags,
    anomaly.seq AS seq,
    anomaly.ack AS ack,
    anomaly.payload_len AS payload_bytes,
    anomaly.window AS window,
    anomaly.bytes_in_flight AS bytes_in_flight,
    anomaly.time_relative / 1e6 AS since_begin_ms,
    anomaly.time_delta / 1e6 AS since_previous_ms,
    anomaly.rto / 1e6 AS rto_ms,
    anomaly.rto_frame AS rto_frame,
    anomaly.ack_rtt / 1e6 AS ack_rtt_ms,
    anomaly.dup_ack_num AS dup_ack_num,
    anomaly.dup_ack_frame AS dup_ack_frame,
    anomaly.ttl AS ttl,
    anomaly.capture_suspect AS capture_suspect,
    anomaly.community_id AS community_id
FROM anomalies AS anomaly
COMMENT 'Each segment with a label and each reset, for people: anomalies with addresses as text, names and milliseconds';

CREATE VIEW IF NOT EXISTS labels_per_minute
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    label LowCardinality(String) COMMENT 'Name of the label (tcp.analysis)',
    segments UInt64 COMMENT 'Segments with the label',
    payload_bytes UInt64 COMMENT 'Payload bytes of these segments',
    estimated_segments UInt64 COMMENT 'Segments with the label, those of conversations that were shed too'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.kind AS label,
    minute.segments AS segments,
    minute.payload_bytes AS payload_bytes,
    minute.estimated_segments AS estimated_segments
FROM anomalies_1m AS minute
WHERE NOT startsWith(minute.kind, 'reset_')
COMMENT 'How often each label was given, by minute; rows of one label and minute add up';

CREATE VIEW IF NOT EXISTS retransmission_rate_by_host
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    host String COMMENT 'Address of the host',
    host_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    role Enum8('client' = 1, 'server' = 2) COMMENT 'Whether the host opened the conversations or was asked',
    data_segments_sent UInt64 COMMENT 'Segments with payload that the host sent',
    retransmissions_sent UInt64 COMMENT 'Of these labelled retransmission, fast or spurious ones included: it seems that they were lost on the way from the host',
    payload_bytes_sent UInt64 COMMENT 'Payload bytes that the host sent, repeats included',
    retransmitted_bytes_sent UInt64 COMMENT 'Payload bytes that the host sent again',
    data_segments_received UInt64 COMMENT 'Segments with payload that were sent to the host',
    retransmissions_received UInt64 COMMENT 'Of these labelled retransmission, fast or spurious ones included: it seems that they were lost on the way to the host',
    payload_bytes_received UInt64 COMMENT 'Payload bytes that were sent to the host, repeats included',
    retransmitted_bytes_received UInt64 COMMENT 'Payload bytes that were sent to the host again',
    retransmission_percent Float64 COMMENT 'Retransmissions of both directions per hundred segments with payload',
    retransmitted_bytes_percent Float64 COMMENT 'Payload bytes sent again in both directions per hundred payload bytes',
    keep_one_in UInt32 COMMENT 'How many conversations stand for one, at most: one in so many was kept'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.host_address AS host,
    minute.host AS host_ip,
    minute.role AS role,
    minute.sent_data_segments AS data_segments_sent,
    minute.sent_retransmissions AS retransmissions_sent,
    minute.sent_payload_bytes AS payload_bytes_sent,
    minute.sent_retransmitted_bytes AS retransmitted_bytes_sent,
    minute.received_data_segments AS data_segments_received,
    minute.received_retransmissions AS retransmissions_received,
    minute.received_payload_bytes AS payload_bytes_received,
    minute.received_retransmitted_bytes AS retransmitted_bytes_received,
    if(data_segments_sent + data_segments_received = 0, 0, 100 * (retransmissions_sent + retransmissions_received) / (data_segments_sent + data_segments_received)) AS retransmission_percent,
    if(payload_bytes_sent + payload_bytes_received = 0, 0, 100 * (retransmitted_bytes_sent + retransmitted_bytes_received) / (payload_bytes_sent + payload_bytes_received)) AS retransmitted_bytes_percent,
    minute.keep_one_in AS keep_one_in
FROM hosts_1m AS minute
COMMENT 'What each host sent and was sent again, by minute; rows of one host and minute add up';

CREATE VIEW IF NOT EXISTS retransmission_rate_by_subnet
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    subnet String COMMENT 'Network: 24 bits of an IPv4 address, 64 of an IPv6 address',
    subnet_ip IPv6 COMMENT 'Its first address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    role Enum8('client' = 1, 'server' = 2) COMMENT 'Whether its hosts opened the conversations or were asked',
    data_segments_sent UInt64 COMMENT 'Segments with payload that its hosts sent',
    retransmissions_sent UInt64 COMMENT 'Of these labelled retransmission, fast or spurious ones included',
    payload_bytes_sent UInt64 COMMENT 'Payload bytes that its hosts sent, repeats included',
    retransmitted_bytes_sent UInt64 COMMENT 'Payload bytes that its hosts sent again',
    data_segments_received UInt64 COMMENT 'Segments with payload that were sent to its hosts',
    retransmissions_received UInt64 COMMENT 'Of these labelled retransmission, fast or spurious ones included',
    payload_bytes_received UInt64 COMMENT 'Payload bytes that were sent to its hosts, repeats included',
    retransmitted_bytes_received UInt64 COMMENT 'Payload bytes that were sent to its hosts again',
    retransmission_percent Float64 COMMENT 'Retransmissions of both directions per hundred segments with payload',
    retransmitted_bytes_percent Float64 COMMENT 'Payload bytes sent again in both directions per hundred payload bytes'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.subnet AS subnet,
    minute.subnet_ip AS subnet_ip,
    minute.role AS role,
    minute.sent_data_segments AS data_segments_sent,
    minute.sent_retransmissions AS retransmissions_sent,
    minute.sent_payload_bytes AS payload_bytes_sent,
    minute.sent_retransmitted_bytes AS retransmitted_bytes_sent,
    minute.received_data_segments AS data_segments_received,
    minute.received_retransmissions AS retransmissions_received,
    minute.received_payload_bytes AS payload_bytes_received,
    minute.received_retransmitted_bytes AS retransmitted_bytes_received,
    if(data_segments_sent + data_segments_received = 0, 0, 100 * (retransmissions_sent + retransmissions_received) / (data_segments_sent + data_segments_received)) AS retransmission_percent,
    if(payload_bytes_sent + payload_bytes_received = 0, 0, 100 * (retransmitted_bytes_sent + retransmitted_bytes_received) / (payload_bytes_sent + payload_bytes_received)) AS retransmitted_bytes_percent
FROM hosts_1m AS minute
COMMENT 'What the hosts of each network sent and were sent again, by minute; rows of one network and minute add up';

CREATE VIEW IF NOT EXISTS retransmission_rate_by_service
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    server_port UInt16 COMMENT 'Port of the servers',
    service String COMMENT 'Usual name of the port, as far as it has one; else its number',
    data_segments UInt64 COMMENT 'Segments with payload of both sides',
    retransmissions UInt64 COMMENT 'Of these labelled retransmission, fast or spurious ones included',
    payload_bytes UInt64 COMMENT 'Payload bytes of both sides, repeats included',
    retransmitted_bytes UInt64 COMMENT 'Payload bytes that were sent again',
    retransmission_percent Float64 COMMENT 'Retransmissions per hundred segments with payload',
    retransmitted_bytes_percent Float64 COMMENT 'Payload bytes sent again per hundred payload bytes',
    keep_one_in UInt32 COMMENT 'How many conversations stand for one, at most: one in so many was kept'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.server_port AS server_port,
    transform(minute.server_port, [21, 22, 23, 25, 53, 80, 88, 110, 143, 179, 389, 443, 445, 465, 587, 636, 853, 993, 995, 1433, 1521, 1883, 2049, 2181, 2379, 3268, 3306, 3389, 5060, 5222, 5432, 5672, 5900, 6379, 6443, 8080, 8443, 8883, 9000, 9092, 9200, 11211, 27017], ['ftp', 'ssh', 'telnet', 'smtp', 'dns', 'http', 'kerberos', 'pop3', 'imap', 'bgp', 'ldap', 'https', 'smb', 'smtps', 'submission', 'ldaps', 'dns over tls', 'imaps', 'pop3s', 'sql server', 'oracle', 'mqtt', 'nfs', 'zookeeper', 'etcd', 'global catalog', 'mysql', 'rdp', 'sip', 'xmpp', 'postgresql', 'amqp', 'vnc', 'redis', 'kubernetes', 'http 8080', 'https 8443', 'mqtt over tls', 'clickhouse', 'kafka', 'elasticsearch', 'memcached', 'mongodb'], toString(minute.server_port)) AS service,
    minute.data_segments AS data_segments,
    minute.retransmission + minute.fast_retransmission + minute.spurious_retransmission AS retransmissions,
    minute.payload_bytes AS payload_bytes,
    minute.retransmitted_bytes AS retransmitted_bytes,
    if(data_segments = 0, 0, 100 * retransmissions / data_segments) AS retransmission_percent,
    if(payload_bytes = 0, 0, 100 * retransmitted_bytes / payload_bytes) AS retransmitted_bytes_percent,
    minute.keep_one_in AS keep_one_in
FROM traffic_1m AS minute
COMMENT 'What was sent again by port of the server and minute; rows of one port and minute add up';

CREATE VIEW IF NOT EXISTS round_trip_times_by_host
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    host String COMMENT 'Address of the host',
    host_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    role Enum8('client' = 1, 'server' = 2) COMMENT 'Whether the host opened the conversations or was asked',
    samples UInt64 COMMENT 'Round trips between sensor and host that were measured',
    sum_ms Float64 COMMENT 'Their times together, milliseconds: over several rows, the mean is sum(sum_ms) / sum(samples)',
    mean_ms Float64 COMMENT 'Mean of them, milliseconds',
    min_ms Float64 COMMENT 'Least of them, milliseconds',
    max_ms Float64 COMMENT 'Greatest of them, milliseconds'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.host_address AS host,
    minute.host AS host_ip,
    minute.role AS role,
    minute.rtt_count AS samples,
    minute.rtt_sum / 1e6 AS sum_ms,
    minute.rtt_sum / minute.rtt_count / 1e6 AS mean_ms,
    minute.rtt_min / 1e6 AS min_ms,
    minute.rtt_max / 1e6 AS max_ms
FROM hosts_1m AS minute
WHERE minute.rtt_count > 0
COMMENT 'Round trip times between the sensor and each host, by minute; from its acknowledgments, so a delayed one counts too';

CREATE VIEW IF NOT EXISTS stalls
(
    time DateTime('UTC') COMMENT 'When the wait was over: the second of what ended it, or the minute of a closed window',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream)',
    kind Enum8('zero_window' = 1, 'retransmission_timeout' = 2, 'unanswered_syn' = 3) COMMENT 'zero_window: a side had no room for more; retransmission_timeout: silence until something was sent again; unanswered_syn: silence until a SYN was sent again',
    host String COMMENT 'Who made the other one wait: the side with the closed window, or the one that did not acknowledge',
    host_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    host_port UInt16 COMMENT 'Port of the host',
    waiting String COMMENT 'Who waited',
    waiting_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    waiting_port UInt16 COMMENT 'Port of the one who waited',
    server_port UInt16 COMMENT 'Port of the server of the two',
    seconds Float64 COMMENT 'How long'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.stream AS stream,
    CAST('zero_window', 'Enum8(''zero_window'' = 1, ''retransmission_timeout'' = 2, ''unanswered_syn'' = 3)') AS kind,
    minute.client_address AS host,
    minute.client AS host_ip,
    minute.client_port AS host_port,
    minute.server_address AS waiting,
    minute.server AS waiting_ip,
    minute.server_port AS waiting_port,
    minute.server_port AS server_port,
    minute.client_zero_window_time / 1e9 AS seconds
FROM intervals AS minute
WHERE minute.client_zero_window_time > 0
UNION ALL
SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    minute.stream AS stream,
    CAST('zero_window', 'Enum8(''zero_window'' = 1, ''retransmission_timeout'' = 2, ''unanswered_syn'' = 3)') AS kind,
    minute.server_address AS host,
    minute.server AS host_ip,
    minute.server_port AS host_port,
    minute.client_address AS waiting,
    minute.client AS waiting_ip,
    minute.client_port AS waiting_port,
    minute.server_port AS server_port,
    minute.server_zero_window_time / 1e9 AS seconds
FROM intervals AS minute
WHERE minute.server_zero_window_time > 0
UNION ALL
SELECT
    anomaly.time AS time,
    anomaly.sensor AS sensor,
    anomaly.session AS session,
    anomaly.stream AS stream,
    CAST(if(bitTest(anomaly.flags, 1), 'unanswered_syn', 'retransmission_timeout'), 'Enum8(''zero_window'' = 1, ''retransmission_timeout'' = 2, ''unanswered_syn'' = 3)') AS kind,
    anomaly.dst_address AS host,
    if(anomaly.from_client, anomaly.server, anomaly.client) AS host_ip,
    anomaly.dst_port AS host_port,
    anomaly.src_address AS waiting,
    if(anomaly.from_client, anomaly.client, anomaly.server) AS waiting_ip,
    anomaly.src_port AS waiting_port,
    anomaly.server_port AS server_port,
    anomaly.time_delta / 1e9 AS seconds
FROM anomalies AS anomaly
WHERE anomaly.time_delta >= 200000000 AND bitAnd(anomaly.labels, 15) != 0
COMMENT 'Where conversations waited: closed windows, and silences of 200 ms and more that a repeated segment ended';

CREATE VIEW IF NOT EXISTS resets
(
    time DateTime('UTC') COMMENT 'Capture time in whole seconds',
    ts DateTime64(9, 'UTC') COMMENT 'Capture time',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    stream Int32 COMMENT 'Number of the conversation in its session (tcp.stream); -1 if it belongs to none',
    frame UInt64 COMMENT 'Number of the frame in its capture session, from 1',
    class String COMMENT 'Class of the reset',
    client String COMMENT 'Address of the client',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 COMMENT 'Port of the server',
    sent_by Enum8('client' = 1, 'server' = 2) COMMENT 'In whose name the reset was sent',
    after_seconds Float64 COMMENT 'Seconds since the first segment of the conversation',
    silence_seconds Float64 COMMENT 'Seconds since the previous segment of the conversation',
    ttl UInt8 COMMENT 'Time to live or hop limit: another one than that of the other segments of the sender speaks for somebody between',
    ip_id UInt16 COMMENT 'IPv4 identification; 0 for IPv6',
    window UInt16 COMMENT 'Window in the header',
    community_id String COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
AS SELECT
    anomaly.time AS time,
    anomaly.ts AS ts,
    anomaly.sensor AS sensor,
    anomaly.session AS session,
    anomaly.stream AS stream,
    anomaly.frame AS frame,
    toString(anomaly.reset) AS class,
    anomaly.client_address AS client,
    anomaly.client AS client_ip,
    anomaly.client_port AS client_port,
    anomaly.server_address AS server,
    anomaly.server AS server_ip,
    anomaly.server_port AS server_port,
    CAST(if(anomaly.from_client, 'client', 'server'), 'Enum8(''client'' = 1, ''server'' = 2)') AS sent_by,
    anomaly.time_relative / 1e9 AS after_seconds,
    anomaly.time_delta / 1e9 AS silence_seconds,
    anomaly.ttl AS ttl,
    anomaly.ip_id AS ip_id,
    anomaly.window_raw AS window,
    anomaly.community_id AS community_id
FROM anomalies AS anomaly
WHERE anomaly.reset != ''
COMMENT 'Each reset: who ended which conversation, how, and after how long';

CREATE VIEW IF NOT EXISTS resets_by_class
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    class String COMMENT 'Class of the resets',
    resets UInt64 COMMENT 'Segments with RST of this class',
    estimated_resets UInt64 COMMENT 'The same with those of conversations that were shed'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    substring(minute.kind, 7) AS class,
    minute.segments AS resets,
    minute.estimated_segments AS estimated_resets
FROM anomalies_1m AS minute
WHERE startsWith(minute.kind, 'reset_')
COMMENT 'Resets by class and minute; rows of one class and minute add up';

CREATE VIEW IF NOT EXISTS refused_ports
(
    time DateTime('UTC') COMMENT 'Capture time in whole seconds',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    server String COMMENT 'Address of the server',
    server_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 COMMENT 'Port at which nobody listens',
    client String COMMENT 'Address of the client that asked',
    client_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 COMMENT 'Port of the client',
    answered_ms Float64 COMMENT 'Milliseconds from the first SYN to the refusal',
    keep_one_in UInt32 COMMENT 'How many conversations stand for this one: one in so many was kept'
)
AS SELECT
    anomaly.time AS time,
    anomaly.sensor AS sensor,
    anomaly.session AS session,
    anomaly.server_address AS server,
    anomaly.server AS server_ip,
    anomaly.server_port AS server_port,
    anomaly.client_address AS client,
    anomaly.client AS client_ip,
    anomaly.client_port AS client_port,
    anomaly.time_relative / 1e6 AS answered_ms,
    anomaly.keep_one_in AS keep_one_in
FROM anomalies AS anomaly
WHERE anomaly.reset = 'refused'
COMMENT 'Each connection that a server refused: nobody listens there, or a firewall says so';

CREATE VIEW IF NOT EXISTS sensor_health
(
    time DateTime('UTC') COMMENT 'Time of the heartbeat in whole seconds, by the clock of the sensor',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session: one for each time that an interface was opened',
    host LowCardinality(String) COMMENT 'Name of the machine',
    interface LowCardinality(String) COMMENT 'Interface that is captured',
    state String COMMENT 'starting, running, spooling (the bus is away and segments go to disk), stopping or failed',
    problem String COMMENT 'What is wrong, in words; empty if nothing is',
    silent_seconds Int64 COMMENT 'Seconds since this heartbeat, by the clock of the server',
    frames UInt64 COMMENT 'Frames seen since the session began',
    segments UInt64 COMMENT 'TCP segments decoded since the session began',
    undecoded_percent Float64 COMMENT 'Frames that could not be decoded per hundred frames, since the session began',
    dropped_frames UInt64 COMMENT 'Frames that the kernel or the interface dropped since the session began',
    dropped_percent Float64 COMMENT 'These per hundred frames that came',
    shed_segments UInt64 COMMENT 'Segments of conversations left out because more came than could be handled, since the session began',
    keep_one_in UInt64 COMMENT 'One in so many conversations was kept: 1, 2, 4, ...',
    given_up_segments UInt64 COMMENT 'Segments of the whole sensor given up because the spool was full, since the session began; never add up sessions',
    queued_batches UInt64 COMMENT 'Batches that wait in memory',
    spooled_bytes UInt64 COMMENT 'Bytes that wait on disk',
    clock_steps UInt64 COMMENT 'How often the clock of the sensor was set by more than a second since the session began',
    seen_twice UInt64 COMMENT 'Segments in frames that are copies of one seen just before, since the session began',
    one_way_conversations UInt64 COMMENT 'Conversations of which only one direction was seen, since the session began',
    version LowCardinality(String) COMMENT 'Version of segwatch on the sensor'
)
AS SELECT
    beat.time AS time,
    beat.sensor AS sensor,
    beat.session AS session,
    beat.host AS host,
    beat.interface AS interface,
    toString(beat.state) AS state,
    beat.problem AS problem,
    dateDiff('second', beat.time, now('UTC')) AS silent_seconds,
    beat.frames AS frames,
    beat.segments AS segments,
    if(beat.frames = 0, 0, 100 * beat.undecoded / beat.frames) AS undecoded_percent,
    beat.kernel_drops + beat.interface_drops AS dropped_frames,
    if(beat.frames + dropped_frames = 0, 0, 100 * dropped_frames / (beat.frames + dropped_frames)) AS dropped_percent,
    beat.shed_segments AS shed_segments,
    beat.keep_one_in AS keep_one_in,
    beat.dropped_segments AS given_up_segments,
    beat.queued_batches AS queued_batches,
    beat.spooled_bytes AS spooled_bytes,
    beat.clock_steps AS clock_steps,
    beat.seen_twice AS seen_twice,
    beat.one_way_conversations AS one_way_conversations,
    beat.version AS version
FROM sensors AS beat
COMMENT 'Heartbeats of the sensors: what they do, what they lose, whether they are silent';

CREATE VIEW IF NOT EXISTS capture_trust
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor LowCardinality(String) COMMENT 'Name of the sensor',
    session UUID COMMENT 'Capture session',
    segments UInt64 COMMENT 'Segments of both sides, as captured',
    doubtful_segments UInt64 COMMENT 'Segments of conversations for which any of the doubts below holds in this minute',
    trust_percent Float64 COMMENT 'Segments without any doubt per hundred',
    capture_loss_segments UInt64 COMMENT 'Segments of conversations around which frames were lost: what seems lost may have been there',
    seen_twice_segments UInt64 COMMENT 'Segments of conversations of which packets were seen twice: copies look like retransmissions',
    one_way_segments UInt64 COMMENT 'Segments of conversations of which one direction was not seen',
    clock_step_segments UInt64 COMMENT 'Segments of conversations during which the clock was set: spans of time may be wrong',
    super_segment_segments UInt64 COMMENT 'Segments of conversations with segments joined by offload; counts are too low, but this is no doubt',
    keep_one_in UInt32 COMMENT 'How many conversations stand for one, at most: one in so many was kept'
)
AS SELECT
    minute.time AS time,
    minute.sensor AS sensor,
    minute.session AS session,
    sum(minute.client_segments + minute.server_segments) AS segments,
    sumIf(minute.client_segments + minute.server_segments, bitAnd(bitOr(minute.client_quality, minute.server_quality), 7602176) != 0) AS doubtful_segments,
    if(segments = 0, 100, 100 * (segments - doubtful_segments) / segments) AS trust_percent,
    sumIf(minute.client_segments + minute.server_segments, bitTest(bitOr(minute.client_quality, minute.server_quality), 18)) AS capture_loss_segments,
    sumIf(minute.client_segments + minute.server_segments, bitTest(bitOr(minute.client_quality, minute.server_quality), 21)) AS seen_twice_segments,
    sumIf(minute.client_segments + minute.server_segments, bitTest(bitOr(minute.client_quality, minute.server_quality), 22)) AS one_way_segments,
    sumIf(minute.client_segments + minute.server_segments, bitTest(bitOr(minute.client_quality, minute.server_quality), 20)) AS clock_step_segments,
    sumIf(minute.client_segments + minute.server_segments, bitTest(bitOr(minute.client_quality, minute.server_quality), 19)) AS super_segment_segments,
    max(greatest(bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(minute.client_quality, 24), 31)), bitShiftLeft(toUInt32(1), bitAnd(bitShiftRight(minute.server_quality, 24), 31)))) AS keep_one_in
FROM intervals AS minute
GROUP BY time, sensor, session
COMMENT 'How far the findings of each minute can be believed: what the capture may have spoilt';

CREATE FUNCTION IF NOT EXISTS segwatch_label_names AS (labels) -> arrayMap(bit -> ['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', 'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window', 'zero_window_probe', 'zero_window_probe_ack', 'window_full', 'window_update', 'keep_alive', 'keep_alive_ack', 'reused_ports'][bit + 1], bitPositionsToArray(labels));

CREATE FUNCTION IF NOT EXISTS segwatch_has_label AS (labels, label) -> bitAnd(labels, bitShiftLeft(toUInt32(1), toUInt8(indexOf(['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', 'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window', 'zero_window_probe', 'zero_window_probe_ack', 'window_full', 'window_update', 'keep_alive', 'keep_alive_ack', 'reused_ports'], label) - 1 + throwIf(NOT has(['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', 'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window', 'zero_window_probe', 'zero_window_probe_ack', 'window_full', 'window_update', 'keep_alive', 'keep_alive_ack', 'reused_ports'], label), 'There is no such label; segwatch_label_names(32767) has all of them')))) != 0;

CREATE FUNCTION IF NOT EXISTS segwatch_event_names AS (events) -> arrayMap(bit -> ['syn', 'synack', 'fin', 'fin_active', 'fin_passive', 'rst', 'tfo_syn', 'tfo_ack', 'tfo_ignored'][bit + 1], bitPositionsToArray(events));

CREATE FUNCTION IF NOT EXISTS segwatch_quality_names AS (quality) -> arrayMap(bit -> ['header_unreadable', 'header_cut', 'options_cut', 'offset_too_small', 'short_segment', 'fragment', 'reassembled', 'quoted_in_icmp', 'ipv6', 'timestamps', 'sack_permitted', 'fast_open', 'fast_open_cookie', 'payload_cut', 'total_length_zero', 'announced', 'proxied', 'restarted', 'capture_loss', 'super_segment', 'clock_step', 'seen_twice', 'one_way'][bit + 1], bitPositionsToArray(bitAnd(quality, 3774873599)));

CREATE FUNCTION IF NOT EXISTS segwatch_completeness_names AS (completeness) -> arrayMap(bit -> ['syn', 'syn_ack', 'ack', 'data', 'fin', 'rst'][bit + 1], bitPositionsToArray(bitAnd(completeness, 63)));

CREATE FUNCTION IF NOT EXISTS segwatch_tcp_flags AS (flags) -> if(flags = 0, '<None>', arrayStringConcat(arrayMap(bit -> ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'][bit + 1], bitPositionsToArray(bitAnd(flags, 511))), ', '));

CREATE FUNCTION IF NOT EXISTS segwatch_address AS (address) -> if(address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), substring(toString(address), 8), toString(address));

CREATE FUNCTION IF NOT EXISTS segwatch_subnet AS (address) -> if(address BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'), concat(substring(toString(tupleElement(IPv6CIDRToRange(address, 120), 1)), 8), '/24'), concat(toString(tupleElement(IPv6CIDRToRange(address, 64), 1)), '/64'));

CREATE FUNCTION IF NOT EXISTS segwatch_percent AS (part, whole) -> if(whole = 0, 0, 100 * part / whole);

CREATE FUNCTION IF NOT EXISTS segwatch_conversation AS (one, one_port, other, other_port) -> cityHash64(least((toIPv6(one), toUInt16(one_port)), (toIPv6(other), toUInt16(other_port))), greatest((toIPv6(one), toUInt16(one_port)), (toIPv6(other), toUInt16(other_port))));
