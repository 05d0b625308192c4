-- Rows of many columns, inserted every few seconds: while parts are small, columns in files of their own cost more to
-- merge than they save to read. Parts up to this size keep all columns in one file; what history consists of is larger.

ALTER TABLE anomalies MODIFY SETTING min_bytes_for_wide_part = 67108864;

ALTER TABLE intervals MODIFY SETTING min_bytes_for_wide_part = 67108864;

ALTER TABLE flows MODIFY SETTING min_bytes_for_wide_part = 67108864;

ALTER TABLE hosts_1m MODIFY SETTING min_bytes_for_wide_part = 67108864;

ALTER TABLE verdicts MODIFY SETTING min_bytes_for_wide_part = 67108864;
