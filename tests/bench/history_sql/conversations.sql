-- Conversations, all of whose properties come from hashes of their number: what is left open are day and numbers.
-- Few hosts have many of them, days have nights, a tenth is IPv6, a quarter comes from outside.
SELECT
    number AS n,
    (cityHash64(n, 1) % 1000003) / 1000003 AS kind,
    (cityHash64(n, 2) % 1000003) / 1000003 AS service,
    (cityHash64(n, 3) % 1000003) / 1000003 AS ending,
    (cityHash64(n, 4) % 1000003) / 1000003 AS length,
    pow((cityHash64(n, 5) % 1000003) / 1000003, 3) AS client_rank,
    pow((cityHash64(n, 6) % 1000003) / 1000003, 4) AS server_rank,
    (cityHash64(n, 7) % 1000003) / 1000003 AS trouble,
    (n % {a_day} + 0.5) / {a_day} AS share,
    toInt64(1e9 * ({begin} + 86400 * (share + 0.6 * sin(2 * pi() * share) / (2 * pi())))) AS opened_ns,
    toUInt8(cityHash64(n, 8) % 8) AS sensor_number,
    concat('sensor-', toString(sensor_number)) AS sensor,
    toUUID(concat('00000000-0000-4000-8000-', leftPad(toString(1000 * intDiv({day_number}, 7) + sensor_number), 12, '0'))) AS session,
    toInt32(intDiv(n, 8)) AS stream,
    toUInt32(client_rank * if(kind >= 0.1 AND kind < 0.35, 20000, 5000)) AS client_number,
    toUInt32(server_rank * if(kind < 0.6, 300, 4000)) AS server_number,
    multiIf(
        kind < 0.1, toIPv6(concat('2001:db8:20:', lower(hex(toUInt16(intDiv(client_number, 200)))), '::', lower(hex(toUInt16(client_number))))),
        kind < 0.35, IPv4ToIPv6(toUInt32(IPv4StringToNum('203.0.0.0') + cityHash64(client_number) % 4000000)),
        IPv4ToIPv6(toUInt32(IPv4StringToNum('10.20.0.1') + 256 * intDiv(client_number, 200) + client_number % 200))
    ) AS client,
    multiIf(
        kind < 0.1, toIPv6(concat('2001:db8:30::', lower(hex(toUInt16(server_number))))),
        kind < 0.6, IPv4ToIPv6(toUInt32(IPv4StringToNum('10.30.0.0') + server_number)),
        server_number < 256, IPv4ToIPv6(toUInt32(IPv4StringToNum('192.0.2.0') + server_number)),
        IPv4ToIPv6(toUInt32(IPv4StringToNum('93.0.0.0') + cityHash64(server_number) % 8000000))
    ) AS server,
    toUInt16(32768 + cityHash64(n, 9) % 28232) AS client_port,
    toUInt16(multiIf(
        service < 0.6, 443, service < 0.68, 80, service < 0.76, 5432, service < 0.82, 3306, service < 0.87, 6379,
        service < 0.9, 8080, service < 0.92, 22, service < 0.94, 993, service < 0.96, 9092, service < 0.98, 25,
        1024 + cityHash64(n, 10) % 4000
    )) AS server_port,
    toInt64(if(kind < 0.6, 400000, 12000000) * (1 + 9 * server_rank)) AS rtt,
    toUInt8(least(60, floor(pow(1.000001 - length, -0.45)))) AS minutes,
    toUInt8(multiIf(
        ending < 0.92, 0, ending < 0.94, 1, ending < 0.945, 2, ending < 0.96, 3, ending < 0.975, 4, ending < 0.985, 5,
        ending < 0.988, 6, ending < 0.995, 7, ending < 0.996, 8, ending < 0.998, 9, 10
    )) AS reset_number,
    ending >= 0.4 AND ending < 0.42 AS unanswered,
    toUInt32(1536 + if(service < 0.002, 262144, 0) + if(length < 0.01, 4194304, 0)) AS quality
FROM numbers({first}, {count})
