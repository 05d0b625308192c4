"""A capture that has packets twice looks as if they were sent again; whoever reads of it is told."""

from pathlib import Path

from tests.explain.frames import ACK, frame, written
from tests.explain.telling import explained, said
from tests.report.test_page import report


def _twice(folder: Path) -> Path:
    """Write a capture of packets that a mirror of two ports gives twice."""
    numbered = [frame("client", 1 + 4 * place, ACK, b"data", number=place + 1) for place in range(3)]
    return written(folder, *[one for one in numbered for _ in range(2)], gap=0.001)


def test_a_report_says_so(tmp_path: Path) -> None:
    page = report(_twice(tmp_path), tmp_path)
    assert "3 segments are copies of packets that were captured just before" in page
    assert "3 segments seen twice" in page


def test_a_story_says_so(tmp_path: Path) -> None:
    (story,) = explained(_twice(tmp_path), "--stream", "0")["explained"]
    (copies,) = said(story, "copies")
    assert copies["frames"] == [2, 4, 6]
    assert copies["text"].startswith("3 of its segments are copies of packets that were captured just before")


def test_what_was_sent_again_is_no_copy(tmp_path: Path) -> None:
    again = [frame("client", 1, ACK, b"data", number=place + 1) for place in range(2)]
    path = written(tmp_path, *again, gap=0.001)
    assert "copies" not in report(path, tmp_path)
    (story,) = explained(path, "--stream", "0")["explained"]
    assert said(story, "copies") == []
