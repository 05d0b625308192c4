"""Random conversations through proxies and with VNC: tshark gives every segment the same stream number."""

import random
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from click.testing import CliRunner

from segwatch.vocabulary import Flag
from tests.ingest.announcements import test_socks as socks
from tests.ingest.announcements.conversation import MILLISECOND, Capture, Conversation
from tests.parity.reference import ask_tshark, differences, read_rows

CONVERSATIONS = 300
_SCRIPTS = [
    socks.VERSION_5, socks.USER_NAME, socks.GSS_API, socks.VERSION_4, socks.VERSION_4A, socks.TOGETHER, socks.BY_NAME,
    socks.BY_IPV6, socks.REFUSED_5, socks.BIND_4, socks.REFUSED_4, socks.NO_METHOD, socks.GSS_FAILURE, socks.BIND,
    socks.UDP, socks.PING, socks.TO_PROXY_PORT, socks.SHORT_COMMAND, socks.OTHER,
]  # fmt: skip
_PIECES = [payload for script in _SCRIPTS for _, payload in script]
_VERSIONS = [b"RFB 003.008\n"] * 4 + [b"rfb 003.003\n", b"RFB 003.008\0", b"RFB 003.008\r", b"hello world!"]
_SIDES = ("client", "server")


def _through_proxy(draw: random.Random, capture: Capture, number: int) -> None:
    """Add a conversation on port 1080: a handshake with pieces added, left out, cut and repeated, and payload."""
    client_port = draw.choice([40_000 + number % 7, 30_000 + number, 30_000 + number, 1022, 8080])
    ports = (1080, draw.choice([80, 8080, 50_000, 6000])) if draw.random() < 0.1 else (client_port, 1080)
    script = list(draw.choice(_SCRIPTS))
    if draw.random() < 0.3:
        script.insert(draw.randrange(len(script) + 1), (draw.choice(_SIDES), draw.choice(_PIECES)))
    if draw.random() < 0.2:
        del script[draw.randrange(len(script))]
    script += [(draw.choice(_SIDES), b"xyz" * draw.randrange(1, 5)) for _ in range(draw.randrange(4))]
    conversation = Conversation(
        capture, *ports, first=draw.randrange(1, 2**31), handshake=draw.random() < 0.85, server=_server(number)
    )
    for side, payload in script:
        say = getattr(conversation, side)
        if draw.random() < 0.1:
            say(payload, captured=draw.randrange(len(payload) + 1))
        else:
            say(payload, Flag.ACK | draw.choice([0] * 20 + [Flag.FIN, Flag.RST]))
        if draw.random() < 0.08:
            say(payload, back=len(payload), after=draw.choice([1000, 10 * MILLISECOND, 400 * MILLISECOND]))
        if draw.random() < 0.3:
            capture.probe()


def _with_vnc(draw: random.Random, capture: Capture, number: int) -> None:
    """Add a conversation with version messages."""
    server_port = draw.choice([7777, 5900, 5902, 80, 443, 12_345, 30_001])
    client_port = draw.choice([40_000 + number % 7, 30_000 + number])
    conversation = Conversation(
        capture, client_port, server_port, first=draw.randrange(1, 2**31), handshake=draw.random() < 0.8,
        server=_server(number),
    )  # fmt: skip
    for _ in range(draw.randrange(1, 7)):
        say = getattr(conversation, draw.choice(_SIDES))
        say(draw.choice(_VERSIONS), Flag.ACK | draw.choice([0] * 20 + [Flag.FIN, Flag.RST]))
        if draw.random() < 0.5:
            capture.probe()


def _server(number: int) -> IPv4Address:
    return IPv4Address("10.0.1.0") + number % 5


@pytest.mark.parametrize("seed", [1, 2])
def test_stream_numbers_are_those_of_tshark(seed: int, tmp_path: Path) -> None:
    from segwatch.cli.labels import command

    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    capture = Capture()
    for number in range(CONVERSATIONS):
        (_through_proxy if draw.random() < 0.7 else _with_vnc)(draw, capture, number)
        capture.probe()
    path = capture.write(tmp_path / "random.pcap")
    reference = ask_tshark(path)
    ended = CliRunner().invoke(command, [str(path), "-o", str(tmp_path / "rows.tsv")])
    assert ended.exit_code == 0, ended.output
    assert differences(reference, read_rows(tmp_path / "rows.tsv")) == []
