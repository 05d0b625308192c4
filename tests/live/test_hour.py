"""A minute of the hour, and what is said of memory that grows and counters that drift."""

from pathlib import Path

import pytest

from tests.live.hour import Sample, hour_trial, judged


def samples(**growth: float) -> list[Sample]:
    """Return an hour's samples; what is named grows by so much from one to the next."""
    first = Sample(0, 200.0, 30, 10, 1000, 1000)
    return [
        Sample(*(value + number * growth.get(name, 0) for name, value in first._asdict().items()))
        for number in range(360)
    ]


@pytest.mark.parametrize(
    ("growth", "word"),
    [({"resident_mib": 0.1}, "memory"), ({"descriptors": 0.05}, "descriptors"), ({"threads": 0.05}, "threads")],
)
def test_growth_is_a_fault(growth: dict[str, float], word: str) -> None:
    taken = samples(**growth)
    (fault,) = judged(taken, taken[0])["faults"]
    assert fault.startswith(word)


def test_growth_in_the_first_sixth_is_none() -> None:
    taken = samples(resident_mib=1.0, descriptors=1)[:60] + samples()[:1] * 300
    assert judged(taken, taken[-1])["faults"] == []


def test_a_drift_is_a_fault() -> None:
    taken = samples(dumped=2)
    result = judged(taken, taken[-1])
    assert result["frames behind tcpdump"]["at the end"] > result["frames behind tcpdump"]["then"]
    (fault,) = result["faults"]
    assert fault.startswith("after the load the sensor has counted 1000 frames, and tcpdump 1718")


@pytest.mark.usefixtures("kafka_installed")
def test_a_loaded_sensor_counts_what_tcpdump_counts(tmp_path: Path) -> None:
    result = hour_trial(tmp_path, 10, 2000, 2)
    assert result["packets"] == result["counted by the sensor"] > 0
    assert result["samples"] == 5
