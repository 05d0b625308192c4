"""What the page holds, and that a browser draws it without help from anywhere."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from segwatch.cli.report import command
from segwatch.errors import UsageError
from tests.explain.telling import explained
from tests.report.browser import plots_drawn, sheets_printed
from tests.support import CASES, REPOSITORY

DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
LARGEST = 3_000_000


def report(capture: Path, folder: Path) -> str:
    """Return the report on a capture."""
    output = folder / "report.html"
    result = CliRunner().invoke(command, [str(capture), "-o", str(output)], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return output.read_text("utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    return report(DEMO, tmp_path_factory.mktemp("report"))


class _Tags(HTMLParser):
    """Collects elements with their attributes, and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def plots(page: str) -> list[dict[str, Any]]:
    match = re.search(r'<script type="application/json" id="plots">(.*?)</script>', page, re.DOTALL)
    assert match
    found: list[dict[str, Any]] = json.loads(match[1])
    return found


def test_nothing_is_fetched(demo: str) -> None:
    tags = _Tags()
    tags.feed(demo)
    assert tags.open == []
    for tag, attributes in tags.found:
        assert "src" not in attributes, tag
        assert attributes.get("href", "data:,") == "data:,", tag
    assert "default-src 'none'" in demo
    assert len(demo.encode()) < LARGEST


def test_plots_are_of_one_length_and_in_order(demo: str) -> None:
    drawn = plots(demo)
    assert len(drawn) == demo.count('class="plot"') == 8
    for plot in drawn:
        times, *series = plot["data"]
        assert times == sorted(times)
        assert len(series) == len(plot["names"])
        assert {len(values) for values in series} == {len(times)}
        if plot["kind"] == "points":
            assert len(plot["frames"]) == len(times)


def test_stories_are_those_of_explain(demo: str) -> None:
    stories = explained(DEMO, "--worst", "5")["explained"]
    assert len(stories) == 5
    places = [demo.index(f"<h2>{story['client']} → {story['server']}</h2>") for story in stories]
    assert places == sorted(places)


def test_payload_over_time_is_all_of_it(demo: str) -> None:
    payload = next(plot for plot in plots(demo) if plot["title"].startswith("Payload"))
    times, rates = payload["data"]
    width = times[1] - times[0]
    total = sum(rates) * width / 8
    said = re.search(r"with ([\d,]+) bytes of payload", demo)
    assert said
    assert total == pytest.approx(int(said[1].replace(",", "")), rel=1e-4)


def test_hostile_names_are_text(tmp_path: Path) -> None:
    capture = tmp_path / "<script>alert(1)<!--.pcap"
    capture.write_bytes((CASES / "rto.pcap").read_bytes())
    page = report(capture, tmp_path)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_capture_without_tcp(tmp_path: Path) -> None:
    capture = tmp_path / "empty.pcap"
    capture.write_bytes((CASES / "rto.pcap").read_bytes()[:24])
    page = report(capture, tmp_path)
    assert "There are no TCP segments." in page
    assert plots(page) == []


def test_a_clean_capture_has_no_stories(tmp_path: Path) -> None:
    page = report(CASES / "handshake-basic.pcap", tmp_path)
    assert "No payload was sent again." in page
    assert 'class="story"' not in page


def test_a_report_takes_no_captures_place(tmp_path: Path) -> None:
    capture = tmp_path / "capture.pcap"
    capture.write_bytes((CASES / "rto.pcap").read_bytes())
    with pytest.raises(UsageError, match="write to another file"):
        CliRunner().invoke(command, [str(capture), "-o", str(capture)], standalone_mode=False, catch_exceptions=False)
    assert capture.read_bytes() == (CASES / "rto.pcap").read_bytes()


def test_standard_input_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        CliRunner().invoke(command, ["-", "-o", "-"], standalone_mode=False, catch_exceptions=False)


def test_a_browser_draws_every_plot(demo: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(demo, "utf-8")
    assert plots_drawn(page, tmp_path) == len(plots(demo)) == 8


def test_paper_has_what_a_screen_folds_away(demo: str, tmp_path: Path) -> None:
    """Chapters that are closed on the page are printed as if they were open."""
    folded, unfolded, cut = (tmp_path / f"{name}.html" for name in ("folded", "unfolded", "cut"))
    folded.write_text(demo, "utf-8")
    unfolded.write_text(re.sub(r"<details>", "<details open>", demo), "utf-8")
    cut.write_text(re.sub(r"<details>.*?</details>", "", demo, flags=re.DOTALL), "utf-8")
    sheets = sheets_printed(folded, tmp_path)
    assert sheets == sheets_printed(unfolded, tmp_path) > sheets_printed(cut, tmp_path) > 0
