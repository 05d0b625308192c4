"""Two local servers that know one another as the two shards of a cluster.

They are ``chdb-core``'s, which have a Keeper within their process, but neither what carries ``ON CLUSTER`` to other
servers nor what replicas talk with: a replicated table can be made, and takes no rows. So ``for_one_server`` turns the
statements for a cluster into those that make the same tables without replicas, to be executed on each server.
"""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from segwatch.errors import StoreError
from segwatch.processes.ports import HOST, lasting_ports
from sinks.connection import ServerAddress, connect
from sinks.local_server_files import USER, ServerFiles
from tests.support import REPOSITORY

NAME = "trial"
PASSWORD = "of both"  # noqa: S105  # between two servers of a test
START_SECONDS = 120
_CONFIGURATION = """<clickhouse>
  <macros><shard>{shard}</shard><replica>only</replica></macros>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <remote_servers><{name}>{shards}</{name}></remote_servers>
</clickhouse>
"""
_SHARD = (
    "<shard><internal_replication>true</internal_replication>"
    f"<replica><host>{HOST}</host><port>{{port}}</port><user>{USER}</user><password>{PASSWORD}</password></replica></shard>"
)
_REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, (\w+))?\)")
_WINDOW = re.compile(r"\breplicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+")


def for_one_server(statement: str) -> str:
    """Return a statement for the cluster without ``ON CLUSTER``, and with plain tables instead of replicated ones."""
    plain = _REPLICATED.sub(r"\1(\2)", statement.replace(f" ON CLUSTER '{NAME}'", ""))
    return _WINDOW.sub(r"non_replicated_deduplication_window = \1", plain)


class Shards:
    """The servers; ``stop`` ends them."""

    def __init__(self, folder: Path, database: str) -> None:
        ports = lasting_ports(4)
        self._ports = (ports[:2], ports[2:])
        shards = "".join(_SHARD.format(port=tcp) for tcp, _ in self._ports)
        self._folders = [folder / str(number) for number in (1, 2)]
        self.addresses = [ServerAddress(HOST, tcp, USER, PASSWORD, database) for tcp, _ in self._ports]
        for number, place in enumerate(self._folders):
            files = ServerFiles(place)
            files.make_directories()
            files.password_file.write_text(PASSWORD, encoding="ascii")
            extra = files.run / ".clickhouse-local" / "config.d"
            extra.mkdir()
            values = {"shard": number + 1, "name": NAME, "shards": shards}
            (extra / "cluster.xml").write_text(_CONFIGURATION.format(**values), encoding="ascii")
        self._processes = [self._start(number) for number in range(2)]

    def clients(self) -> list[Any]:
        """Return a client of each server; waits until they answer."""
        return [_patient_client(address) for address in self.addresses]

    def stop(self) -> None:
        """End both servers."""
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait(60)

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        tcp, http = self._ports[number]
        command = [sys.executable, "-m", "tests.sinks.shard_server", str(self._folders[number]), str(tcp), str(http)]
        output = (self._folders[number] / "output").open("wb")
        with output:
            return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _patient_client(address: ServerAddress) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect(address)
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
