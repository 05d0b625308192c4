"""Workers that join and leave all the time: nothing lost, nothing doubled, and traffic goes on."""

from pathlib import Path

import pytest

from tests.pipeline.cluster import ENDED_WELL, running
from tests.pipeline.trial import DEMO, rebalance_trial

_SECONDS = 50.0


@pytest.mark.usefixtures("kafka_installed")
def test_workers_join_and_leave(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        result = rebalance_trial(cluster, DEMO, _SECONDS, "10")
        assert result["differences"] == {}, (result, cluster.logs())
        assert result["rows went on"], result
        assert set(result["exit codes"]) <= ENDED_WELL, (result, cluster.logs())
        said = "".join(path.read_text(errors="replace") for path in tmp_path.glob("processor-*.log"))
        assert "Working" in said
        assert "Unable to decode" not in said, "kafka-python does not know how members of Faust describe themselves"
