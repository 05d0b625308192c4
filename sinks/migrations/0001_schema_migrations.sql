-- The list of what was done to this database. Statements of all migrations can be run again without harm.

CREATE TABLE IF NOT EXISTS schema_migrations
(
    number UInt32 COMMENT 'Number of the migration',
    name String COMMENT 'File name of the migration',
    checksum FixedString(64) COMMENT 'SHA-256 of the file, in hexadecimal digits',
    applied_at DateTime64(3, 'UTC') COMMENT 'When it was applied'
)
ENGINE = MergeTree
ORDER BY number
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Migrations applied to this database';
