CREATE TABLE IF NOT EXISTS sensors
(
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    ts DateTime64(9, 'UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Time of the heartbeat, by the clock of the sensor',
    time DateTime('UTC') CODEC(DoubleDelta, LZ4) COMMENT 'Time of the heartbeat in whole seconds, for dashboards and time filters',
    host LowCardinality(String) COMMENT 'Name of the machine',
    interface LowCardinality(String) COMMENT 'Interface that is captured',
    capture_filter LowCardinality(String) COMMENT 'Capture filter in libpcap syntax; empty if none',
    snaplen UInt32 COMMENT 'Bytes captured of a frame at most',
    version LowCardinality(String) COMMENT 'Version of segwatch on the sensor',
    state Enum8('starting' = 1, 'running' = 2, 'spooling' = 3, 'stopping' = 4, 'failed' = 5) COMMENT 'spooling: the bus is away and segments go to disk',
    problem String COMMENT 'What is wrong, in words; empty if nothing is',
    frames UInt64 CODEC(T64, LZ4) COMMENT 'Frames seen since the session began',
    segments UInt64 CODEC(T64, LZ4) COMMENT 'TCP segments decoded since the session began',
    undecoded UInt64 CODEC(T64, LZ4) COMMENT 'Frames that could not be decoded since the session began',
    kernel_drops UInt64 CODEC(T64, LZ4) COMMENT 'Frames that the kernel dropped since the session began',
    interface_drops UInt64 CODEC(T64, LZ4) COMMENT 'Frames that the interface dropped since the session began',
    published_segments UInt64 CODEC(T64, LZ4) COMMENT 'Segments that the bus acknowledged since the session began',
    dropped_segments UInt64 CODEC(T64, LZ4) COMMENT 'Segments given up because the spool was full, since the session began',
    queued_batches UInt64 CODEC(T64, LZ4) COMMENT 'Batches that wait in memory',
    spooled_batches UInt64 CODEC(T64, LZ4) COMMENT 'Batches that wait on disk',
    spooled_bytes UInt64 CODEC(T64, LZ4) COMMENT 'Bytes that wait on disk'
)
ENGINE = MergeTree
PARTITION BY stored
ORDER BY (toStartOfHour(time), sensor, session, ts)
TTL stored + INTERVAL 90 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1
COMMENT 'Heartbeats of the sensors: what they are, what they have counted, what they have lost';
