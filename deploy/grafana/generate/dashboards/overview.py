"""Whether the network is healthy, now and against last week, and where it is not."""

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.generate import annotations, links, variables
from deploy.grafana.generate.board import board
from deploy.grafana.generate.fields import (
    BITS_A_SECOND,
    BYTES,
    NUMBER,
    PERCENT,
    SECONDS,
    SHARE_SENT_AGAIN,
    TIMES,
    Column,
)
from deploy.grafana.generate.layout import Section
from deploy.grafana.generate.panels import lines, number, rows
from deploy.grafana.generate.queries import overview as queries

_KEPT = ("sensor",)
_TROUBLE = {
    "again": Column("bytes sent again", BYTES),
    "sent_again": Column("of those it sent", PERCENT, SHARE_SENT_AGAIN),
    "received_again": Column("of those sent to it", PERCENT, SHARE_SENT_AGAIN),
    "window_closed": Column("its window closed", SECONDS, (1, 10)),
    "resets": Column("resets", NUMBER),
    "payload": Column("payload", BYTES),
}


def _now() -> Section:
    return Section(
        "Now",
        [
            number(
                "Sent again, of the bytes",
                (
                    "Payload bytes that were sent again, of all payload bytes in the range of time. A healthy network "
                    "stays below 0.1 %."
                ),
                PERCENT,
                queries.BYTES_AGAIN,
                SHARE_SENT_AGAIN,
            ),
            number(
                "Sent again, of the segments",
                "Segments labelled retransmission, fast or spurious ones included, of all segments with payload.",
                PERCENT,
                queries.SEGMENTS_AGAIN,
                SHARE_SENT_AGAIN,
            ),
            number(
                "Against last week",
                "The share of bytes that were sent again, as a multiple of that of the same time a week before.",
                TIMES,
                queries.CHANGE,
                (1.5, 3),
            ),
            number(
                "Stalled",
                (
                    "Seconds in which some side had its receive window closed, of all conversations together: an "
                    "application that does not read."
                ),
                SECONDS,
                queries.STALLED,
                (10, 60),
            ),
            number("Resets", "Segments with RST. The dashboard Resets tells them apart.", NUMBER, queries.RESETS),
            number(
                "Conversations",
                "TCP conversations that sent anything in the range of time, as captured.",
                NUMBER,
                queries.CONVERSATIONS,
            ),
        ],
    )


def _against_last_week() -> Section:
    return Section(
        "Over time, dashed a week before",
        [
            lines(
                "Bytes sent again",
                "Share of the payload bytes that were sent again, and dashed the same a week before.",
                PERCENT,
                queries.BYTES_AGAIN_OVER_TIME,
                queries.BYTES_AGAIN_LAST_WEEK,
                limits=SHARE_SENT_AGAIN,
            ),
            lines(
                "Segments sent again",
                (
                    "Share of the segments with payload that are labelled retransmission, fast or spurious ones "
                    "included, and dashed the same a week before."
                ),
                PERCENT,
                queries.SEGMENTS_AGAIN_OVER_TIME,
                queries.SEGMENTS_AGAIN_LAST_WEEK,
                limits=SHARE_SENT_AGAIN,
            ),
            _stalled(),
            _reasons(),
            lines(
                "Resets by class",
                "Segments with RST by what they mean: refused, aborted, after a FIN, off sequence and so on.",
                NUMBER,
                queries.RESETS_BY_CLASS,
                by="reset",
                stacked=True,
                width=8,
            ),
            lines(
                "Traffic",
                (
                    "Payload of both sides, and dashed the same a week before: rates mean little where hardly "
                    "anything is sent."
                ),
                BITS_A_SECOND,
                queries.TRAFFIC_OVER_TIME,
                queries.TRAFFIC_LAST_WEEK,
                width=12,
            ),
            number(
                "Traffic, average",
                "Payload of both sides, over the whole range of time.",
                BITS_A_SECOND,
                queries.TRAFFIC,
                width=4,
            ),
        ],
    )


def _stalled() -> Panel:
    return lines(
        "Stalled over time",
        (
            "Seconds in which windows were closed, and seconds that senders waited before they sent something "
            "again (retransmission timeouts; one counts for each segment that was sent again after it), of "
            "all conversations together."
        ),
        SECONDS,
        queries.CLOSED_WINDOWS_OVER_TIME,
        queries.WAITS_OVER_TIME,
    )


def _reasons() -> Panel:
    return lines(
        "Stalled, by reason",
        (
            "Seconds in which delivery stood still, of all conversations together, by what it waited for: the "
            "handshake (a SYN sent again), a timeout, recovery (repeats that acknowledgments asked for), the receiver "
            "(its window was closed), or the sender (its application had nothing to send for longer than a timeout)."
        ),
        SECONDS,
        queries.STALLED_BY_REASON,
        stacked=True,
        by="reason",
    )


def _where() -> Section:
    network = Column("network", links=[links.from_row(links.HOST, _KEPT, network="network")])
    to_host = links.from_row(links.HOST, _KEPT, host="host")
    to_resets = links.from_row(links.RESETS, _KEPT, host="host")
    service = links.from_row(links.HOST, ("sensor",), host="host", port="port")
    return Section(
        "Where",
        [
            rows(
                "Worst subnets",
                "Networks (/24 of IPv4, /64 of IPv6) by the bytes that were sent again by their hosts and to them.",
                queries.WORST_SUBNETS,
                {"network": network, **_TROUBLE},
                width=12,
            ),
            rows(
                "Worst hosts",
                (
                    "Hosts by the bytes that were sent again by them and to them. What is bad in one direction alone "
                    "speaks for its sender's side of the path."
                ),
                queries.WORST_HOSTS,
                {"host": Column("host", links=[to_host, to_resets]), **_TROUBLE},
                width=12,
            ),
            rows(
                "Worst services",
                "Servers and ports by the bytes that were sent again by them and to them.",
                queries.WORST_SERVICES,
                {"host": Column("server", links=[service, to_resets]), "port": Column("port"), **_TROUBLE},
            ),
        ],
    )


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        links.OVERVIEW,
        "Is the network healthy, now and against last week, and where is it not?",
        [variables.SENSOR],
        [annotations.CAPTURE_LOSS, annotations.SENSOR_PROBLEMS, annotations.INJECTIONS],
        [_now(), _against_last_week(), _where()],
    )
