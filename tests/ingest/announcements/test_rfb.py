"""Conversations that become VNC in the middle."""

from typing import Any

import pytest

from ingest.announcements import rfb
from segwatch.vocabulary import Flag, Quality
from tests.ingest.announcements.conversation import Capture, Conversation

VERSION = b"RFB 003.008\n"
PORT = 7777


def _restarted(payload: bytes, port: int = PORT, flags: int = Flag.ACK, **more: Any) -> list[int]:
    """Return the marked frames of a connection whose fourth frame has the payload."""
    capture = Capture()
    conversation = Conversation(capture, 40_000, port)
    conversation.server(payload, flags, **more)
    conversation.client()
    conversation.server()
    return capture.marked(Quality.RESTARTED)


@pytest.mark.parametrize("payload", [VERSION, b"rfb xxx.yyy\0"])
def test_the_segment_after_a_version_message_is_marked(payload: bytes) -> None:
    assert _restarted(payload) == [5]


def test_a_longer_message_counts_where_twelve_bytes_were_captured() -> None:
    assert _restarted(VERSION + b"more", captured=12) == [5]
    assert _restarted(VERSION + b"more", captured=13) == []


@pytest.mark.parametrize(
    "payload", [b"RFB 003.008\r", b"RFB 003-008\n", b"RFA 003.008\n", VERSION + b"\0", VERSION[:11]]
)
def test_other_payload_is_no_version_message(payload: bytes) -> None:
    assert _restarted(payload) == []


@pytest.mark.parametrize("port", [5500, 5900, 5901, 80, 1080])
def test_ports_with_a_dissector_are_left_alone(port: int) -> None:
    assert _restarted(VERSION, port) == []


def test_the_text_of_a_reset_is_not_dissected() -> None:
    assert _restarted(VERSION, flags=Flag.ACK | Flag.RST) == []
    assert _restarted(VERSION, flags=Flag.ACK | Flag.FIN) == [5]


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 1000])
def test_a_conversation_restarts_once_until_a_syn_replaces_it(batch: int) -> None:
    capture = Capture()
    for first in (1000, 900_000):
        conversation = Conversation(capture, 40_000, PORT, first=first)
        conversation.server(VERSION)
        conversation.client(VERSION)
        conversation.server(b"\1\1")
    assert capture.marked(Quality.RESTARTED, batch) == [5, 11]


def test_a_trailer_behind_the_packet_does_not_hide_the_message() -> None:
    capture = Capture()
    conversation = Conversation(capture, 40_000, PORT)
    conversation.server(VERSION)
    time, data, _ = capture.frames[-1]
    capture.frames[-1] = (time, data + bytes(8), len(data) + 8)
    conversation.server()
    assert capture.marked(Quality.RESTARTED) == [5]


def test_the_oldest_conversations_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfb, "MOST_RECOGNISED", 2)
    capture = Capture()
    conversations = [Conversation(capture, port, PORT, handshake=False) for port in (40_001, 40_002, 40_003)]
    for conversation in conversations:
        conversation.server(VERSION)
    for conversation in conversations:
        conversation.client()
    assert capture.marked(Quality.RESTARTED) == [5, 6]
