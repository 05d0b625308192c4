"""The scoreboard counts what it says."""

from tests.lab.scoreboard import Case, page

_RTO = ("rto", "needed", "after_sensor")


def _case(true: tuple[str, str, str], said: tuple[str, str, str], confidence: float = 0.95) -> Case:
    return Case("default", "middle", true, said, confidence)


def test_precision_and_recall() -> None:
    nothing = ("-", "unknown", "unknown")
    found = [
        _case(_RTO, _RTO),
        _case(_RTO, ("recovery", "needed", "after_sensor")),
        _case(_RTO, nothing, 0.0),
        _case(nothing, _RTO, 0.6),
    ]
    lines = page(found, "Some").splitlines()
    assert "| rto | 3 | 0.500 | 0.333 | 0.400 | 1 recovery, 1 not seen |" in lines
    assert "| needed | 2 | 1.000 | 0 |" in lines
    assert "| default | 0.250 (4) |" in lines
    assert "| 0.6 to 0.7 | 1 | 0.000 |" in lines
    assert "| 0.9 to 1.0 | 2 | 0.500 |" in lines


def test_what_is_not_told_is_not_wrong() -> None:
    found = [_case(_RTO, ("rto", "unknown", "unknown")), _case(_RTO, ("rto", "spurious", "unknown"))]
    lines = page(found, "Some").splitlines()
    assert "| needed | 2 | 0.000 | 1 |" in lines
    assert "| 0.9 to 1.0 | 2 | 0.500 |" in lines
