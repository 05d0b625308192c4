ALTER TABLE sensors
    ADD COLUMN IF NOT EXISTS shed_segments UInt64 COMMENT 'Segments of conversations left out because more came than could be handled, since the session began' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS keep_one_in UInt64 DEFAULT 1 COMMENT 'One in so many conversations was kept: 1, 2, 4, ...' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS super_segments UInt64 COMMENT 'Segments in frames longer than the MTU, made by offload, since the session began' CODEC(T64, LZ4),
    ADD COLUMN IF NOT EXISTS clock_steps UInt64 COMMENT 'How often the clock of the sensor was set by more than a second since the session began' CODEC(T64, LZ4)
