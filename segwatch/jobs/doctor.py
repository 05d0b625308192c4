"""What is installed and what is missing, as a list of findings."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

from segwatch import __version__
from segwatch.errors import SegwatchError
from segwatch.kafka.address import LOCAL
from segwatch.passwords import without_password
from segwatch.settings import config_path, settings

FINE: Final = "ok"
NOTE: Final = "note"
BROKEN: Final = "missing"

_NEEDED = (
    *("numpy", "numba", "pyarrow", "dpkt", "libpcap", "clickhouse-driver", "chdb-core"),
    *("kafka-python", "faust-streaming", "aiokafka", "click", "rich"),
)
_LITTLE_ROOM = 1 << 30
_TSHARK_SECONDS = 10


class Finding(NamedTuple):
    """One thing that was looked at."""

    subject: str
    state: str
    """``FINE``, ``NOTE`` (works without it) or ``BROKEN``."""
    detail: str
    advice: str = ""
    """What to do, empty if nothing."""


def examine() -> list[Finding]:
    """Look at everything that segwatch uses; change nothing."""
    return [
        Finding("segwatch", FINE, f"{__version__}, Python {platform.python_version()}, {platform.platform()}"),
        *_packages(),
        _libpcap(),
        _kernels(),
        _tshark(),
        _java(),
        _kafka(),
        *_settings(),
    ]


def _packages() -> Iterator[Finding]:
    for name in _NEEDED:
        try:
            yield Finding(name, FINE, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, BROKEN, "not installed", f"pip install {name}, or install segwatch again")


def _libpcap() -> Finding:
    from ingest.capture.libpcap import libpcap_library

    try:
        library = libpcap_library()
    except SegwatchError as error:
        return Finding("libpcap", BROKEN, str(error), "install Debian's libpcap0.8, or segwatch again")
    version = library.pcap_lib_version().decode(errors="replace")
    return Finding("libpcap library", FINE, f"{version}, from {library._name}")  # noqa: SLF001  # ctypes has no other name for it


def _kernels() -> Finding:
    from segwatch.compilation import kernels_are_kept, kernels_directory
    from segwatch.jobs.compiled import is_warm

    if is_warm():
        return Finding("compiled code", FINE, f"complete, in {kernels_directory()}")
    if not kernels_are_kept():
        detail = f"{kernels_directory()} cannot be written: every command compiles anew, for a minute"
        return Finding("compiled code", NOTE, detail, "set SEGWATCH_CACHE_DIR to a folder that can be written")
    return Finding("compiled code", NOTE, "not complete: the first commands will take longer", "segwatch warmup")


def _tshark() -> Finding:
    path = shutil.which("tshark")
    if not path:
        return Finding("tshark", NOTE, "not installed; only tests and comparisons use it")
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=_TSHARK_SECONDS, check=False)  # noqa: S603  # the path is what the user's shell would run
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("tshark", NOTE, f"{path} does not run: {error}")
    return Finding(
        "tshark", FINE, f"{(done.stdout.splitlines() or ['?'])[0]} ({path}); only tests and comparisons use it"
    )


def _settings() -> Iterator[Finding]:
    path = config_path()
    try:
        current = settings()
    except SegwatchError as error:
        yield Finding("settings", BROKEN, str(error), f"correct {path} or the environment")
        return
    where = f"{path}{'' if path.exists() else ' (not there: defaults)'}"
    store, kafka = map(without_password, (current.store, current.kafka))
    yield Finding("settings", FINE, f"{where}; store {store}, Kafka {kafka}")
    yield _folder("data", current.data_dir)
    yield _folder("cache", current.cache_dir)
    yield _local_server(current.data_dir)
    yield _local_broker(current.data_dir) if current.kafka == LOCAL else _other_kafka(current.kafka)


def _local_server(data_directory: Path) -> Finding:
    """Say whether the local ClickHouse runs; it is not started for that."""
    from sinks.local_server import LocalServer

    try:
        status = LocalServer(data_directory.absolute()).status()
    except SegwatchError as error:
        return Finding("local server", BROKEN, str(error))
    if status.running:
        return Finding("local server", FINE, f"runs as process {status.pid}, port {status.tcp_port}")
    return Finding("local server", FINE, "does not run; segwatch analyze, query and up start it")


def _java() -> Finding:
    from segwatch.kafka.broker.java import find_java

    try:
        java = find_java()
    except SegwatchError as error:
        return Finding("Java", NOTE, str(error), "needed for the local broker: segwatch up, segwatch broker")
    return Finding("Java", FINE, f"{java.version}, {java.path}; for the local broker (segwatch up)")


def _kafka() -> Finding:
    """Say whether the local broker could start, as far as Kafka itself is concerned."""
    from segwatch.kafka.broker.jars import VERSION, are_fetched, find_maven, jars_directory

    try:
        if are_fetched():
            return Finding("Apache Kafka", FINE, f"{VERSION}, in {jars_directory()}; for the local broker")
        maven = find_maven()
    except SegwatchError as error:
        return Finding("Apache Kafka", NOTE, str(error), "needed for the local broker: segwatch up, segwatch broker")
    return Finding("Apache Kafka", FINE, f"not fetched; the first segwatch broker start does it, with {maven}")


def _local_broker(data_directory: Path) -> Finding:
    """Say whether the local Kafka broker runs; it is not started for that."""
    from segwatch.kafka.broker.local import LocalBroker

    status = LocalBroker(data_directory).status()
    if status.running:
        return Finding("local broker", FINE, f"runs as process {status.pid}, port {status.port}")
    return Finding("local broker", FINE, "does not run; segwatch up and segwatch broker start start it")


def _other_kafka(text: str) -> Finding:
    """Say whether the Kafka of the settings answers."""
    from segwatch.kafka.connection import open_admin
    from segwatch.kafka.location import kafka_address

    try:
        open_admin(kafka_address(text)).close()
    except SegwatchError as error:
        return Finding("Kafka", BROKEN, str(error))
    return Finding("Kafka", FINE, f"answers at {text}")


def _folder(subject: str, path: Path) -> Finding:
    """Say whether a folder can be written, and how much room there is."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            f"{subject} folder", BROKEN, f"{path} cannot be written", f"give this user {existing}, or set another"
        )
    free = shutil.disk_usage(existing).free
    detail = f"{path}{'' if path.exists() else ' (not there yet)'}, {free / 1e9:.1f} GB free"
    if free < _LITTLE_ROOM:
        return Finding(f"{subject} folder", NOTE, detail, "make some room: the store grows with what is analysed")
    return Finding(f"{subject} folder", FINE, detail)
