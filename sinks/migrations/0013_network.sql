-- Several sensors, one event: what the verdicts of all sensors on the same packet say together. Nothing is stored for it,
-- so it is right whatever comes late, twice or amended.

CREATE VIEW IF NOT EXISTS network_verdicts
(
    time DateTime('UTC') COMMENT 'Start of the minute in which the first of the sensors saw the segment, by its clock',
    ts DateTime64(9, 'UTC') COMMENT 'When the first of the sensors saw it, by its clock',
    cause String COMMENT 'Why the segment is there, as the sensor nearest to the sender says that knows it',
    needed String COMMENT 'Whether the receiver lacked what was sent again: needed, spurious or unknown; needed too if one sensor saw what was lost and one behind it did not',
    hop_from String COMMENT 'Last sensor that saw what was lost; of what the network copied, overtook or made up, the last one before that; empty if it was before all of them, or is not known',
    hop_to String COMMENT 'First sensor behind; empty if it was behind all of them, or is not known',
    contradicting UInt64 COMMENT 'How far sensors contradict: 2 for each behind the hop that saw what was lost, 1 for each before it that did not',
    sensors Array(String) COMMENT 'Sensors with a verdict on it, in the order of the way',
    sessions Array(UUID) COMMENT 'Their capture sessions',
    frames Array(UInt64) COMMENT 'The frame that each of them judged',
    causes Array(String) COMMENT 'The cause that each of them gives',
    way Array(String) COMMENT 'All sensors that count as witnesses, in the order of the way',
    confidence Float64 COMMENT 'That of the sensor that decides the cause, 0 to 1',
    stalled_ms Float64 COMMENT 'Milliseconds that delivery stood still until this segment came, as that sensor says',
    bytes_again UInt32 COMMENT 'Payload bytes that had been sent before, as that sensor says',
    src String COMMENT 'Address of who sent it',
    src_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    src_port UInt16 COMMENT 'Port of who sent it',
    dst String COMMENT 'Address of who should have got it',
    dst_ip IPv6 COMMENT 'This address as a number, which is faster to filter and to group by; IPv4 as ::ffff:a.b.c.d',
    dst_port UInt16 COMMENT 'Port of who should have got it',
    server_port UInt16 COMMENT 'Port of the server of the two',
    seq_raw UInt32 COMMENT 'Sequence number in the header',
    payload_bytes UInt32 COMMENT 'Payload bytes',
    ip_id UInt16 COMMENT 'IPv4 identification; 0 without one',
    tsval UInt32 COMMENT 'Timestamp value; 0 without one'
)
AS WITH
judged AS
(
    SELECT
        verdict.time AS time,
        if(verdict.from_client, (verdict.client, verdict.client_port), (verdict.server, verdict.server_port)) AS source,
        if(verdict.from_client, (verdict.server, verdict.server_port), (verdict.client, verdict.client_port)) AS target,
        verdict.server_port AS server_port,
        verdict.seq_raw AS seq_raw,
        if(verdict.cause IN ('network_duplicate', 'capture_duplicate') AND (verdict.ip_id != 0 OR verdict.tsval != 0), cityHash64(verdict.ip_id, verdict.tsval, verdict.payload_len), 0) AS copied,
        CAST((toUnixTimestamp64Nano(verdict.ts), (verdict.sensor, verdict.session), verdict.frame, (verdict.payload_len, verdict.ip_id, verdict.tsval), verdict.original_frame > 0, (toUInt16(verdict.ip_id - verdict.ip_id_step), toUInt32(verdict.tsval - verdict.tsval_step)), verdict.since_original, verdict.ttl, verdict.cause, verdict.needed, verdict.place = 'before_sensor' OR (verdict.cause = 'syn_retry' AND verdict.original_frame = 0) OR verdict.cause IN ('application_idle', 'window_closed'), verdict.confidence, verdict.stalled, verdict.bytes_again, verdict.cause IN ('unknown', 'rto', 'fast_retransmit', 'recovery', 'tail_loss_probe', 'syn_retry')), 'Tuple(at Int64, point Tuple(String, UUID), frame UInt64, packet Tuple(length UInt32, ip_id UInt16, tsval UInt32), had_original Bool, original Tuple(UInt16, UInt32), since Int64, ttl UInt8, cause String, needed String, is_before Bool, confidence Float32, stalled Int64, bytes_again UInt32, is_sent_again Bool)') AS row
    FROM verdicts AS verdict FINAL
    WHERE verdict.cause != 'capture_loss' AND NOT endsWith(verdict.sensor, ' (replay)')
),
-- Each verdict stands in its own minute and in the nearest other one: so an event whose verdicts are on both sides of a
-- full minute is found in both, whole, and counts in the one in which its first verdict is.
rows AS
(
    SELECT toStartOfMinute(time - 30) AS minute, source, target, server_port, seq_raw, copied, row FROM judged
    UNION ALL
    SELECT toStartOfMinute(time + 30) AS minute, source, target, server_port, seq_raw, copied, row FROM judged
),
-- What is said of one segment, and of what was sent again for it.
stories AS
(
    SELECT minute, source, target, seq_raw, copied, any(server_port) AS server_port, arraySort(one -> one.at, groupArray(row)) AS unsorted, arrayDistinct(unsorted.point) AS points
    FROM rows
    GROUP BY minute, source, target, seq_raw, copied
    HAVING countIf(intDiv(row.at, 60000000000) * 60 = toUnixTimestamp(minute)) > 0
),
-- Packets with neither IP identification nor timestamp are told apart by their order, where a sensor saw as many copies
-- as the one that saw most (what comes within 0.1 ms it wrote twice). Else by their times: the sensor's clock is moved so
-- that most of them meet those of that one. ``near``: what is nearer is the same copy, as one sensor's are further apart;
-- where order tells all, 0.1 ms.
timed AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, unsorted, points,
        if(arrayExists(one -> one.packet.ip_id = 0 AND one.packet.tsval = 0, unsorted), arrayMap(point -> arraySort(arrayFlatten(arrayMap(one -> if(one.had_original, [one.at - one.since, one.at], [one.at]), arrayFilter(one -> one.point = point, unsorted)))), points), []) AS all_times,
        arrayMap(some -> arraySlice(arrayFilter((time, gap, place) -> place = 1 OR gap > 100000, some, arrayDifference(some), arrayEnumerate(some)), -12), all_times) AS times,
        length(arrayDistinct(arrayMap(some -> length(some), times))) = 1 AND length(times[1]) < 12 AS are_equally_many,
        arraySort(some -> (-length(some), -arrayMin(arrayPushBack(arrayPopFront(arrayDifference(some)), 9000000000000000000))), times)[1] AS most,
        if(are_equally_many, 100000, greatest(5000000, least(20000000, intDiv(arrayMin(arrayPushBack(arrayFilter(gap -> gap > 5000000, arrayFlatten(arrayMap(some -> arrayDifference(some), times))), 40000000)), 2)))) AS near
    FROM stories
),
clocked AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, unsorted, points, near, times, most,
        arrayMap(own -> arraySort(ahead -> (-arrayCount(time -> arrayExists(other -> abs(time - ahead - other) < near, most), own), ahead != arrayMax(own) - arrayMax(most)), arrayFlatten(arrayMap(time -> arrayMap(other -> time - other, most), own)))[1], times) AS ahead
    FROM timed
),
moved AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, unsorted, points, near,
        arrayMap((own, by) -> if(length(own) = length(most), arrayMap((time, other) -> time - other, own, arrayResize(most, length(own))), arrayMap(time -> by, own)), times, ahead) AS aheads,
        arrayMap(one -> one.at - aheads[indexOf(points, one.point)][greatest(arrayLastIndex(time -> time <= one.at, times[indexOf(points, one.point)]), 1)], unsorted) AS own_times,
        arrayMap(one -> if(one.had_original, one.at - one.since - aheads[indexOf(points, one.point)][greatest(arrayLastIndex(time -> time <= one.at - one.since, times[indexOf(points, one.point)]), 1)], 0), unsorted) AS first_times
    FROM clocked
),
sorted AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, near,
        arraySort(one -> one.2, arrayZip(unsorted, own_times, first_times)) AS lines,
        lines.1 AS story, lines.2 AS corrected, lines.3 AS first_corrected,
        if(empty(aheads), [], arraySort(arrayConcat(arrayMap((one, time) -> (time, one.point), story, corrected), arrayMap((one, time, first) -> (if(one.had_original, first, time), one.point), story, corrected, first_corrected)))) AS sights
    FROM moved
),
copies AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, corrected, first_corrected, sights,
        arrayFold((found, sight) -> if(sight.1 - found.3 > near, (arrayPushBack(found.1, found.2 + 1), found.2 + 1, sight.1), (arrayPushBack(found.1, found.2), found.2, sight.1)), sights, CAST(([], 0, 0), 'Tuple(Array(UInt64), UInt64, Int64)')).1 AS numbers
    FROM sorted
),
-- What tells copies apart: IP identification and timestamp, or their number in the order of time. The mark of the copy
-- that a verdict is about, and that of the first one that this sensor saw. Of packets that only times tell apart, one
-- that follows another with the same number at its sensor is a copy of it that the network or the sensor made.
marked AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story,
        arrayMap((one, time) -> if(one.packet.ip_id = 0 AND one.packet.tsval = 0, (toUInt16(0), toUInt32(numbers[indexOf(sights, (time, one.point))])), (one.packet.ip_id, one.packet.tsval)), story, corrected) AS marks,
        arrayMap((one, time) -> multiIf(NOT one.had_original, (toUInt16(0), toUInt32(0)), one.packet.ip_id = 0 AND one.packet.tsval = 0, (toUInt16(0), toUInt32(numbers[indexOf(sights, (time, one.point))])), one.original), story, first_corrected) AS firsts,
        arrayMap((one, time, mark) -> one.cause IN ('network_duplicate', 'capture_duplicate') AND arrayExists((sight, number) -> sight.2 = one.point AND sight.1 < time AND number = mark.2, sights, numbers), story, corrected, marks) AS follows
    FROM copies
),
-- The packet of a verdict: length and mark, and which of several that are equal in these, from the last. Verdicts of one
-- sensor on a packet within 5 ms are about copies of it.
numbered AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, marks, firsts,
        arrayMap((one, mark, is_copy) -> if(one.packet.ip_id = 0 AND one.packet.tsval = 0, (toUInt32(0), mark, toUInt64(is_copy)), (one.packet.length, mark, arrayCount(other -> other.point = one.point AND other.packet = one.packet AND other.at > one.at + 5000000, story))), story, marks, follows) AS packets
    FROM marked
),
-- The verdict before it on the same segment at the same sensor.
chained AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, marks, firsts, packets,
        arrayMap((one, its, place) -> arrayLastIndex((other, others, before) -> before < place AND other.point = one.point AND others != its, story, packets, arrayEnumerate(story)), story, packets, arrayEnumerate(story)) AS previous
    FROM numbered
),
events AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, marks, firsts, packets, previous, packet,
        arrayFilter((place, its) -> its = packet, arrayEnumerate(packets), packets) AS own
    FROM chained
    ARRAY JOIN arrayDistinct(packets) AS packet
),
-- The copy that was lost is the last one that any sensor saw before the repeat.
latest AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, marks, firsts, packets, previous, packet, own,
        arrayMin(place -> story[place].at, own) AS at,
        arraySort(one -> one.1, arrayMap(place -> (least(if(story[place].had_original AND firsts[place] != marks[place], story[place].since, 9000000000000000000), if(previous[place] > 0, story[place].at - story[previous[place]].at, 9000000000000000000)), place), own))[1] AS nearest
    FROM events
),
losts AS
(
    SELECT minute, source, target, seq_raw, copied, server_port, story, marks, firsts, packets, packet, own, at,
        previous[nearest.2] AS place_before,
        nearest.1 < 9000000000000000000 AS is_known,
        is_known AND place_before > 0 AND story[nearest.2].at - story[place_before].at = nearest.1 AS is_judged,
        is_judged AND story[place_before].had_original AND story[place_before].is_sent_again AS is_repeat,
        multiIf(is_judged, marks[place_before], is_known, firsts[nearest.2], (toUInt16(0), toUInt32(0))) AS lost_mark,
        packets[place_before] AS lost_packet,
        arrayAll(place -> story[place].cause IN ('reordering', 'network_duplicate', 'capture_duplicate', 'injected_reset'), own) AS is_made
    FROM latest
    WHERE toDateTime(intDiv(at, 60000000000) * 60, 'UTC') = minute
),
-- Who saw that copy, and who saw a later one and not this.
evidence AS
(
    SELECT minute, source, target, seq_raw, server_port, at,
        cityHash64(source, target, seq_raw, copied, packet) AS number,
        cityHash64(least(source, target), greatest(source, target)) AS conversation,
        if(is_made, [], story.point) AS told,
        is_repeat,
        arrayMap(place -> story[place], own) AS judging,
        arrayFilter((one, its, mark, first) -> NOT is_made AND if(is_known, (its != packet AND ((is_judged AND its = lost_packet) OR mark = lost_mark)) OR (one.had_original AND first = lost_mark), its = packet AND one.had_original), story, packets, marks, firsts).point AS seen,
        arrayFilter((one, its, first) -> NOT is_made AND its != packet AND (((is_known OR one.is_before) AND if(story[own[1]].packet.ip_id = 0 AND story[own[1]].packet.tsval = 0, its.2 > packet.2, arrayExists((other, others) -> others = its AND other.point = story[own[1]].point AND other.at > story[own[1]].at, story, packets))) OR (packet.3 = 0 AND one.had_original AND first = packet.2)), story, packets, firsts).point AS missed
    FROM losts
),
-- Who saw the conversation, how far from its ends, and how long: also sensors that have nothing to say of the segment.
seen_minutes AS
(
    SELECT interval.time - 60 AS minute, interval.* FROM intervals AS interval WHERE NOT endsWith(interval.sensor, ' (replay)')
    UNION ALL
    SELECT interval.time AS minute, interval.* FROM intervals AS interval WHERE NOT endsWith(interval.sensor, ' (replay)')
    UNION ALL
    SELECT interval.time + 60 AS minute, interval.* FROM intervals AS interval WHERE NOT endsWith(interval.sensor, ' (replay)')
),
sightings AS
(
    SELECT
        interval.minute AS minute,
        cityHash64(least((interval.client, interval.client_port), (interval.server, interval.server_port)), greatest((interval.client, interval.client_port), (interval.server, interval.server_port))) AS conversation,
        (toString(interval.sensor), interval.session) AS point,
        least(interval.client, interval.server) AS low,
        greatest(interval.client, interval.server) AS high,
        any((interval.client, interval.client_port)) AS client,
        toUnixTimestamp64Nano(min(interval.opened)) AS opened,
        toUnixTimestamp64Nano(min(interval.first)) AS first,
        toUnixTimestamp64Nano(max(interval.last)) AS last,
        max(bitTest(interval.completeness, 0)) AS has_syn,
        max(bitAnd(interval.completeness, 48) > 0) AS has_end,
        max(bitAnd(interval.completeness, 7) = 7) AS has_handshake,
        sum(interval.client_segments) AS client_segments,
        sum(interval.server_segments) AS server_segments,
        minIf(interval.client_rtt_min, interval.client_rtt_count > 0) AS client_rtt,
        minIf(interval.server_rtt_min, interval.server_rtt_count > 0) AS server_rtt
    FROM seen_minutes AS interval
    GROUP BY minute, conversation, low, high, point
),
-- Where a sensor stands between two hosts is the same for all their conversations. One that began with losses has few
-- round trips, and may show one too short (the answer to a first copy, behind a second one) or too long; and those of two
-- conversations are not alike. So of each two sensors the median of how far they are apart says which stands before; of
-- two that no conversation has both, that of each.
lines AS
(
    SELECT minute, conversation, low, high,
        groupArray((point, client_rtt > 0 AND server_rtt > 0, if(client.1 = low, 1, -1) * (client_rtt - server_rtt), (conversation, client, opened, first, last, has_syn, has_end, has_handshake, client_segments, server_segments, client_rtt + server_rtt))) AS line
    FROM sightings
    GROUP BY minute, conversation, low, high
),
distances AS
(
    SELECT minute, low, high, one.1 AS point,
        groupArray(one.4) AS sighted,
        countIf(one.2) > 0 AS is_placed,
        quantileExactIf(0.5)(one.3, one.2) AS place,
        quantileExactInclusiveMap(0.5)(CAST(arrayMap(other -> (cityHash64(other.1), one.3 - other.3), arrayFilter(other -> one.2 AND other.2, line)), 'Map(UInt64, Int64)')) AS apart
    FROM lines
    ARRAY JOIN line AS one
    GROUP BY minute, low, high, point
),
sights AS
(
    SELECT minute, sight.1 AS conversation,
        groupArray(CAST((point, sight.2, sight.3, sight.4, sight.5, sight.6, sight.7, sight.8, sight.9, sight.10, sight.11), 'Tuple(point Tuple(String, UUID), client Tuple(IPv6, UInt16), opened Int64, first Int64, last Int64, has_syn Bool, has_end Bool, has_handshake Bool, client_segments UInt64, server_segments UInt64, slack Int64)')) AS watchers,
        groupArrayIf((point, cityHash64(point), place, mapKeys(apart), mapValues(apart)), is_placed) AS standing
    FROM distances
    ARRAY JOIN sighted AS sight
    GROUP BY minute, conversation
),
watching AS
(
    SELECT minute, conversation, watchers,
        arrayMap(one -> (one.1, toInt64(arraySum(arrayMap(other -> sign(if(has(one.4, other.2), one.5[indexOf(one.4, other.2)], toFloat64(one.3 - other.3))), standing)))), standing) AS places
    FROM sights
),
-- Who saw what another missed stands before it: so the way is known where round trips tell nothing.
compared AS
(
    SELECT minute, source.1 AS sender, target.1 AS receiver,
        groupArray((source, target, seq_raw, server_port, at, number, conversation, told, judging, seen, missed, is_repeat)) AS compared_events,
        sumMap(arrayFlatten(arrayMap(one -> arrayMap(other -> cityHash64(one, other), arrayFilter(other -> NOT has(seen, other), arrayDistinct(arrayConcat(judging.point, missed)))), arrayDistinct(seen))) AS pairs, arrayMap(pair -> 1, pairs)) AS before
    FROM evidence
    GROUP BY minute, sender, receiver
),
-- One row for each event and each sensor that can say something of it. The hosts are columns and keys of their own, so
-- that who asks of one has no events of others put together.
witnesses AS
(
    SELECT minute, sender, receiver, event.1.2 AS src_port, event.2.2 AS dst_port, event.3 AS seq_raw, event.4 AS server_port, event.5 AS at, event.6 AS number, event.8 AS told, event.9 AS judging, event.10 AS seen, event.11 AS missed, event.12 AS is_repeat, before, point,
        judging[indexOf(judging.point, point)] AS row,
        judging[1].at AS base_at,
        judging[1].cause = 'syn_retry' AS is_handshake,
        arrayFirst(one -> one.point = judging[1].point, watchers) AS base,
        arrayFirst(one -> one.point = point, watchers) AS watcher,
        watcher.client = (sender, src_port) AS is_client,
        arrayMap(one -> (one.1, if(sender <= receiver, 1, -1) * one.2), places) AS known_places
    FROM (SELECT minute, sender, receiver, before, event FROM compared ARRAY JOIN compared_events AS event) AS told_events LEFT JOIN watching ON told_events.minute = watching.minute AND told_events.event.7 = watching.conversation
    ARRAY JOIN arrayDistinct(arrayConcat(judging.point, seen, missed, watchers.point)) AS point
),
-- A sensor without a verdict is a witness only if it had the conversation then, and its place on the way is known. Of a
-- handshake that it saw whole it had one copy of each: so times, which begin with the first one there, need not agree.
placed AS
(
    SELECT minute, sender, receiver, src_port, dst_port, seq_raw, server_port, at, number, is_repeat, point, row,
        arrayMap(one -> (one.2, before.2[indexOf(before.1, cityHash64(one.1, point))] - before.2[indexOf(before.1, cityHash64(point, one.1))]), known_places) AS others,
        arrayMax(arrayPushBack(arrayFilter(one -> one.2 > 0, others).1, -9000000000000000000)) AS ahead_of_it,
        arrayMin(arrayPushBack(arrayFilter(one -> one.2 < 0, others).1, 9000000000000000000)) AS behind_it,
        arrayFirst(one -> one.1 = point, known_places) AS own_place,
        own_place.1 = point AS is_placed,
        if(watcher.has_syn AND base.has_syn, watcher.opened - base.opened, 0) AS ahead,
        watcher.slack AS slack,
        (watcher.has_end AND base.has_end AND base_at + watcher.last - base.last BETWEEN watcher.first - slack AND watcher.last + slack) OR (is_handshake AND watcher.has_handshake) AS has_whole,
        has_whole OR base_at + ahead BETWEEN watcher.first - slack AND watcher.last + slack AS was_there,
        has_whole OR base_at + ahead BETWEEN watcher.first + slack AND watcher.last - slack AS was_surely_there,
        multiIf(has(seen, point), 'seen', row.at > 0 OR has(missed, point), 'missed', NOT has(told, point) AND (is_placed OR ahead_of_it > -9000000000000000000) AND if(is_client, watcher.client_segments, watcher.server_segments) > 0 AND was_there, 'silent', '') AS mark,
        multiIf(is_placed, (own_place.2, 0), mark = 'seen', (ahead_of_it, 1), (behind_it, -1)) AS depth
    FROM witnesses
),
-- The sensors in the order of the way: by falling TTL, or by the round trips to both ends.
ways AS
(
    SELECT minute, sender, receiver, any(placed.src_port) AS src_port, any(placed.dst_port) AS dst_port, any(placed.seq_raw) AS seq_raw, any(placed.server_port) AS server_port, any(placed.at) AS at, any(placed.is_repeat) AS is_repeat,
        minIf(row.ttl, row.at > 0) != maxIf(row.ttl, row.at > 0) AND countIf(row.at = 0) = 0 AS by_ttl,
        arraySort(one -> (if(by_ttl, -toInt16(one.3.ttl), 0), one.4), groupArray((point.1, mark, row, depth, was_surely_there))) AS line,
        line.2 AS marks,
        arrayFilter(row -> row.at > 0, line.3) AS rows
    FROM placed
    WHERE mark != ''
    GROUP BY minute, sender, receiver, number
),
-- The sensor nearest to the sender that knows a cause decides it: it sees the sender's own silence best.
causes AS
(
    SELECT minute, at, sender, receiver, src_port, dst_port, server_port, seq_raw, is_repeat, line, marks, rows,
        arrayFirst(one -> one.needed != 'unknown', rows).needed AS need,
        arraySort(one -> multiIf(one.cause IN ('unknown', 'capture_duplicate', 'application_idle', 'window_closed'), 2, one.cause = 'reordering' AND need = 'needed', 1, 0), rows)[1] AS deciding,
        arrayMap(cut -> arraySum((mark, place) -> if(mark = 'seen', 2 * (place > cut), (mark = 'missed') * (place <= cut)), marks, arrayEnumerate(marks)), range(length(marks) + 1)) AS against
    FROM ways
),
-- The hop lies where fewest witnesses contradict; to have seen a copy weighs more than to have missed it. What was sent
-- needlessly is known to be lost only where one that saw what was sent before says so: by what it has a verdict on, or,
-- of a repeat that others have a verdict on, by having none and having been there for longer.
cuts AS
(
    SELECT minute, at, sender, receiver, src_port, dst_port, server_port, seq_raw, line, marks, rows, deciding, if(need = '', 'unknown', need) AS need, arrayMin(against) AS contradicting,
        multiIf((need != 'spurious' OR (contradicting = 0 AND has(marks, 'seen') AND (has(marks, 'missed') OR (is_repeat AND marks[-1] = 'silent' AND line[-1].5)))) AND deciding.is_sent_again, 1, deciding.cause IN ('reordering', 'network_duplicate', 'capture_duplicate', 'injected_reset'), 2, 0) AS kind,
        multiIf(kind = 1, arrayLastIndex((mark, place) -> mark = 'seen' AND place < indexOf(against, contradicting), marks, arrayEnumerate(marks)), kind = 2, arrayLastIndex((one, place) -> one.2 = 'silent' AND place < arrayFirstIndex(other -> other.3.at > 0, line), line, arrayEnumerate(line)), 0) AS from_place
    FROM causes
    WHERE deciding.cause != 'capture_duplicate' OR length(rows) > 1
),
hops AS
(
    SELECT minute, at, sender, receiver, src_port, dst_port, server_port, seq_raw, line, rows, deciding, need, contradicting, kind, from_place,
        multiIf(kind = 1 AND from_place > 0, if(arrayExists((mark, place) -> mark != 'seen' AND place > from_place, marks, arrayEnumerate(marks)), arrayFirstIndex((mark, place) -> mark != 'seen' AND place > from_place, marks, arrayEnumerate(marks)), arrayLastIndex(mark -> mark = 'missed', marks)), kind = 1, arrayFirstIndex(mark -> mark = 'missed', marks), kind = 2, arrayFirstIndex(one -> one.3.at > 0, line), 0) AS to_place,
        kind = 1 AND need = 'unknown' AND (from_place = 0 OR to_place = 0) AS is_open
    FROM cuts
)
SELECT
    minute AS time,
    fromUnixTimestamp64Nano(at, 'UTC') AS ts,
    if(deciding.cause = 'capture_duplicate', 'network_duplicate', deciding.cause) AS cause,
    if(kind = 1 AND from_place > 0 AND to_place > 0 AND need = 'unknown', 'needed', need) AS needed,
    if(is_open OR from_place = 0, '', line[from_place].1) AS hop_from,
    if(is_open OR to_place = 0, '', line[to_place].1) AS hop_to,
    contradicting,
    rows.point.1 AS sensors,
    rows.point.2 AS sessions,
    rows.frame AS frames,
    rows.cause AS causes,
    line.1 AS way,
    round(toFloat64(deciding.confidence), 4) AS confidence,
    deciding.stalled / 1e6 AS stalled_ms,
    deciding.bytes_again AS bytes_again,
    replaceRegexpOne(toString(sender), '^::ffff:([0-9.]+)$', '\\1') AS src,
    sender AS src_ip,
    src_port,
    replaceRegexpOne(toString(receiver), '^::ffff:([0-9.]+)$', '\\1') AS dst,
    receiver AS dst_ip,
    dst_port,
    server_port,
    seq_raw,
    rows[1].packet.length AS payload_bytes,
    rows[1].packet.ip_id AS ip_id,
    rows[1].packet.tsval AS tsval
FROM hops
-- Half of the planning otherwise goes into a search for chains of comparisons, of which there are none.
SETTINGS optimize_and_compare_chain = 0
COMMENT 'Each event of the network once, however many sensors have a verdict on it: why, and between which two it was';

CREATE VIEW IF NOT EXISTS network_verdicts_per_minute
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    cause String COMMENT 'Why the segments are there',
    needed String COMMENT 'Whether the receiver lacked what was sent again: needed, spurious or unknown',
    hop_from String COMMENT 'Last sensor before the hop; empty if it was before all of them, or is not known',
    hop_to String COMMENT 'First sensor behind the hop; empty if it was behind all of them, or is not known',
    events UInt64 COMMENT 'How many there are, each counted once',
    contradicted UInt64 COMMENT 'How many of them sensors contradict each other about',
    stalled_ms Float64 COMMENT 'Milliseconds that delivery stood still for them, summed over conversations',
    bytes_again UInt64 COMMENT 'Payload bytes that had been sent before'
)
AS SELECT
    event.time AS time,
    event.cause AS cause,
    event.needed AS needed,
    event.hop_from AS hop_from,
    event.hop_to AS hop_to,
    count() AS events,
    countIf(event.contradicting > 0) AS contradicted,
    sum(event.stalled_ms) AS stalled_ms,
    sum(event.bytes_again) AS bytes_again
FROM network_verdicts AS event
GROUP BY time, cause, needed, hop_from, hop_to
COMMENT 'Events of the network by minute, cause and hop, each counted once; rows of one cause and hop add up';

CREATE VIEW IF NOT EXISTS sensor_pairs
(
    time DateTime('UTC') COMMENT 'Start of the minute',
    sensor String COMMENT 'Name of a sensor',
    other_sensor String COMMENT 'Name of another that saw the same packets',
    packets UInt64 COMMENT 'Packets that both have a verdict on, in conversations of which both saw both directions',
    clock_ahead_ms Float64 COMMENT 'Milliseconds that the clock of other_sensor is ahead, from the fastest packet of each direction as NTP does it: exact if both took equally long',
    uncertain_ms Float64 COMMENT 'Milliseconds by which that may be off: half of the least times there and back',
    delay_there_ms Float64 COMMENT 'Median milliseconds from sensor to other_sensor, with the clocks so corrected',
    delay_back_ms Float64 COMMENT 'The same from other_sensor to sensor'
)
AS WITH
passages AS
(
    SELECT
        toStartOfMinute(verdict.time) AS minute,
        if(verdict.from_client, (verdict.client, verdict.client_port), (verdict.server, verdict.server_port)) AS source,
        if(verdict.from_client, (verdict.server, verdict.server_port), (verdict.client, verdict.client_port)) AS target,
        arraySort(groupArray((toString(verdict.sensor), verdict.session, toUnixTimestamp64Nano(verdict.ts)))) AS points
    FROM verdicts AS verdict FINAL
    WHERE NOT endsWith(verdict.sensor, ' (replay)') AND (verdict.ip_id, verdict.tsval) != (0, 0) AND verdict.cause NOT IN ('network_duplicate', 'capture_duplicate', 'reordering')
    GROUP BY minute, source, target, verdict.seq_raw, verdict.payload_len, verdict.ip_id, verdict.tsval
    HAVING length(points) > 1 AND length(arrayDistinct(points.2)) = length(points)
),
gaps AS
(
    SELECT minute, source < target AS is_up, least(source, target) AS low, greatest(source, target) AS high, pair.1 AS sensor, pair.2 AS other_sensor, pair.3 AS gap
    FROM passages
    ARRAY JOIN arrayFlatten(arrayMap((one, place) -> arrayMap(other -> (one.1, other.1, other.3 - one.3), arraySlice(points, place + 1)), points, arrayEnumerate(points))) AS pair
    WHERE sensor != other_sensor
),
-- Of one conversation: what goes from sensor to other_sensor shows the greater gap, whatever the clocks show.
conversations AS
(
    SELECT minute, sensor, other_sensor, groupArrayIf(gap, is_up) AS up, groupArrayIf(gap, NOT is_up) AS down
    FROM gaps
    GROUP BY minute, sensor, other_sensor, low, high
    HAVING length(up) > 0 AND length(down) > 0
),
pairs AS
(
    SELECT
        minute, sensor, other_sensor,
        arrayFlatten(groupArray(if(arrayAvg(up) > arrayAvg(down), up, down))) AS there,
        arrayFlatten(groupArray(if(arrayAvg(up) > arrayAvg(down), down, up))) AS back,
        (arrayMin(there) + arrayMax(back)) / 2 AS ahead
    FROM conversations
    GROUP BY minute, sensor, other_sensor
)
SELECT
    minute AS time,
    sensor,
    other_sensor,
    length(there) + length(back) AS packets,
    ahead / 1e6 AS clock_ahead_ms,
    (arrayMin(there) - arrayMax(back)) / 2e6 AS uncertain_ms,
    (arrayReduce('quantile', there) - ahead) / 1e6 AS delay_there_ms,
    (ahead - arrayReduce('quantile', back)) / 1e6 AS delay_back_ms
FROM pairs
COMMENT 'How far the clocks of two sensors are apart, and how long packets take between them, by minute';
