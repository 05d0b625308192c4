"""Two local servers that know one another as the two shards of a cluster, each with a Keeper in its own process."""

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
START_SECONDS = 60
_CONFIGURATION = """<clickhouse>
  <macros><shard>{shard}</shard><replica>only</replica></macros>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <interserver_http_port>{interserver}</interserver_http_port>
  <remote_servers><{name}>{shards}</{name}></remote_servers>
</clickhouse>
"""
_SHARD = (
    "<shard><internal_replication>true</internal_replication>"
    f"<replica><host>{HOST}</host><port>{{port}}</port><user>{USER}</user><password>{PASSWORD}</password></replica></shard>"
)


class Shards:
    """The servers; ``stop`` ends them."""

    def __init__(self, folder: Path, database: str) -> None:
        ports = lasting_ports(6)
        self._ports = (ports[:3], ports[3:])
        shards = "".join(_SHARD.format(port=tcp) for tcp, _, _ in self._ports)
        self._folders = [folder / str(number) for number in (1, 2)]
        self.addresses = [ServerAddress(HOST, tcp, USER, PASSWORD, database) for tcp, _, _ in self._ports]
        for number, place in enumerate(self._folders):
            files = ServerFiles(place)
            files.make_directories()
            files.password_file.write_text(PASSWORD, encoding="ascii")
            extra = files.run / ".clickhouse-local" / "config.d"
            extra.mkdir()
            values = {"shard": number + 1, "interserver": self._ports[number][2], "name": NAME, "shards": shards}
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
        tcp, http, _ = self._ports[number]
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
