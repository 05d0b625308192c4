-- The minutes of the conversations: every fifth has trouble.
INSERT INTO intervals
(
    sensor, session, stored, time, stream, client, client_port, server, server_port, ip_version, completeness, reset,
    closer, first, last, opened, initial_rtt,
    client_segments, client_data_segments, client_payload_bytes, client_retransmitted_bytes, client_resets, client_syns,
    client_fins, client_zero_window_time, client_rtt_sum, client_rtt_min, client_rtt_max, client_rtt_count,
    client_retransmission, client_duplicate_ack, client_zero_window, client_window_update, client_quality,
    server_segments, server_data_segments, server_payload_bytes, server_retransmitted_bytes, server_resets, server_syns,
    server_fins, server_zero_window_time, server_rtt_sum, server_rtt_min, server_rtt_max, server_rtt_count,
    server_retransmission, server_fast_retransmission, server_spurious_retransmission, server_out_of_order,
    server_lost_segment, server_zero_window, server_quality
)
WITH
    (cityHash64(n, minute, 11) % 1000003) / 1000003 AS chance,
    (cityHash64(n, minute, 12) % 1000003) / 1000003 AS size,
    chance < 0.2 AS bad,
    minute + 1 = minutes AS ends,
    toUInt32(1 + exp(1 + 5 * size * size)) AS asked,
    toUInt32(if(unanswered, 0, 1 + exp(1.3 + 6 * size * size))) AS answered,
    toUInt32(asked * 0.5) AS asked_data,
    toUInt32(answered * 0.7) AS answered_data,
    toUInt32(if(bad, asked_data * 0.02 * (1 + 9 * chance), 0)) AS asked_again,
    toUInt32(if(bad, answered_data * 0.02 * (1 + 9 * chance), 0)) AS answered_again
SELECT
    sensor, session, toDate('{day}'), toStartOfMinute(toDateTime(intDiv(opened_ns, 1000000000), 'UTC')) + 60 * minute,
    stream, client, client_port, server, server_port, if(kind < 0.1, 6, 4),
    multiIf(unanswered, 1, ends AND reset_number > 0, 47, ends, 31, 15), if(ends, reset_number, 0),
    if(ends, 1 + n % 2, 0), fromUnixTimestamp64Nano(opened_ns + 60000000000 * minute, 'UTC'),
    fromUnixTimestamp64Nano(opened_ns + 60000000000 * minute + toInt64(50e9 * chance), 'UTC'),
    fromUnixTimestamp64Nano(opened_ns, 'UTC'), if(unanswered, 0, rtt),
    asked, asked_data, 290 * asked_data, 290 * asked_again, ends AND reset_number = 4, minute = 0,
    ends AND reset_number = 0, 0, toInt64(asked * 0.3) * toInt64(rtt * 0.2), rtt * 0.1, rtt * (0.3 + chance), asked * 0.3,
    asked_again, if(bad, asked * 0.08, 0), 0, asked * 0.04, quality,
    answered, answered_data, 1380 * answered_data, 1380 * answered_again, ends AND reset_number NOT IN (0, 4), minute = 0 AND NOT unanswered,
    ends AND reset_number = 0, if(chance > 0.996, 5e12 * (chance - 0.996), 0), toInt64(answered * 0.3) * toInt64(rtt * 1.2), if(unanswered, 0, rtt), rtt * (1 + 9 * chance), answered * 0.3,
    answered_again * 0.6, answered_again * 0.3, answered_again * 0.1, if(bad, answered * 0.015, 0),
    if(bad, answered * 0.01, 0), if(chance > 0.996, 3, 0), quality
FROM ({conversations})
ARRAY JOIN range(minutes) AS minute
