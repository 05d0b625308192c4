"""Random kills under load: nothing lost, nothing doubled, in tables and rollups."""

import random
from pathlib import Path

import pytest

from tests.pipeline.cluster import ENDED_WELL, Cluster, running
from tests.pipeline.secured import SecuredCluster
from tests.pipeline.trial import crash_trial
from tests.support import REPOSITORY

CAPTURE = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
_SPEED = "10"
"""The capture takes 17 seconds then."""


def _pause(some: random.Random) -> float:
    return some.uniform(1.0, 5.0)


@pytest.mark.usefixtures("kafka_installed")
@pytest.mark.parametrize(("kind", "hits"), [(Cluster, 15), (SecuredCluster, 6)])
def test_random_crashes_lose_and_double_nothing(tmp_path: Path, kind: type[Cluster], hits: int) -> None:
    with running(tmp_path, kind=kind) as cluster:
        cluster.piece_bytes = 2000
        result = crash_trial(
            cluster, CAPTURE, seed=random.SystemRandom().getrandbits(32), hits=hits, speed=_SPEED, pause=_pause
        )
        assert result["differences"] == {}, (result, cluster.logs())
        assert min(result["verdicts"].values()) > 0, "nothing was amended"
        assert result["unexpected ends"] == [], (result, cluster.logs())
        assert set(result["exit codes"]) <= ENDED_WELL, (result, cluster.logs())
