"""The measurement of a sensor that has nothing to do, and the memory that it may take."""

from pathlib import Path

import pytest

from tests.live.idle import measure

MOST_MEGABYTES = 250


@pytest.mark.usefixtures("kafka_installed")
def test_an_idle_sensor_is_small(tmp_path: Path) -> None:
    measured = measure(tmp_path, seconds=1, partitions=8, settle=4)
    assert set(measured) == {"with_spool", "without_spool"}
    for told in measured.values():
        assert 32 < told["resident_mb"]["all"] < MOST_MEGABYTES
        assert told["percent_of_a_core"] > 0
        assert told["wake_ups_a_second"] > 0
