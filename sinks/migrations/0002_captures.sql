-- A session is claimed before its first row is stored, and stands in captures after its last one. A claim whose owner
-- is gone, and whose session does not stand in captures, left a part: its rows are removed.
-- Both tables are small, and neither is partitioned nor ever cleared: a claim is won by the first block inserted under
-- its deduplication token, which counts within one partition.

CREATE TABLE IF NOT EXISTS captures
(
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    sensor LowCardinality(String) COMMENT 'Name of the sensor, or of the machine that analysed a file',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    generation UInt32 COMMENT 'Number of the claim under which the rows were stored',
    file_name String CODEC(ZSTD(1)) COMMENT 'Name of the file as it was given; - for the standard input',
    file_bytes UInt64 COMMENT 'Size of the file in bytes',
    frames UInt64 COMMENT 'Frames in the capture',
    segments UInt64 COMMENT 'TCP segments in the capture',
    conversations UInt64 COMMENT 'TCP conversations in the capture',
    anomalies UInt64 COMMENT 'Rows stored in anomalies',
    intervals UInt64 COMMENT 'Rows stored in intervals',
    stored_segments UInt64 COMMENT 'Rows stored in segments; 0 if they were not kept',
    first DateTime64(9, 'UTC') COMMENT 'Time of the first frame',
    last DateTime64(9, 'UTC') COMMENT 'Time of the last frame',
    state Enum8('complete' = 1, 'partial' = 2) COMMENT 'partial: the file ended early or went bad midway; what came before is stored',
    problem String COMMENT 'Why the state is partial, in words',
    rules LowCardinality(String) COMMENT 'Rule set that gave the labels',
    version LowCardinality(String) COMMENT 'Version of segwatch that stored it',
    stored_at DateTime64(3, 'UTC') COMMENT 'When the session was stored'
)
ENGINE = MergeTree
ORDER BY session
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row for each analysed file or capture session that is stored completely';

CREATE TABLE IF NOT EXISTS session_claims
(
    session UUID CODEC(ZSTD(1)) COMMENT 'Capture session; for a file the XXH3-128 digest of its content',
    stored Date CODEC(ZSTD(1)) COMMENT 'Day of storing: partitions and the time to live go by it, so that old captures are kept as long as new ones',
    generation UInt32 COMMENT 'Number of the claim: 1 for the first attempt to store the session',
    event Enum8('begun' = 1, 'renewed' = 2, 'removed' = 3) COMMENT 'begun: rows may follow; renewed: the owner is still at work; removed: the rows of this claim were removed',
    owner String COMMENT 'Process that stores: boot, process namespace, process number, start time',
    at DateTime64(3, 'UTC') COMMENT 'When it happened'
)
ENGINE = MergeTree
ORDER BY (session, generation, event)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Who stores or stored a session; not meant for people';
