"""The SQL that gives each figure of a report out of the store, once ``segwatch analyze`` has stored the capture."""

from uuid import UUID

_QUERIES = {
    "size": (
        "SELECT segments, conversations, first, last, state FROM captures WHERE session = '{session}'",
        (
            "SELECT sum(client_payload_bytes + server_payload_bytes) AS payload_bytes, "
            "sum(client_segments + server_segments) AS segments FROM intervals WHERE session = '{session}'"
        ),
    ),
    "timeline": (
        (
            "SELECT time, sum(client_segments + server_segments) AS segments, "
            "8 * sum(client_payload_bytes + server_payload_bytes) / 60 AS bits_a_second "
            "FROM intervals WHERE session = '{session}' GROUP BY time ORDER BY time"
        ),
        (
            "SELECT time, kind, sum(segments) AS segments FROM anomalies_1m WHERE session = '{session}' "
            "GROUP BY time, kind ORDER BY time, kind"
        ),
    ),
    "labels": (
        (
            "SELECT arrayJoin(label_names) AS label, count() AS segments FROM anomalies WHERE session = '{session}' "
            "GROUP BY label ORDER BY segments DESC, label"
        ),
        (
            "SELECT sum(client_retransmitted_bytes + server_retransmitted_bytes) AS sent_again "
            "FROM intervals WHERE session = '{session}'"
        ),
    ),
    "conversations": (
        (
            "SELECT client, client_port, server, server_port, segments, retransmission_percent, zero_window_ms, "
            "initial_rtt_ms FROM connections WHERE session = '{session}' "
            "ORDER BY retransmissions DESC, zero_window_ms DESC LIMIT 10"
        ),
    ),
    "resets": (
        (
            "SELECT reset, count() AS segments, uniqExact(stream) AS conversations FROM anomalies "
            "WHERE session = '{session}' AND reset != '' GROUP BY reset ORDER BY segments DESC, reset"
        ),
    ),
    "round_trips": (
        (
            "SELECT sum(client_rtt_count) AS samples, sum(client_rtt_sum) / samples / 1e6 AS average_ms, "
            "max(client_rtt_max) / 1e6 AS max_ms FROM intervals WHERE session = '{session}'"
        ),
        (
            "SELECT quantilesExact(0.5, 0.9, 0.99)(initial_rtt_ms) AS milliseconds FROM connections "
            "WHERE session = '{session}' AND initial_rtt_ms > 0"
        ),
    ),
    "segments": (
        (
            "SELECT time_relative / 1e9 AS seconds, frame, label_names, seq, ack, payload_len, window "
            "FROM anomalies WHERE session = '{session}' AND stream = {stream} ORDER BY frame"
        ),
    ),
}


def queries(figure: str, digest: str, stream: int = 0) -> list[str]:
    """Return the queries of a figure for the capture with this digest."""
    session = str(UUID(hex=digest))
    return [query.format(session=session, stream=stream) for query in _QUERIES[figure]]
