CREATE TABLE IF NOT EXISTS anomalies
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time in whole seconds, for dashboards and time filters',
    frame UInt64 CODEC(T64, LZ4) COMMENT 'Number of the frame in its capture session, from 1',
    stream Int32 CODEC(T64, LZ4) COMMENT 'Number of the conversation in its session (tcp.stream); -1 if it belongs to none',
    client IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the side that opened the conversation; IPv4 as ::ffff:a.b.c.d',
    client_port UInt16 CODEC(T64, LZ4) COMMENT 'Port of the client',
    server IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the side that was asked; IPv4 as ::ffff:a.b.c.d',
    server_port UInt16 CODEC(T64, LZ4) COMMENT 'Port of the server',
    from_client Bool COMMENT 'Whether the client sent the segment',
    labels UInt32 CODEC(T64, LZ4) COMMENT 'Labels of the segment, one bit each; see label_names',
    events UInt16 CODEC(T64, LZ4) COMMENT 'Connection events of the segment, one bit each; see event_names',
    reset Enum8('' = 0, 'refused' = 1, 'handshake_aborted' = 2, 'after_fin' = 3, 'aborted_by_client' = 4, 'aborted_by_server' = 5, 'half_open' = 6, 'after_idle' = 7, 'off_sequence' = 8, 'keep_alive_failure' = 9, 'repeated' = 10) COMMENT 'Class of a segment with the RST flag; empty for others',
    dup_ack_num UInt32 CODEC(T64, LZ4) COMMENT 'Number of the duplicate ACK; only with that label',
    dup_ack_frame UInt64 CODEC(T64, LZ4) COMMENT 'Frame that the duplicate ACK repeats; only with that label',
    bytes_in_flight UInt32 CODEC(T64, LZ4) COMMENT 'Bytes sent and not acknowledged',
    push_bytes UInt32 CODEC(T64, LZ4) COMMENT 'Bytes sent since the last PSH; only where bytes_in_flight is not 0',
    rto Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds from the segment that is sent again to this one; 0 if none',
    rto_frame UInt64 CODEC(T64, LZ4) COMMENT 'Frame that is sent again; only where rto is not 0',
    ack_rtt Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds from the segment that is acknowledged to this one; 0 if none',
    acks_frame UInt64 CODEC(T64, LZ4) COMMENT 'Frame that this one acknowledges; 0 if none',
    initial_rtt Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds that the handshake took; 0 unknown',
    window UInt32 CODEC(T64, LZ4) COMMENT 'Receive window in bytes, scaled',
    window_scale Int32 CODEC(T64, LZ4) COMMENT 'Multiplier of the window; -1 unknown, -2 no scaling',
    seq UInt32 CODEC(T64, LZ4) COMMENT 'Relative sequence number',
    ack UInt32 CODEC(T64, LZ4) COMMENT 'Relative acknowledgment number',
    nxtseq UInt32 CODEC(T64, LZ4) COMMENT 'Relative sequence number after this segment',
    time_relative Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds since the first segment of the conversation',
    time_delta Int64 CODEC(T64, LZ4) COMMENT 'Nanoseconds since the previous segment of the conversation',
    completeness UInt8 CODEC(T64, LZ4) COMMENT 'What the conversation had shown before: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32',
    shown UInt8 CODEC(T64, LZ4) COMMENT 'Which of the numbers apply (bits of segwatch.records.findings.Shown)',
    payload_len UInt32 CODEC(T64, LZ4) COMMENT 'Payload bytes, as the headers say',
    seq_raw UInt32 CODEC(T64, LZ4) COMMENT 'Sequence number in the header',
    ack_raw UInt32 CODEC(T64, LZ4) COMMENT 'Acknowledgment number in the header',
    flags UInt16 CODEC(T64, LZ4) COMMENT 'Flags in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256',
    window_raw UInt16 CODEC(T64, LZ4) COMMENT 'Window in the header',
    ip_id UInt16 CODEC(T64, LZ4) COMMENT 'IPv4 identification; 0 for IPv6',
    ttl UInt8 CODEC(T64, LZ4) COMMENT 'Time to live or hop limit',
    dscp_ecn UInt8 CODEC(T64, LZ4) COMMENT 'Type of service or traffic class octet',
    wscale Int8 CODEC(T64, LZ4) COMMENT 'Shift of the window scale option; -1 without one',
    mss UInt16 CODEC(T64, LZ4) COMMENT 'Maximum segment size option; 0 without one',
    tsval UInt32 CODEC(T64, LZ4) COMMENT 'Timestamp value; 0 without the option',
    tsecr UInt32 CODEC(T64, LZ4) COMMENT 'Timestamp echo reply; 0 without the option',
    sack Array(UInt32) COMMENT 'Left and right edges of the selective acknowledgement blocks',
    mptcp UInt8 CODEC(T64, LZ4) COMMENT 'Multipath TCP options, one bit each',
    vlan UInt16 CODEC(T64, LZ4) COMMENT 'Identifier of the outermost VLAN tag; 0 without one',
    tunnel_kind Enum8('' = 0, 'other' = 1, 'mpls' = 2, 'pppoe' = 3, 'gre' = 4, 'ip_in_ip' = 5, 'vxlan' = 6, 'geneve' = 7, 'gtp_u' = 8, 'erspan' = 9, 'l2tp' = 10, 'pbb' = 11, 'capwap' = 12, 'sflow' = 13) COMMENT 'Outermost encapsulation; empty if none',
    tunnel_id UInt32 CODEC(T64, LZ4) COMMENT 'Identifier in the encapsulation; 0 without one',
    quality UInt32 CODEC(T64, LZ4) COMMENT 'How the segment was captured (bits of segwatch.vocabulary.Quality)',
    label_names Array(String) ALIAS arrayMap(bit -> ['retransmission', 'fast_retransmission', 'spurious_retransmission', 'out_of_order', 'lost_segment', 'ack_lost_segment', 'duplicate_ack', 'zero_window', 'zero_window_probe', 'zero_window_probe_ack', 'window_full', 'window_update', 'keep_alive', 'keep_alive_ack', 'reused_ports'][bit + 1], bitPositionsToArray(labels)) COMMENT 'Names of the labels (tcp.analysis)',
    event_names Array(String) ALIAS arrayMap(bit -> ['syn', 'synack', 'fin', 'fin_active', 'fin_passive', 'rst', 'tfo_syn', 'tfo_ack', 'tfo_ignored'][bit + 1], bitPositionsToArray(events)) COMMENT 'Names of the connection events (tcp.connection)',
    client_address String ALIAS replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the client as text, IPv4 in dotted form',
    server_address String ALIAS replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the server as text, IPv4 in dotted form',
    src_address String ALIAS if(from_client, replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1'), replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1')) COMMENT 'Address of the sender as text',
    dst_address String ALIAS if(from_client, replaceRegexpOne(toString(server), '^::ffff:([0-9.]+)$', '\\1'), replaceRegexpOne(toString(client), '^::ffff:([0-9.]+)$', '\\1')) COMMENT 'Address of the receiver as text',
    src_port UInt16 ALIAS if(from_client, client_port, server_port) COMMENT 'Port of the sender',
    dst_port UInt16 ALIAS if(from_client, server_port, client_port) COMMENT 'Port of the receiver',
    community_id String ALIAS concat('1:', base64Encode(SHA1(concat(unhex('0000'), if((client, client_port) <= (server, server_port), concat(if(startsWith(reinterpretAsFixedString(client), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(client), 13), toString(reinterpretAsFixedString(client))), if(startsWith(reinterpretAsFixedString(server), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(server), 13), toString(reinterpretAsFixedString(server)))), concat(if(startsWith(reinterpretAsFixedString(server), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(server), 13), toString(reinterpretAsFixedString(server))), if(startsWith(reinterpretAsFixedString(client), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(client), 13), toString(reinterpretAsFixedString(client))))), unhex('0600'), if((client, client_port) <= (server, server_port), concat(reverse(reinterpretAsFixedString(client_port)), reverse(reinterpretAsFixedString(server_port))), concat(reverse(reinterpretAsFixedString(server_port)), reverse(reinterpretAsFixedString(client_port)))))))) COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
ENGINE = MergeTree
PARTITION BY stored
PRIMARY KEY (toStartOfFiveMinutes(time), labels, sensor, session)
ORDER BY (toStartOfFiveMinutes(time), labels, sensor, session, ts, frame)
TTL stored + INTERVAL 90 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'One row for each segment with a label and for each reset';

CREATE TABLE IF NOT EXISTS anomalies_1m
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Start of the minute',
    kind LowCardinality(String) COMMENT 'Name of the label, or reset_ and the class of the reset',
    segments SimpleAggregateFunction(sum, UInt64) COMMENT 'Segments of this kind',
    payload_bytes SimpleAggregateFunction(sum, UInt64) COMMENT 'Payload bytes of these segments',
    conversations AggregateFunction(uniq, Int32) COMMENT 'Conversations with this kind; read it with uniqMerge'
)
ENGINE = AggregatingMergeTree
PARTITION BY stored
ORDER BY (toStartOfHour(time), kind, sensor, session, time)
TTL stored + INTERVAL 90 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'Labelled segments and resets by minute and kind';

CREATE MATERIALIZED VIEW IF NOT EXISTS anomalies_to_1m TO anomalies_1m AS
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
    uniqState(stream) AS conversations
FROM anomalies
GROUP BY sensor, session, stored, time, kind
COMMENT 'Fills anomalies_1m';
