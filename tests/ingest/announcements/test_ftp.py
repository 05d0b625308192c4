"""Data connections that an FTP control connection announces."""

import pytest

from ingest.decode.decoder import Decoder
from segwatch.vocabulary import Flag, Quality
from tests.ingest.announcements.conversation import CLIENT, SERVER, Capture, Conversation
from tests.ingest.decode.support import columns_of, pcap_frames
from tests.support import CASES

FTP = 21


def _announced(text: bytes, *, request: bool, data: tuple[int, int], batch: int = 1000) -> list[int]:
    """Return the marked frames of: a control connection's text, a data connection of these ports, the same again."""
    capture = Capture()
    control = Conversation(capture, 40_000, FTP, handshake=False)
    (control.client if request else control.server)(text)
    source, destination = (SERVER, CLIENT) if data[0] == 20 else (CLIENT, SERVER)
    for _ in range(2):
        capture.add((source, data[0], destination, data[1]), 1, 0, Flag.SYN)
    return capture.marked(Quality.ANNOUNCED, batch)


@pytest.mark.parametrize(
    ("text", "request_", "data"),
    [
        (b"227 Entering Passive Mode (10,0,0,2,195,80)\r\n", False, (45_000, 50_000)),
        (b"229 Extended Passive Mode (|||50000|)\r\n", False, (45_000, 50_000)),
        (b"227 Entering Passive Mode (10,0,0,2,451,336)\r\n", False, (45_000, 50_000)),
        (b"229 Extended Passive Mode (||50000|)\r\n", False, (45_000, 50_000)),
        (b"PORT 10,0,0,1,195,80\r\n", True, (20, 50_000)),
        (b"PORT 10, 0, 0, 1, 195, 80\r\n", True, (20, 50_000)),
    ],
)
def test_the_first_segment_of_an_announced_connection_is_marked(
    text: bytes, request_: bool, data: tuple[int, int]
) -> None:
    for batch in (1, 2, 1000):
        found = _announced(text, request=request_, data=data, batch=batch)
        assert found == [2]


@pytest.mark.parametrize(
    "text",
    [
        b"227 Entering Passive Mode (10 ,0,0,2,195,80)\r\n",
        b"227 Entering Passive Mode (10,0,0,2,195\r\n",
        b"230 Logged in (10,0,0,2,195,80)\r\n",
        b"229 Extended Passive Mode (a) (|||50000|)\r\n",
        b"229 Extended Passive Mode (|||50000|\r\n",
        b"229 Extended Passive Mode (|!|50000|)\r\n",
    ],
)
def test_other_text_announces_nothing(text: bytes) -> None:
    assert _announced(text, request=False, data=(45_000, 50_000)) == []


def test_eprt_announces_a_connection_of_the_client_with_itself_as_in_wireshark() -> None:
    text = b"EPRT |1|10.0.0.1|50000|\r\n"
    assert _announced(text, request=True, data=(20, 50_000)) == []
    capture = Capture()
    Conversation(capture, 40_000, FTP, handshake=False).client(text)
    capture.add((CLIENT, 50_000, CLIENT, 45_000), 1, 0, Flag.SYN)
    assert capture.marked(Quality.ANNOUNCED) == [2]


def test_the_case_of_the_specification() -> None:
    segments = Decoder().decode(columns_of(pcap_frames(CASES / "ftp-data.pcap")))
    marked = segments.quality & int(Quality.ANNOUNCED) != 0
    assert segments.frame[marked].tolist() == [7]


PASSIVE = b"227 Entering Passive Mode (10,0,0,2,195,80)\r\n"


def _data(capture: Capture, *ports: int) -> None:
    for port in ports:
        capture.add((CLIENT, port, SERVER, 50_000), 1, 0, Flag.SYN)


@pytest.mark.parametrize("batch", [1, 1000])
def test_an_announcement_made_twice_serves_two_connections(batch: int) -> None:
    capture = Capture()
    control = Conversation(capture, 40_000, FTP, handshake=False)
    control.server(PASSIVE)
    control.server(PASSIVE)
    for port in (45_000, 45_001, 45_002):
        Conversation(capture, port, 50_000)
    assert capture.marked(Quality.ANNOUNCED, batch) == [3, 6]


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_retransmission_announces_nothing(batch: int) -> None:
    capture = Capture()
    control = Conversation(capture, 40_000, FTP)
    control.server(PASSIVE)
    _data(capture, 45_000)
    control.server(PASSIVE, back=len(PASSIVE), after=400_000_000)
    _data(capture, 45_001)
    assert capture.marked(Quality.ANNOUNCED, batch) == [5]


def test_a_reset_announces_nothing() -> None:
    capture = Capture()
    Conversation(capture, 40_000, FTP).server(PASSIVE, Flag.RST | Flag.ACK)
    _data(capture, 45_000)
    assert capture.marked(Quality.ANNOUNCED) == []


def test_a_new_control_connection_of_the_same_ports_announces() -> None:
    capture = Capture()
    for first in (900_000, 1000):
        Conversation(capture, 40_000, FTP, first=first).server(PASSIVE)
    _data(capture, 45_000, 45_001)
    assert capture.marked(Quality.ANNOUNCED) == [9, 10]


def test_a_served_connection_takes_no_further_announcement() -> None:
    capture = Capture()
    control = Conversation(capture, 40_000, FTP, handshake=False)
    control.server(PASSIVE)
    data = Conversation(capture, 45_000, 50_000)
    control.server(PASSIVE)
    data.client(b"more")
    Conversation(capture, 45_001, 50_000)
    assert capture.marked(Quality.ANNOUNCED) == [2, 7]


def test_a_header_that_cannot_be_read_uses_up_no_announcement() -> None:
    capture = Capture()
    Conversation(capture, 40_000, FTP, handshake=False).server(PASSIVE)
    capture.add((CLIENT, 45_000, SERVER, 50_000), 1, 0, Flag.SYN, captured=-10)
    _data(capture, 45_000)
    assert capture.marked(Quality.ANNOUNCED) == [3]
