-- A heartbeat of each sensor every ten seconds.
INSERT INTO sensors
(
    sensor, session, stored, ts, time, host, interface, snaplen, version, state, frames, segments, kernel_drops
)
SELECT
    concat('sensor-', toString(number % 8)) AS sensor,
    toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(1000 * intDiv({day_number}, 7) + number % 8), 12, '0'))),
    toDate('{day}'), fromUnixTimestamp64Nano(1000000000 * ({begin} + 10 * intDiv(number, 8)), 'UTC'),
    toDateTime({begin} + 10 * intDiv(number, 8), 'UTC'), concat(sensor, '.example'), 'eth0', 96, '0.1.0', 'running',
    100000 * number, 99000 * number, intDiv(number, 5000)
FROM numbers(69120)
