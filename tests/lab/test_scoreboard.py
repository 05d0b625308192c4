"""The scoreboard counts what it says, makes its page, and what it measured still holds."""

from collections import Counter
from pathlib import Path

from tests.lab import store
from tests.lab.scoreboard import results
from tests.lab.scoreboard.bars import worse
from tests.lab.scoreboard.cases import SILENCE, Word
from tests.lab.scoreboard.connections import Counts, Program
from tests.lab.scoreboard.figures import label, need, place, reliability, score, score_of_repeats, shown
from tests.lab.scoreboard.page import HELD_BACK, STORED, page
from tests.lab.scoreboard.results import Cell, Half, Results, Total
from tests.support import REPOSITORY

_RTO = Word("rto", "needed", "after_sensor")
_FLOW = (40_000, True)


def _cell(true: Word, said: Word, hundredths: int = 95, told: Word = SILENCE, hidden: str = "") -> Cell:
    return Cell("default", "middle", *true, hidden, True, True, *said, hundredths, *told[:2])


def _half(cells: Counter[Cell], rules: str = "same") -> Half:
    return Half(rules, 1, 3, cells, {"rto": 4}, {"segwatch": {"rto": Total(3, 1)}})


def test_precision_and_recall() -> None:
    cells = Counter(
        [
            _cell(_RTO, _RTO, told=Word("rto", "needed")),
            _cell(_RTO, Word("recovery", "needed", "after_sensor")),
            _cell(_RTO, SILENCE, 0),
            _cell(SILENCE, _RTO, 60),
        ]
    )
    found = score(cells, "rto")
    assert found == (3, 2, 1)
    assert (found.precision, found.recall, found.f1) == (1 / 2, 1 / 3, 2 / 5)
    assert score(cells, "rto", label) == (3, 1, 1)
    assert score_of_repeats(cells) == (3, 3, 2)
    assert need(cells, "needed") == (3, 2, 2)
    assert place(cells, "after_sensor") == (3, 2, 2)


def test_confidence_is_held_against_cause_need_and_place() -> None:
    cells = Counter(
        [
            _cell(_RTO, Word("rto", "unknown", "unknown")),
            _cell(_RTO, Word("rto", "spurious", "unknown")),
            _cell(_RTO, Word("rto", "needed", "before_sensor"), 100),
            _cell(SILENCE, _RTO, 69),
            _cell(_RTO, SILENCE, 0),
        ]
    )
    deciles = reliability(cells)
    assert [(decile.verdicts, decile.right) for decile in deciles] == [(0, 0)] * 6 + [(1, 0)] + [(0, 0)] * 2 + [(3, 1)]


def test_a_wrong_verdict_is_wrong_on_the_page() -> None:
    cells = Counter({_cell(_RTO, _RTO): 60, _cell(_RTO, Word("recovery")): 40})
    lines = page(Results({}, {STORED: _half(cells)})).splitlines()
    assert any(line.startswith("| rto | 100 | 1.000 | 0.600 | 0.750 |") and "**missed**" in line for line in lines)
    assert "| rto | 40 | 40 recovery |" in lines
    assert any("0 of 1; missed: rto 0.750" in line for line in lines)
    assert "| rto | 4 | 3 (25.0 %) |" in lines


def test_what_cannot_be_seen_stands_apart() -> None:
    cells = Counter({_cell(_RTO, _RTO): 60, _cell(_RTO, SILENCE, 0, hidden="looks_new"): 20})
    assert score(shown(cells), "rto").f1 == 1
    lines = page(Results({}, {STORED: _half(cells)})).splitlines()
    assert any(line.startswith("| rto | 60 | 1.000 |") and line.endswith("| 0.857 | met |") for line in lines)
    assert any("| 20 | 20 rto | 20 | 0 | 0 |" in line for line in lines)


def test_the_held_back_half_needs_the_same_rules() -> None:
    half = _half(Counter({_cell(_RTO, _RTO): 60}))
    both = page(Results({}, {STORED: half, HELD_BACK: half}))
    assert "## Held back" in both
    assert "rto, F1 | 1.000 | 1.000 | +0.000 | met | 1.000 |" in both
    other = page(Results({}, {STORED: half, HELD_BACK: half._replace(rules="other")}))
    assert "## Held back" not in other
    assert "measured with other rules" in other


def test_a_tiny_set_is_measured_and_kept(tmp_path: Path) -> None:
    asked: list[Path] = []

    def ask(program: str, capture: Path, output: Path) -> Counts:
        asked.append(capture)
        return Counter({(_FLOW, "syn_retry"): 7})

    counting = Program("tcptrace", "here", "6.6", frozenset({"syn_retry"}), ask)
    half = results.measure([store.STORED / "handshakes-default-1"], None, [counting])
    assert half.captures == len(asked) == 3
    true = sum(number for cell, number in half.cells.items() if cell.true_cause == "syn_retry")
    assert half.true_counts["syn_retry"] == true > 0
    assert half.counted["tcptrace"]["syn_retry"].said == 21
    found = Results({"tcptrace": "6.6"}, {STORED: half})
    results.write(tmp_path / "results.json", found)
    assert results.read(tmp_path / "results.json") == found
    written = page(found)
    assert "tshark was not found" in written
    assert "tcptrace 6.6." in written
    assert "### Beside tshark" not in written


def test_the_page_is_made_of_what_was_measured() -> None:
    assert (REPOSITORY / "docs" / "accuracy.md").read_text("utf-8") == page(results.read(results.RESULTS))


def test_a_figure_that_falls_is_told() -> None:
    before = Counter({_cell(_RTO, _RTO): 100})
    assert worse(before, before) == []
    now = Counter({_cell(_RTO, _RTO): 99, _cell(_RTO, Word("recovery", "needed", "after_sensor")): 1})
    assert worse(before, now) == [
        "Linux with SACK and timestamps: rto, F1: 0.9950 after 1.0000",
        "confidence 0.9 to 1: right: 0.9900 after 1.0000",
    ]


def test_verdicts_are_as_good_as_the_page_says() -> None:
    """If a figure falls for a good reason, ``make accuracy`` measures anew."""
    now = results.measure(sorted(store.STORED.iterdir()), None, [])
    assert worse(results.read(results.RESULTS).halves[STORED].cells, now.cells) == []
