"""A full disk: one sentence, and nothing half-stored."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from segwatch.errors import StoreError
from sinks.connection import new_client
from sinks.local_server import LocalServer
from sinks.local_server_files import KEPT_FREE_BYTES
from sinks.sessions import SESSION_TABLES
from sinks.spool import FindingSpool
from sinks.store import SessionState, Store
from tests.kafka.topics import eventually
from tests.sinks.rows import FACTS, some_findings, some_segments
from tests.support import fill_disk

SESSION = "0123456789abcdef" * 2
COUNT = "SELECT count() FROM {}"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={KEPT_FREE_BYTES + (48 << 20)}", "none", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _merges(client: Client) -> bool:
    """Say whether a merge is done; it is not where all are cancelled."""
    try:
        client.execute("OPTIMIZE TABLE small FINAL")
    except ServerException as error:
        if error.code != ErrorCodes.ABORTED:
            raise
        return False
    return True


def test_merges_stop_while_others_take_the_last_of_the_disk(small_disk: Path) -> None:
    """Such a merge may lose rows; once the server may write again, it merges again: deletions wait for that."""
    local = LocalServer(small_disk)
    client = new_client(local.wait_ready(), database="")
    try:
        client.execute("CREATE TABLE small (number UInt8) ORDER BY number AS SELECT 1")
        assert _merges(client)
        filler = fill_disk(small_disk)
        assert eventually(lambda: not _merges(client))
        filler.unlink()
        assert eventually(lambda: _merges(client))
    finally:
        client.disconnect()
        local.stop()


def test_full_disk_of_the_store(small_disk: Path) -> None:
    local = LocalServer(small_disk)
    address = local.wait_ready()
    try:
        with FindingSpool() as spool:
            for seed in range(8):
                spool.add_anomalies(some_segments(50_000, seed), some_findings(50_000, seed))
            with (
                Store(address) as store,
                pytest.raises(StoreError, match=r"^The disk of the store on this machine is full; free some") as caught,
            ):
                store.store_session(SESSION, "here", spool, FACTS)
        assert caught.value.exit_code == 5
        with Store(address) as store:  # the next start clears up what a full disk would not let go
            for table in SESSION_TABLES:
                assert store.client.execute(COUNT.format(table)) == [(0,)], table
            assert store.session_state(SESSION) is SessionState.ABSENT
            with FindingSpool() as spool:
                spool.add_anomalies(some_segments(100), some_findings(100))
                store.store_session(SESSION, "here", spool, FACTS)
            assert store.session_state(SESSION) is SessionState.STORED
    finally:
        local.stop()
