"""Where the local server keeps what, and its configuration.

Light on imports: the server's process loads it before ClickHouse.
"""

import hashlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import NamedTuple, TextIO
from xml.sax.saxutils import escape

from segwatch.processes.locks import is_locked, try_lock
from segwatch.processes.ports import HOST

USER = "segwatch"
DEFAULT_IDLE_MINUTES = 15.0
KEPT_FREE_BYTES = 256 << 20
"""Room on the disk from which on ClickHouse writes nothing more. A merge that meets the real end of a disk may leave a
part that cannot be read, in place of those that it was made of (seen with ClickHouse 26.9)."""

_CONFIGURATION = """<clickhouse>
  <listen_host>{host}</listen_host>
  <tcp_port>{tcp_port}</tcp_port>
  <http_port>{http_port}</http_port>
  <users_config>users.xml</users_config>
  <log-level>error</log-level>
  <logger>
    <level>error</level>
    <log>{log}</log>
    <size>4M</size>
    <count>1</count>
  </logger>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>134217728</mark_cache_size>
  <storage_configuration>
    <disks><default><keep_free_space_bytes>{kept_free}</keep_free_space_bytes></default></disks>
  </storage_configuration>
  <merge_tree>
    <auto_statistics_types></auto_statistics_types>
    <min_parts_to_merge_at_once>10</min_parts_to_merge_at_once>
  </merge_tree>
  <backups><allowed_path>{backups}</allowed_path></backups>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
</clickhouse>
"""

# The entry that starts the server logs in as "default" without a password, from the same address as everybody on this
# machine. So that user may do no more than start to listen and wait; all work is done by another one, with a password.
_USERS = """<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>{host}</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT SELECT ON system.numbers</query>
      </grants>
    </default>
    <{user}>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>{host}</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </{user}>
  </users>
</clickhouse>
"""


class Ports(NamedTuple):
    """What a running server has written down."""

    pid: int
    tcp: int
    http: int


class ServerFiles:
    """The files of the local server in one data folder."""

    def __init__(self, data_directory: Path) -> None:
        self.directory = data_directory / "store"
        self.data = self.directory / "data"
        self.run = self.directory / "run"
        self.backups = self.directory / "backups"
        """Where ``BACKUP`` writes and ``RESTORE`` reads."""
        self.log = self.directory / "server.log"
        self.output = self.directory / "server.out"
        self._configuration = self.run / ".clickhouse-local"
        self.password_file = self.directory / "password"
        self._lock = self.directory / "lock"
        self._ports = self.directory / "ports.json"
        self._used = self.directory / "used"

    def make_directories(self) -> None:
        """Make the folders, readable by their owner alone."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self._configuration.mkdir(mode=0o700, parents=True, exist_ok=True)

    def password(self) -> str:
        """Return the password of this installation; made at the first call."""
        try:
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return self._wait_for_password()
        password = secrets.token_hex(24)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
        return password

    def _wait_for_password(self) -> str:
        for _ in range(100):
            password = self.password_file.read_text(encoding="ascii")
            if password:
                return password
            time.sleep(0.01)
        self.password_file.unlink()  # its maker died between making and writing it
        return self.password()

    def write_configuration(self, tcp_port: int, http_port: int) -> None:
        """Write ``config.xml`` and ``users.xml`` where the server looks for them."""
        settings = {
            "host": HOST, "tcp_port": tcp_port, "http_port": http_port, "log": escape(str(self.log)),
            "kept_free": KEPT_FREE_BYTES, "backups": escape(str(self.backups)),
        }  # fmt: skip
        (self._configuration / "config.xml").write_text(_CONFIGURATION.format(**settings), encoding="utf-8")
        digest = hashlib.sha256(self.password().encode()).hexdigest()
        users = _USERS.format(host=HOST, user=USER, digest=digest)
        (self._configuration / "users.xml").write_text(users, encoding="utf-8")

    def lock(self) -> TextIO | None:
        """Take the lock that a server holds as long as it lives; ``None`` if another one holds it."""
        return try_lock(self._lock)

    def is_alive(self) -> bool:
        """Return whether a server's process lives."""
        return is_locked(self._lock)

    def write_ports(self, ports: Ports) -> None:
        """Write down, in one step, where the server listens."""
        temporary = self._ports.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(ports._asdict()), encoding="ascii")
        temporary.replace(self._ports)

    def read_ports(self) -> Ports | None:
        """Return where the server listens, ``None`` if none has said so."""
        try:
            return Ports(**json.loads(self._ports.read_text(encoding="ascii")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def pid(self) -> int | None:
        """Return the number of the server's process, ``None`` if none has said so."""
        ports = self.read_ports()
        return ports.pid if ports else None

    def forget_ports(self) -> None:
        """Remove what was written down, so that nobody comes any more."""
        self._ports.unlink(missing_ok=True)

    def mark_used(self) -> None:
        """Note that a command uses the server now."""
        self._used.touch()

    def seconds_since_use(self) -> float:
        """Return how long ago a command used the server."""
        try:
            return time.time() - self._used.stat().st_mtime
        except FileNotFoundError:
            return float("inf")


def idle_minutes() -> float:
    """Return after how many minutes without use the server ends (``SEGWATCH_STORE_IDLE_MINUTES``)."""
    try:
        minutes = float(os.environ.get("SEGWATCH_STORE_IDLE_MINUTES") or DEFAULT_IDLE_MINUTES)
    except ValueError:
        return DEFAULT_IDLE_MINUTES
    return minutes if minutes > 0 else DEFAULT_IDLE_MINUTES
