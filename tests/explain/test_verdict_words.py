"""What is said of a verdict is true of every case of its cause."""

from pathlib import Path

import numpy as np

from segwatch.explain.verdict_words import reason
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause, Proof
from tests.explain.frames import ACK, RST, SYN, frame, story_of_frames
from tests.explain.telling import said


def test_a_request_that_was_refused_is_not_called_unanswered(tmp_path: Path) -> None:
    refused = frame("server", 0, RST | ACK)
    story = story_of_frames(tmp_path, frame("client", 0, SYN), refused, frame("client", 0, SYN), refused)
    (retry,) = said(story, "why_syn_retry")
    assert "sent again 2 s later to open the connection" in retry["text"]
    assert "not answered" not in retry["text"]


def test_a_copy_of_what_is_not_remembered_names_no_frame() -> None:
    verdict = np.zeros(1, VERDICT)[0]
    verdict["since_original"] = 30_000
    for cause in (Cause.NETWORK_DUPLICATE, Cause.CAPTURE_DUPLICATE):
        verdict["cause"] = cause
        verdict["original_frame"] = 0
        assert reason(verdict).endswith("a second copy of what came 30 µs before")
        verdict["original_frame"] = 7
        assert reason(verdict).endswith("a second copy of frame 7, 30 µs later")


def test_a_silence_by_the_clock_of_the_sender_is_never_below_nothing() -> None:
    verdict = np.zeros(1, VERDICT)[0]
    verdict["cause"], verdict["silence"] = Cause.RTO, -5_000_000
    assert "after 0 ns of silence" in reason(verdict)


def test_the_repeat_that_a_capture_lacks_is_told_from_the_original() -> None:
    verdict = np.zeros(1, VERDICT)[0]
    verdict["cause"], verdict["length"] = Cause.CAPTURE_LOSS, 1448
    for proof, told in ((Proof.HOLE_SEEN, False), (Proof.HOLE_SEEN | Proof.LOSS_REPORTED, True)):
        verdict["proof"] = proof
        assert ("they were sent again" in reason(verdict)) is told
