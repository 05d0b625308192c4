"""Connections through a SOCKS proxy."""

from typing import Any

import pytest

from ingest.announcements import socks
from segwatch.vocabulary import Flag, Quality
from tests.ingest.announcements.conversation import MILLISECOND, Capture, Conversation

HELLO, NO_AUTHENTICATION = b"\5\1\0", b"\5\0"
ADDRESS = b"\1\xc0\0\2\1"
CONNECT, GRANTED = b"\5\1\0" + ADDRESS + b"\x20\x03", b"\5\0\0" + ADDRESS + b"\0\1"
CONNECT_4, GRANTED_4 = b"\4\1\x20\x03\xc0\0\2\1user\0", b"\0\x5a\0\0\0\0\0\0"

Script = list[tuple[str, bytes]]
VERSION_5: Script = [
    ("client", HELLO),
    ("server", NO_AUTHENTICATION),
    ("client", CONNECT),
    ("server", GRANTED),
]


def _play(capture: Capture, script: Script, **more: Any) -> Conversation:
    conversation = Conversation(capture, **more)
    for side, payload in script:
        getattr(conversation, side)(payload)
    return conversation


def _is_passed_on(script: Script, **more: Any) -> bool:
    """Say whether exactly the first of two payloads after a script is marked."""
    capture = Capture()
    conversation = _play(capture, script, **more)
    conversation.server()
    conversation.client(b"first")
    number = len(capture.frames)
    conversation.server(b"second")
    marked = capture.marked(Quality.PROXIED)
    assert marked in ([], [number])
    return bool(marked)


USER_NAME: Script = [
    ("client", b"\5\2\0\2"),
    ("server", b"\5\2"),
    ("client", b"\1\1u\1p"),
    ("server", b"\1\0"),
    ("client", CONNECT),
    ("server", GRANTED),
]
GSS_API: Script = [
    ("client", b"\5\1\1"),
    ("server", b"\5\1"),
    ("client", b"\1\1\0\2ab"),
    ("server", b"\1\1\0\0"),
    ("client", CONNECT),
    ("server", GRANTED),
]
VERSION_4: Script = [("client", CONNECT_4), ("server", GRANTED_4)]
VERSION_4A: Script = [("client", b"\4\1\x20\x03\0\0\0\1user\0host.example\0"), ("server", GRANTED_4)]
TOGETHER: Script = [("client", HELLO + CONNECT), ("server", NO_AUTHENTICATION), ("server", GRANTED)]
BY_NAME: Script = [*VERSION_5[:2], ("client", b"\5\1\0\3\4host\0\x50"), ("server", GRANTED)]
BY_IPV6: Script = [*VERSION_5[:2], ("client", b"\5\1\0\4" + bytes(16) + b"\0\x50"), ("server", GRANTED)]
REFUSED_5: Script = [*VERSION_5[:3], ("server", b"\5\5\0" + ADDRESS + b"\0\0")]
BIND_4: Script = [("client", b"\4\2\0\0\xc0\0\2\1\0"), ("server", GRANTED_4)]


@pytest.mark.parametrize(
    "script",
    [VERSION_5, USER_NAME, GSS_API, VERSION_4, VERSION_4A, BY_NAME, BY_IPV6, REFUSED_5, BIND_4],
)
def test_the_first_payload_after_the_handshake_is_marked(script: Script) -> None:
    assert _is_passed_on(script)


REFUSED_4: Script = [("client", CONNECT_4), ("server", b"\0\x5b\0\0\0\0\0\0")]
NO_METHOD: Script = [("client", b"\5\1\2"), ("server", b"\5\xff"), ("client", CONNECT), ("server", GRANTED)]
GSS_FAILURE: Script = [*GSS_API[:3], ("server", b"\1\xff"), *GSS_API[4:]]
BIND: Script = [*VERSION_5[:2], ("client", b"\5\2\0" + ADDRESS + b"\0\0"), ("server", GRANTED), ("server", GRANTED)]
UDP: Script = [*VERSION_5[:2], ("client", b"\5\3\0" + ADDRESS + b"\0\0"), ("server", GRANTED)]
PING: Script = [*VERSION_5[:2], ("client", b"\5\x80\0" + ADDRESS + b"\0\0"), ("server", GRANTED)]
TO_PROXY_PORT: Script = [*VERSION_5[:2], ("client", b"\5\1\0" + ADDRESS + b"\4\x38"), ("server", GRANTED)]
SHORT_COMMAND: Script = [*VERSION_5[:2], ("client", b"\5\1\0"), ("server", GRANTED)]
OTHER: Script = [("client", b"GET / HTTP/1.1\r\n"), *VERSION_5]


@pytest.mark.parametrize(
    "script",
    [REFUSED_4, NO_METHOD, GSS_FAILURE, BIND, UDP, PING, TO_PROXY_PORT, OTHER, VERSION_5[:3]],
)
def test_other_handshakes_mark_nothing(script: Script) -> None:
    assert not _is_passed_on(script)


@pytest.mark.parametrize("script", [TOGETHER, SHORT_COMMAND])
def test_a_command_is_expected_after_the_method_was_chosen_or_where_one_ended_early(script: Script) -> None:
    capture = Capture()
    conversation = _play(capture, script)
    conversation.client(b"read as a command")
    conversation.client(b"passed on")
    assert capture.marked(Quality.PROXIED) == [len(capture.frames)]


@pytest.mark.parametrize(
    ("client_port", "server_port", "handshake", "expected"),
    [
        (40_000, 1081, True, False),
        (1080, 50_000, True, True),
        (1080, 80, True, False),
        (1080, 8080, True, False),
        (1080, 8080, False, True),
        (8080, 1080, True, True),
        (445, 1080, True, True),
        (445, 1080, False, False),
    ],
)
def test_the_server_port_and_then_the_lower_port_decide(
    client_port: int, server_port: int, handshake: bool, expected: bool
) -> None:
    ports = {"client_port": client_port, "server_port": server_port, "handshake": handshake}
    assert _is_passed_on(VERSION_5, **ports) is expected


def test_repeated_segments_keep_alives_and_resets_are_not_read() -> None:
    capture = Capture()
    conversation = _play(capture, VERSION_5)
    conversation.server(GRANTED, back=len(GRANTED), after=400 * MILLISECOND)
    conversation.client(b"\0", back=1)
    conversation.client(b"text", Flag.ACK | Flag.RST)
    assert capture.marked(Quality.PROXIED) == []
    conversation.client(b"first")
    assert capture.marked(Quality.PROXIED) == [len(capture.frames)]


def test_what_the_capture_cut_is_missing() -> None:
    for captured, expected in ((5, []), (10, [8])):
        capture = Capture()
        conversation = _play(capture, VERSION_5[:2])
        conversation.client(CONNECT, captured=captured)
        conversation.server(GRANTED, captured=1)
        conversation.client(b"first", captured=1)
        assert capture.marked(Quality.PROXIED) == expected


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 1000])
def test_reused_ports_begin_anew_but_a_proxied_conversation_counts_once(batch: int) -> None:
    capture = Capture()
    marked = []
    for first, port in ((1000, b"\x20\x03"), (900_000, b"\x20\x04"), (1_800_000, b"\x20\x03")):
        conversation = _play(
            capture, [*VERSION_5[:2], ("client", CONNECT[:-2] + port), ("server", GRANTED)], first=first
        )
        conversation.client(b"first")
        marked.append(len(capture.frames))
    assert capture.marked(Quality.PROXIED, batch) == marked[:2]


def test_the_oldest_connections_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks, "MOST_CONNECTIONS", 2)
    capture = Capture()
    conversations = [_play(capture, VERSION_5, client_port=port) for port in (40_001, 40_002, 40_003)]
    before = len(capture.frames)
    for conversation in conversations[1:]:
        conversation.client(b"first")
    assert capture.marked(Quality.PROXIED) == [before + 1, before + 2]
    conversations[0].client(b"first")
    assert capture.marked(Quality.PROXIED) == [before + 1, before + 2]
