CREATE TABLE IF NOT EXISTS segments
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Capture time in whole seconds, for dashboards and time filters',
    frame UInt64 CODEC(T64, LZ4) COMMENT 'Number of the frame in its capture session, from 1',
    src IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the sender; IPv4 as ::ffff:a.b.c.d',
    sport UInt16 CODEC(T64, LZ4) COMMENT 'Port of the sender',
    dst IPv6 CODEC(ZSTD(1)) COMMENT 'Address of the receiver; IPv4 as ::ffff:a.b.c.d',
    dport UInt16 CODEC(T64, LZ4) COMMENT 'Port of the receiver',
    conversation UInt64 MATERIALIZED cityHash64(least((src, sport), (dst, dport)), greatest((src, sport), (dst, dport))) COMMENT 'Hash of both ends, the same for both directions: finds the segments of a conversation',
    seq UInt32 CODEC(T64, LZ4) COMMENT 'Sequence number in the header',
    ack UInt32 CODEC(T64, LZ4) COMMENT 'Acknowledgment number in the header',
    flags UInt16 CODEC(T64, LZ4) COMMENT 'Flags in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256',
    window UInt16 CODEC(T64, LZ4) COMMENT 'Window in the header',
    payload_len UInt32 CODEC(T64, LZ4) COMMENT 'Payload bytes, as the headers say',
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
    src_address String ALIAS replaceRegexpOne(toString(src), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the sender as text, IPv4 in dotted form',
    dst_address String ALIAS replaceRegexpOne(toString(dst), '^::ffff:([0-9.]+)$', '\\1') COMMENT 'Address of the receiver as text, IPv4 in dotted form',
    community_id String ALIAS concat('1:', base64Encode(SHA1(concat(unhex('0000'), if((src, sport) <= (dst, dport), concat(if(startsWith(reinterpretAsFixedString(src), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(src), 13), toString(reinterpretAsFixedString(src))), if(startsWith(reinterpretAsFixedString(dst), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(dst), 13), toString(reinterpretAsFixedString(dst)))), concat(if(startsWith(reinterpretAsFixedString(dst), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(dst), 13), toString(reinterpretAsFixedString(dst))), if(startsWith(reinterpretAsFixedString(src), unhex('00000000000000000000FFFF')), substring(reinterpretAsFixedString(src), 13), toString(reinterpretAsFixedString(src))))), unhex('0600'), if((src, sport) <= (dst, dport), concat(reverse(reinterpretAsFixedString(sport)), reverse(reinterpretAsFixedString(dport))), concat(reverse(reinterpretAsFixedString(dport)), reverse(reinterpretAsFixedString(sport)))))))) COMMENT 'Community ID version 1 with seed 0: leads to the same conversation in Zeek, Suricata and Arkime'
)
ENGINE = MergeTree
PARTITION BY stored
PRIMARY KEY (toStartOfFifteenMinutes(time), sensor, session, conversation)
ORDER BY (toStartOfFifteenMinutes(time), sensor, session, conversation, ts, frame)
TTL stored + INTERVAL 7 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'Header fields of every TCP segment, kept for a short time where that is wanted';
