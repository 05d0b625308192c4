"""A story does not say more than the frames prove."""

from pathlib import Path

from tests.explain.frames import ACK, FIN, RST, SYN, frame, story_of_frames, written
from tests.explain.telling import explained, said
from tests.support import CASES

_MSS = bytes.fromhex("020405b4")
_SCALE = bytes.fromhex("01030307")


def texts(story: dict[str, object], topic: str) -> str:
    return " ".join(one["text"] for one in said(story, topic))


def test_an_answer_that_only_the_client_shows_is_none_that_never_came(tmp_path: Path) -> None:
    story = story_of_frames(
        tmp_path, frame("client", 0, SYN), frame("client", 1, ACK), frame("client", 1, ACK, b"data")
    )
    handshake = texts(story, "handshake")
    assert "Nobody ever answered" not in handshake
    assert "No acceptance (SYN/ACK) was captured, but there was an answer, as frame 2 shows, 1 s later." in handshake
    (one_way,) = said(story, "one_way")
    assert (one_way["text"][:35], one_way["frames"]) == ("Only what the client sent was captu", [2, 3])


def test_requests_without_an_answer_are_not_taken_for_half_a_capture(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, *[frame("client", 0, SYN)] * 3)
    assert "Nobody ever answered" in texts(story, "handshake")
    assert said(story, "one_way") == []


def test_a_side_alone_does_not_show_what_was_not_acknowledged(tmp_path: Path) -> None:
    sent = [frame("server", 1, ACK, b"data"), frame("server", 5, ACK | FIN), frame("server", 5, ACK | FIN)]
    story = story_of_frames(tmp_path, *sent)
    assert "Only what the server sent" in texts(story, "one_way")
    assert "no acknowledgment of that was captured" in texts(story, "close")


def test_a_request_that_was_refused_and_made_again_had_an_answer(tmp_path: Path) -> None:
    refused = [frame("client", 0, SYN), frame("server", 0, RST | ACK)]
    story = story_of_frames(tmp_path, *refused, *refused, *refused)
    (again,) = [one for one in said(story, "handshake") if "asked again" in one["text"]]
    assert again["text"] == "The request was refused (RST), and the client asked again 2 times, after 2 s, 2 s."
    assert again["frames"] == [1, 2, 3, 4, 5]
    assert "No answer came" not in texts(story, "handshake")
    assert "as no acknowledgment had come" not in texts(story, "retransmission")
    assert "its request for a connection (SYN)" in texts(story, "retransmission")


def test_an_answer_that_accepts_nothing_is_one(tmp_path: Path) -> None:
    """A server that still knows an earlier connection acknowledges what it has of that (RFC 9293 section 3.10.7.4)."""
    sent = [frame("client", 0, SYN), frame("server", 900, ACK, ack=700), frame("client", 0, SYN)]
    story = story_of_frames(tmp_path, *sent, frame("server", 0, SYN | ACK))
    (again,) = [one for one in said(story, "handshake") if "asked again" in one["text"]]
    assert again["text"] == "The answer was no acceptance, so the client asked again 1 time, after 2 s."
    assert again["frames"] == [1, 2, 3]


def test_options_that_were_cut_are_not_said_to_be_missing(tmp_path: Path) -> None:
    opening = [frame("client", 0, SYN, options=_MSS + _SCALE), frame("server", 0, SYN | ACK, options=_MSS + _SCALE)]
    path = written(tmp_path, *opening)
    content = path.read_bytes()
    cut = content[:24]
    place = 24
    while place < len(content):
        length = int.from_bytes(content[place + 8 : place + 12], "little")
        cut += content[place : place + 8] + (56).to_bytes(4, "little") + length.to_bytes(4, "little")
        cut += content[place + 16 : place + 72]
        place += 16 + length
    path.write_bytes(cut)
    (story,) = explained(path, "--stream", "0")["explained"]
    (options,) = said(story, "options")
    assert "were cut short" in options["text"]
    assert "Neither" not in options["text"]


def test_a_gap_that_one_frame_fills_in_part_is_not_said_to_be_filled(tmp_path: Path) -> None:
    sent = [frame("server", 1, ACK, b"a" * 10), frame("server", 31, ACK, b"d" * 10)]
    filled = story_of_frames(tmp_path, *sent, frame("server", 11, ACK, b"b" * 10))
    assert "(20 bytes, 10 of which come in frame 3)" in texts(filled, "lost_segment")
    acknowledged = story_of_frames(tmp_path, *sent, frame("client", 1, ACK, ack=21))
    assert "(20 bytes, 10 of which frame 3 acknowledges: so these did arrive)" in texts(acknowledged, "lost_segment")


def test_another_first_number_is_no_gap_of_megabytes() -> None:
    (story,) = explained(CASES / "synack-other-isn.pcap", "--stream", "0")["explained"]
    (lost,) = said(story, "lost_segment")
    assert "begins at a number that does not follow what it sent before" in lost["text"]
    assert "opens a connection" not in texts(story, "reused_ports")


def test_a_window_that_stays_closed_at_last_is_said_to(tmp_path: Path) -> None:
    asked, closed = frame("server", 1, ACK, b"data"), frame("client", 1, ACK, ack=5, win=0)
    opened, again = frame("client", 1, ACK, b"data", ack=5), frame("client", 5, ACK, ack=5, win=0)
    story = story_of_frames(tmp_path, asked, closed, opened, again)
    assert "closed 2 times, 1 s in all, and the last time it never says" in texts(story, "zero_window")


def test_an_acceptance_before_its_request_is_not_said_to_come_later() -> None:
    (story,) = explained(CASES / "synack-first.pcap", "--stream", "0")["explained"]
    assert "accepts (SYN/ACK), by the capture 100 µs before it was asked." in texts(story, "handshake")
    (options,) = said(story, "options")
    assert options["frames"] == [1, 2]
