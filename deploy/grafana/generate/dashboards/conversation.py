"""Everything about one flow."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.generate import annotations, links, variables
from deploy.grafana.generate.board import board
from deploy.grafana.generate.fields import (
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
from deploy.grafana.generate.panels import HIGH, LOW, bars, lines, points, rows
from deploy.grafana.generate.queries import conversation as queries

_SERIES: Final = {
    "sent": "blue",
    "acknowledged": "green",
    "sent_again": "red",
    "out_of_order": "purple",
    "after_a_gap": "dark-orange",
    "duplicate_ack": "yellow",
    "window_closed": "super-light-red",
}
_HOW_TO_READ: Final = (
    "Every point is a segment: how far the sender had got in its bytes, and when; how far the other side had "
    "acknowledged. Steep is fast, flat is waiting; red was sent again, orange comes after something that was not "
    "captured. Without stored segments (setting `segments`) only labelled ones are there."
)
_EXACT: Final = "time:HH:mm:ss.SSS"


def _summary() -> Section:
    host = links.from_row(links.HOST, ("sensor",), host="client")
    service = links.from_row(links.HOST, ("sensor",), host="server", port="port")
    return Section(
        "In sum",
        [
            rows(
                "The conversation",
                (
                    "Its ends, how it ended and what it suffered, from its first segment to its last one, whatever "
                    "the range of time. Round trip times are those between the sensor and each end."
                ),
                queries.SUMMARY,
                {
                    "opened": Column("opened", "dateTimeAsIso"),
                    "client": Column("client", links=[host]),
                    "client_port": Column("client port", WHOLE),
                    "server": Column("server", links=[service]),
                    "port": Column("port"),
                    "ended": Column("ended"),
                    "ended_by": Column("ended by"),
                    "seconds": Column("duration", SECONDS),
                    "handshake": Column("handshake", MILLISECONDS),
                    "client_rtt": Column("round trip, client", MILLISECONDS),
                    "server_rtt": Column("round trip, server", MILLISECONDS),
                    "segments": Column("segments", NUMBER),
                    "payload": Column("payload", BYTES),
                    "retransmissions": Column("retransmissions", NUMBER),
                    "retransmission_percent": Column("of the segments", PERCENT, SHARE_SENT_AGAIN),
                    "duplicate_acks": Column("duplicate ACKs", NUMBER),
                    "out_of_order": Column("out of order", NUMBER),
                    "lost_segments": Column("after a gap", NUMBER),
                    "window_closed": Column("window closed", SECONDS, (1, 10)),
                    "resets": Column("resets", NUMBER),
                    "sensor": Column("sensor"),
                    "community_id": Column("Community ID"),
                    "quality": Column("quality of the capture"),
                },
                height=LOW,
            )
        ],
    )


def _picture() -> Section:
    return Section(
        "Time-sequence picture",
        [
            points("Bytes of the client over time", _HOW_TO_READ, NUMBER, queries.picture(1), "seconds", _SERIES),
            points("Bytes of the server over time", _HOW_TO_READ, NUMBER, queries.picture(0), "seconds", _SERIES),
        ],
    )


def _over_time() -> Section:
    return Section(
        "Over time",
        [
            lines(
                "Payload",
                "Payload bytes that each side sent by the minute, repeats included.",
                BYTES,
                queries.OVER_TIME,
                width=8,
            ),
            lines(
                "Windows and bytes in flight",
                (
                    "Receive windows, and bytes that were sent and not acknowledged, at the labelled segments. A "
                    "sender stops where the two meet."
                ),
                BYTES,
                queries.WINDOWS,
                least_interval=None,
                width=8,
            ),
            bars(
                "Labels and resets",
                "Segments with each label or class of reset, by the side that sent them.",
                NUMBER,
                queries.LABELS,
                width=8,
            ),
        ],
    )


def _anomalies() -> Section:
    return Section(
        "Every anomaly",
        [
            rows(
                "Labelled segments and resets",
                (
                    "Each with its numbers, as Wireshark has them: sequence numbers are relative, the frame is that "
                    "of the capture. What comes after a gap or looks repeated may be the fault of the capture; then "
                    "the column doubt says so."
                ),
                queries.ANOMALIES,
                {
                    "time": Column("time", _EXACT, width=120),
                    "frame": Column("frame", WHOLE),
                    "sender": Column("sender"),
                    "labels": Column("labels", width=240),
                    "reset": Column("reset"),
                    "seq": Column("seq", WHOLE),
                    "next_seq": Column("next seq", WHOLE),
                    "ack": Column("ack", WHOLE),
                    "payload": Column("payload", WHOLE),
                    "window": Column("window", WHOLE),
                    "in_flight": Column("in flight", WHOLE),
                    "rto": Column("waited", MILLISECONDS),
                    "rto_frame": Column("since frame", WHOLE),
                    "ack_rtt": Column("round trip", MILLISECONDS),
                    "acks_frame": Column("acknowledges frame", WHOLE),
                    "dup_ack_num": Column("duplicate number", WHOLE),
                    "dup_ack_frame": Column("duplicate of frame", WHOLE),
                    "ttl": Column("TTL", WHOLE),
                    "doubt": Column("doubt"),
                    "quality": Column("quality"),
                },
                height=HIGH,
            )
        ],
    )


def _verdicts() -> Section:
    return Section(
        "Why",
        [
            rows(
                "Verdicts",
                (
                    "Why segments were sent again, came late or twice, what new data waited for, who sent resets; "
                    "whether a repeat was needed, where its original was lost, and how sure that is (docs/verdicts.md)."
                ),
                queries.VERDICTS,
                {
                    "time": Column("time", _EXACT, width=120),
                    "frame": Column("frame", WHOLE),
                    "sender": Column("sender"),
                    "cause": Column("cause", width=150),
                    "needed": Column("needed"),
                    "place": Column("lost"),
                    "stage": Column("stage"),
                    "stalled": Column("stood still", MILLISECONDS),
                    "bytes_again": Column("sent again", BYTES),
                    "confidence": Column("sure", PERCENT),
                    "original_frame": Column("original frame", WHOLE),
                    "silence": Column("silence", MILLISECONDS),
                    "duplicate_acks": Column("duplicate ACKs", WHOLE),
                    "episode": Column("episode", WHOLE),
                    "revision": Column("revision", WHOLE),
                    "amended_by": Column("amended by frame", WHOLE),
                    "proof": Column("proof", width=240),
                },
                height=HIGH,
            )
        ],
    )


def _hops() -> Section:
    return Section(
        "Where",
        [
            rows(
                "Events, as all sensors see them",
                (
                    "Each event once, with the two sensors between which it was, and the frame and cause of each "
                    "sensor that has a verdict on it (docs/network.md). An empty end lies before, or behind, all of "
                    "them, or is not known."
                ),
                queries.HOPS,
                {
                    "time": Column("time", _EXACT, width=120),
                    "sender": Column("sender"),
                    "cause": Column("cause", width=150),
                    "needed": Column("needed"),
                    "hop_from": Column("from sensor"),
                    "hop_to": Column("to sensor"),
                    "contradicting": Column("contradicting", WHOLE),
                    "sensors": Column("sensors", width=200),
                    "frames": Column("their frames"),
                    "causes": Column("their causes", width=240),
                    "way": Column("way", width=200),
                },
            )
        ],
    )


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        links.CONVERSATION,
        "Everything about one conversation: its picture, every anomaly with its numbers, and why.",
        [*variables.PLACES, variables.CONVERSATION],
        [annotations.CONVERSATION_EVENTS],
        [_summary(), _picture(), _over_time(), _verdicts(), _hops(), _anomalies()],
    )
