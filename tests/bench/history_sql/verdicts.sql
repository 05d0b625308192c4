-- What verdicts say: of labelled segments that carry data, one of nineteen amended later, of one pause in each minute of a
-- conversation, and of the reset that ends it.
INSERT INTO verdicts
(
    sensor, session, stored, ts, time, frame, stream, client, client_port, server, server_port, ip_version, from_client,
    seq_raw, payload_len, cause, needed, place, stage, confidence, revision, amended_by, episode, stalled, bytes_again,
    proof, original_frame, since_original, duplicate_acks, sacked_above, silence, round_trip, timeout, ip_id_step,
    tsval_step, ttl_step, sequence_step
)
WITH
    toUInt16(if(trouble < 0.6, 0, least(2000, floor(5 * pow(1.00001 - (trouble - 0.6) / 0.4, -0.5))))) AS labelled,
    cityHash64(n, number, 14) AS luck,
    (luck % 1000003) / 1000003 AS chance,
    luck % 100 AS kind_of_cause,
    number = labelled + minutes AS is_reset,
    number >= labelled AND NOT is_reset AS is_pause,
    toInt64(60e9 * minutes * multiIf(is_reset, 1, is_pause, (number - labelled + chance) / minutes, (number + chance) / (labelled + 1))) AS since,
    toUInt64(40 * since / 1e9) + n % 1000 AS distance,
    toUInt8(multiIf(is_reset, 14 + (reset_number = 8), is_pause, 13, kind_of_cause < 25, 1, kind_of_cause < 40, 2, kind_of_cause < 65, 3, kind_of_cause < 75, 4, kind_of_cause < 92, 8, 9)) AS cause_number,
    cause_number BETWEEN 1 AND 4 AS is_repeat,
    if(is_pause OR cause_number = 1, toInt64(rtt + 200000000 * pow(luck % 997 / 500, 8)), 0) AS waited
SELECT
    sensor, session, toDate('{day}'), fromUnixTimestamp64Nano(opened_ns + since, 'UTC'),
    toDateTime(intDiv(opened_ns + since, 1000000000), 'UTC'), 300 * (n % {a_day}) + distance AS frame, stream, client, client_port, server, server_port,
    if(kind < 0.1, 6, 4), luck % 3 = 0, cityHash64(n) + 1380 * distance, if(is_reset, 0, 1380), cause_number,
    if(is_repeat, 1 + (luck % 5 = 0), 0), if(is_repeat AND luck % 5 != 0, 1 + luck % 2, 0), if(is_reset, 1 + luck % 4, 0), 0.9 + luck % 10 / 100, revision, if(revision > 0, frame + 20, 0),
    if(is_repeat, 1 + luck % 9, 0), waited, if(is_repeat, 1380, 0), multiIf(is_reset, if(reset_number = 8, 524288, 0), is_pause, 32, 1 + 32 * (luck % 2)), if(is_repeat, frame - 1 - luck % 90, 0),
    if(is_repeat, waited + rtt, 0), luck % 7, 1380 * (luck % 5), waited, rtt, 200000000 + rtt, luck % 100, luck % 1000, 0, 0
FROM ({conversations})
ARRAY JOIN range(labelled + minutes + (reset_number > 0)) AS number
ARRAY JOIN range(if(number >= labelled OR luck % 19 != 0, 1, 2)) AS revision
WHERE number >= labelled OR luck % 9 < 2
