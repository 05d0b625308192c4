"""What is wrong with a host or a service, in both directions, and with which peers."""

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.generate import annotations, links, variables
from deploy.grafana.generate.board import board
from deploy.grafana.generate.fields import (
    BITS_A_SECOND,
    BYTES,
    MILLISECONDS,
    NUMBER,
    PERCENT,
    SECONDS,
    SHARE_SENT_AGAIN,
    WHOLE,
    Column,
)
from deploy.grafana.generate.layout import Section
from deploy.grafana.generate.panels import HIGH, lines, number, rows
from deploy.grafana.generate.queries import hosts as queries

_KEPT = ("sensor", "network", "host", "port")
_SLOW = (100, 300)
_NUMBERS = {
    "payload": Column("payload", BYTES),
    "client_again": Column("client sent again", PERCENT, SHARE_SENT_AGAIN),
    "server_again": Column("server sent again", PERCENT, SHARE_SENT_AGAIN),
    "retransmissions": Column("retransmissions", NUMBER),
    "window_closed": Column("window closed", SECONDS, (1, 10)),
    "resets": Column("resets", NUMBER),
    "client_rtt": Column("round trip, client", MILLISECONDS, _SLOW),
    "server_rtt": Column("round trip, server", MILLISECONDS, _SLOW),
}


def _now() -> Section:
    return Section(
        "What is chosen above, both directions",
        [
            number(
                "Sent again",
                "Share of the payload bytes that clients, and that servers, sent again.",
                PERCENT,
                queries.AGAIN,
                SHARE_SENT_AGAIN,
                width=6,
            ),
            number(
                "Windows closed",
                (
                    "Seconds in which clients, and servers, had their receive window closed: they do not read what "
                    "they are sent."
                ),
                SECONDS,
                queries.CLOSED,
                (1, 10),
                width=6,
            ),
            number(
                "Round trip time",
                (
                    "Mean time from a segment to its acknowledgment, between the sensor and clients, and the sensor "
                    "and servers."
                ),
                MILLISECONDS,
                queries.ROUND_TRIP,
                _SLOW,
                width=6,
            ),
            number(
                "Conversations and resets",
                "Conversations that sent anything in the range of time, and their segments with RST.",
                NUMBER,
                queries.CONVERSATIONS,
                width=6,
            ),
        ],
    )


def _over_time() -> Section:
    return Section(
        "Over time",
        [
            lines(
                "Traffic",
                "Payload that clients, and that servers, sent.",
                BITS_A_SECOND,
                queries.TRAFFIC_OVER_TIME,
            ),
            lines(
                "Sent again over time",
                "Share of the payload bytes that clients, and that servers, sent again.",
                PERCENT,
                queries.AGAIN_OVER_TIME,
                limits=SHARE_SENT_AGAIN,
            ),
            lines(
                "Windows closed over time",
                "Seconds in which clients, and servers, had their window closed; counted when they send again.",
                SECONDS,
                queries.CLOSED_OVER_TIME,
            ),
            lines(
                "Round trip time over time",
                (
                    "Mean time between sensor and clients, and between sensor and servers. The slow side is where the "
                    "distance or the load is."
                ),
                MILLISECONDS,
                queries.ROUND_TRIP_OVER_TIME,
            ),
            _trend(),
            lines(
                "Labels",
                "Labelled segments; the variable Label chooses which. A segment can have several labels.",
                NUMBER,
                queries.LABELS_OVER_TIME,
                by="label",
                stacked=True,
                least_interval=None,
                width=8,
            ),
            lines(
                "Resets by class",
                "Segments with RST by what they mean.",
                NUMBER,
                queries.RESETS_OVER_TIME,
                by="reset",
                stacked=True,
                least_interval=None,
                width=8,
            ),
        ],
    )


def _trend() -> Panel:
    return lines(
        "Trend",
        ("Share of the payload bytes that were sent again in both directions, and dashed the same a week before."),
        PERCENT,
        queries.TREND,
        queries.TREND_LAST_WEEK,
        limits=SHARE_SENT_AGAIN,
        width=8,
    )


def _who() -> Section:
    client = links.from_row(links.HOST, ("sensor",), host="client")
    service = links.from_row(links.HOST, ("sensor",), host="server", port="port")
    resets = links.from_row(links.RESETS, ("sensor",), host="server", port="port")
    opened = links.from_row(links.CONVERSATION, _KEPT, conversation="conversation")
    return Section(
        "With whom",
        [
            rows(
                "Peers",
                "Pairs of client and service, those with most retransmissions first.",
                queries.PEERS,
                {
                    "client": Column("client", links=[client]),
                    "server": Column("server", links=[service, resets]),
                    "port": Column("port"),
                    "conversations": Column("conversations", NUMBER),
                    **_NUMBERS,
                },
            ),
            rows(
                "Worst conversations",
                "Conversations with most trouble in the range of time. The first column leads to everything about one.",
                queries.WORST_CONVERSATIONS,
                {
                    "conversation": Column("conversation", links=[opened], width=120),
                    "opened": Column("opened", "dateTimeAsIso"),
                    "client": Column("client", links=[client]),
                    "client_port": Column("client port", WHOLE),
                    "server": Column("server", links=[service]),
                    "port": Column("port"),
                    **_NUMBERS,
                },
                height=HIGH,
            ),
        ],
    )


def _where() -> Section:
    return Section(
        "Where",
        [
            rows(
                "Hops between sensors",
                (
                    "In the last hour of the range: between which two sensors segments were lost, copied or overtaken, "
                    "each event once however many sensors saw it (docs/network.md). An empty end lies before, or "
                    "behind, all sensors. With a host chosen it is read much faster."
                ),
                queries.HOPS,
                {
                    "hop_from": Column("from sensor"),
                    "hop_to": Column("to sensor"),
                    "cause": Column("cause"),
                    "needed": Column("needed"),
                    "events": Column("events", NUMBER),
                    "contradicted": Column("of them contradicted", NUMBER),
                    "stalled": Column("stood still", MILLISECONDS),
                    "bytes_again": Column("sent again", BYTES),
                    "way": Column("one of the ways"),
                },
            ),
        ],
    )


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        links.HOST,
        "What is wrong with a host or a service, in both directions, and with which peers?",
        [*variables.PLACES, variables.LABEL],
        [annotations.CAPTURE_LOSS, annotations.SENSOR_PROBLEMS],
        [_now(), _over_time(), _who(), _where()],
    )
