-- What was labelled: nothing in three of five conversations, up to two thousand segments in the others.
INSERT INTO anomalies
(
    sensor, session, stored, ts, time, frame, stream, client, client_port, server, server_port, from_client, labels,
    events, reset, dup_ack_num, dup_ack_frame, bytes_in_flight, push_bytes, rto, rto_frame, ack_rtt, acks_frame,
    initial_rtt, window, window_scale, seq, ack, nxtseq, time_relative, time_delta, completeness, shown, payload_len,
    seq_raw, ack_raw, flags, window_raw, ip_id, ttl, wscale, tsval, tsecr, sack, quality
)
WITH
    toUInt16(if(trouble < 0.6, 0, least(2000, floor(5 * pow(1.00001 - (trouble - 0.6) / 0.4, -0.5))))) AS labelled,
    toUInt16(reset_number > 0) AS broken_off,
    cityHash64(n, place, 13) AS luck,
    (luck % 1000003) / 1000003 AS chance,
    place = labelled AS is_reset,
    toUInt32(multiIf(
        is_reset, 0, chance < 0.42, 64, chance < 0.55, 1, chance < 0.6, 2, chance < 0.64, 4, chance < 0.72, 8, chance < 0.79, 16,
        chance < 0.81, 32, chance < 0.84, 128, chance < 0.845, 256, chance < 0.85, 512, chance < 0.87, 1024, chance < 0.95, 2048,
        chance < 0.98, 4096, 8192
    )) AS bits,
    bitAnd(bits, 15) != 0 AS carries,
    toInt64(60e9 * minutes * (place + chance) / (labelled + 1)) AS since,
    toUInt64(40 * since / 1e9) + n % 1000 AS distance,
    if(bits = 1, toInt64(rtt + 200000000 * pow(chance * 2, 8)), 0) AS waited
SELECT
    sensor, session, toDate('{day}'), fromUnixTimestamp64Nano(opened_ns + since, 'UTC'),
    toDateTime(intDiv(opened_ns + since, 1000000000), 'UTC'), 300 * (n % {a_day}) + distance AS frame, stream, client, client_port, server, server_port,
    if(is_reset, reset_number = 4, luck % 3 = 0) AS from_client, bits, if(is_reset, 32, 0), if(is_reset, reset_number, 0),
    if(bits = 64, 1 + luck % 12, 0), if(bits = 64, frame - 1 - luck % 12, 0), if(carries, 1380 * (1 + luck % 40), 0),
    if(carries, 1380 * (1 + luck % 4), 0), waited, if(waited > 0, frame - 1 - luck % 90, 0), if(bits = 64, rtt + luck % 100000, 0),
    if(bits = 64, frame - 2, 0), rtt, 64240 + 128 * (luck % 400), 128, 1380 * distance, 290 * distance, 1380 * distance + if(carries, 1380, 0),
    since, if(waited > 0, waited, luck % 9000000), 15, 127, if(carries, 1380, 0),
    cityHash64(n) + 1380 * distance, cityHash64(n, 0) + 290 * distance, if(is_reset, 4, 16), 502 + luck % 400, luck % 65536,
    if(from_client, 64, 40 + server_number % 20), -1, since / 1000000 + n, since / 1000000 + 2 * n,
    if(bits = 64 AND luck % 2 = 0, [toUInt32(1380 * distance + 1380), toUInt32(1380 * distance + 2760)], []), quality
FROM ({conversations})
ARRAY JOIN range(labelled + broken_off) AS place
