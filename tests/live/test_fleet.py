"""Eight sensors, three hops of the same connections, one pipeline: one sensor killed, one cut off from Kafka."""

from pathlib import Path

import pytest

from tests.live.fleet import fleet_trial


@pytest.mark.usefixtures("kafka_installed")
def test_a_fleet_is_told_apart_and_loses_nothing(tmp_path: Path) -> None:
    result = fleet_trial(tmp_path, cut_seconds=15)
    assert result["faults"] == [], result
