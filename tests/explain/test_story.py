"""What is said of connections whose course is known."""

from pathlib import Path
from typing import Any

import pytest

from segwatch.explain.totals import volume_text
from tests.explain.frames import ACK, SYN, frame, story_of_frames
from tests.explain.telling import explained, said
from tests.support import CASES

ARTICLE = CASES / "seed-article.pcap"


@pytest.fixture(scope="module")
def article() -> dict[str, Any]:
    """Give the story of a connection that a walk-through tells packet by packet."""
    (story,) = explained(ARTICLE)["explained"]
    return dict(story)


def chapter(story: dict[str, Any], title: str) -> list[dict[str, Any]]:
    (found,) = (one for one in story["chapters"] if one["title"] == title)
    return list(found["sentences"])


def test_the_handshake_and_what_was_agreed_on(article: dict[str, Any]) -> None:
    *_, confirmed = said(article, "handshake")
    assert confirmed["frames"] == [1, 2, 3]
    assert confirmed["numbers"] == {"server_side": 60_000_000, "client_side": 200_000, "initial_rtt": 60_200_000}
    assert "the sensor is near the client" in confirmed["text"]
    (options,) = said(article, "options")
    assert options["numbers"]["client_mss"] == options["numbers"]["server_mss"] == 1460
    assert (options["numbers"]["selective_acknowledgments"], options["numbers"]["time_stamps"]) == (1, 0)
    assert "Windows are not scaled" in options["text"]


def test_the_segment_that_was_not_captured(article: dict[str, Any]) -> None:
    (lost,) = said(article, "lost_segment")
    assert lost["frames"] == [7, 12]
    assert lost["numbers"]["missing"] == 1460
    assert lost["numbers"]["filled_frame"] == 12


def test_repeats_that_were_needed_and_repeats_for_nothing(article: dict[str, Any]) -> None:
    (needed,) = said(article, "retransmission")
    assert needed["frames"] == [7, 12, 13]
    assert (needed["numbers"]["bytes"], needed["numbers"]["rto"]) == (2920, 301_800_000)
    needless = said(article, "spurious_retransmission")
    assert [sentence["frames"] for sentence in needless] == [[9, 10], [14, 15], [18, 20], [35, 37]]


def test_duplicate_acks_say_what_is_waited_for(article: dict[str, Any]) -> None:
    assert [sentence["numbers"]["waits_for"] for sentence in said(article, "duplicate_ack")] == [1461, 5841, 5985, 8770]


def test_where_the_time_went(article: dict[str, Any]) -> None:
    assert [sentence["topic"] for sentence in chapter(article, "Where the time went")] == [
        "silences", "timeout", "timeout", "timeout", "acknowledgment",
    ]  # fmt: skip


def test_both_closes_and_the_reset_afterwards(article: dict[str, Any]) -> None:
    assert [sentence["frames"] for sentence in said(article, "close")] == [[36, 39], [37]]
    (reset,) = said(article, "reset")
    assert (reset["frames"], reset["numbers"]["reset"]) == ([40], "after_fin")


def test_words_are_explained_that_were_used(article: dict[str, Any]) -> None:
    assert {"handshake", "duplicate_ack", "reset", "close"} <= set(article["words"])
    assert "keep_alive" not in article["words"]


@pytest.mark.parametrize(
    ("case", "topic", "words"),
    [
        ("syn-retransmission", "handshake", "the client asked again"),
        ("syn-retransmission", "handshake", "after the latest"),
        ("zero-window", "zero_window", "opens the window again"),
        ("mid-stream", "handshake", "The capture begins in the middle"),
        ("fast-retransmission", "fast_retransmission", "at once, without waiting for its timer"),
        ("keep-alive", "keep_alive", "whether the other side is still there"),
        ("ack-lost-segment", "ack_lost_segment", "it did arrive, so the sensor missed it"),
        ("window-full", "window_full", "fills"),
        ("port-reuse", "reused_ports", "the same addresses and ports"),
    ],
)
def test_other_courses(case: str, topic: str, words: str) -> None:
    stories = [
        explained(CASES / f"{case}.pcap", "--stream", str(stream))["explained"]
        for stream in range(explained(CASES / f"{case}.pcap")["conversations"])
    ]
    texts = [sentence["text"] for (story,) in stories for sentence in said(story, topic)]
    assert any(words in text for text in texts), texts


def test_a_round_trip_has_no_waits_for_timers_in_it() -> None:
    """The request was repeated twice, its acceptance once; both waits are told of as such."""
    (story,) = explained(CASES / "syn-retransmission.pcap", "--stream", "0")["explained"]
    confirmed = chapter(story, "How it opened")[-2]
    assert confirmed["frames"] == [3, 4, 5, 6]
    assert confirmed["numbers"] == {"server_side": 40_000_000, "client_side": 5_000_000, "initial_rtt": 45_000_000}
    summed, *silences = chapter(story, "Where the time went")
    assert "4 s while the connection was not open yet" in summed["text"]
    assert ["not been accepted" in one["text"] for one in silences] == [True, True, False]
    assert "had not been confirmed" in silences[-1]["text"]


def test_a_connection_that_nobody_accepted_was_never_open(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, *[frame("client", 0, SYN)] * 3)
    assert [one["text"] for one in said(story, "end")] == ["The connection was not open yet when the capture ended."]


def test_a_connection_that_the_client_did_not_confirm_was_never_open(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, frame("client", 0, SYN), frame("server", 0, SYN | ACK))
    assert "The client never confirmed that" in chapter(story, "How it opened")[2]["text"]
    assert "not open yet" in said(story, "end")[0]["text"]


def test_a_side_without_room_that_sends_again_waited_for_its_timer(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, *[frame("client", 1, ACK, b"data", win=0)] * 2)
    (silence,) = said(story, "timeout")
    assert "waited for an acknowledgment" in silence["text"]


def test_an_acknowledgment_that_nothing_came_for_is_said_to_be_one(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, frame("server", 1, ACK, b"data"), *[frame("client", 1, ACK, ack=5)] * 2)
    (repeated,) = said(story, "duplicate_ack")
    assert "nothing of the other side that it could answer" in repeated["text"]


def test_an_acknowledgment_of_what_had_come_before_the_one_that_it_repeats_is_no_riddle(tmp_path: Path) -> None:
    """Near the sender a sensor sees all that was sent before the first answer."""
    sent = (frame("server", 1, ACK, b"data"), frame("server", 9, ACK, b"data"))
    story = story_of_frames(tmp_path, *sent, *[frame("client", 1, ACK)] * 2)
    (repeated,) = said(story, "duplicate_ack")
    assert "does not fit the end of what it has" in repeated["text"]


def test_a_single_segment_takes_no_time(tmp_path: Path) -> None:
    story = story_of_frames(tmp_path, frame("client", 0, SYN))
    assert said(story, "size")[0]["text"] == "There was 1 segment."


def test_ipv6_ends_have_brackets() -> None:
    (story,) = explained(CASES / "ipv6.pcap", "--stream", "0")["explained"]
    assert story["client"].startswith("[")
    assert "]:" in story["client"]


def test_what_icmp_errors_quote_is_no_segment_of_its_own() -> None:
    (story,) = explained(CASES / "icmp-embedded.pcap", "--stream", "0")["explained"]
    (error,) = said(story, "icmp")
    (size,) = said(story, "size")
    assert (error["frames"], error["numbers"]) == ([3, 9], {"errors": 2})
    assert size["numbers"]["segments"] == 5


@pytest.mark.parametrize(
    ("span", "count", "again", "words"),
    [(10**9, 50, 50, "(400 bit/s on average); 50 bytes of it (100 %)"), (8, 10**9, 1, "(1,000,000,000 Gbit/s on")],
)
def test_large_shares_and_rates_have_no_exponents(span: int, count: int, again: int, words: str) -> None:
    text = volume_text(0, span, count, 1, again, 1)
    assert words in text
    assert "e+" not in text
