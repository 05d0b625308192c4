"""``segwatch sensor --check``: what would be done, in sentences, and all that would stop it."""

import hashlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, ParamSpec

from ingest.anonymize.key_file import read_key
from ingest.capture.live.handle import InterfaceLostError, LiveHandle
from ingest.capture.live.interfaces import require_interface
from ingest.capture.live.options import CaptureOptions
from ingest.capture.live.own_traffic import OwnTraffic, Server, combined_filter
from ingest.capture.reader import open_capture
from ingest.publish.spool.spool import Spool
from segwatch.errors import BusError, SegwatchError, UsageError
from segwatch.jobs.inputs import capture_files, repeated_sentence
from segwatch.jobs.link_types import link_type_name
from segwatch.jobs.sensor_names import shared_sentence, statuses_since
from segwatch.jobs.spooled_delivery import SpoolPlan
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.admin import check_topics, find_differences
from segwatch.kafka.topics import SEGMENTS, SENSORS
from segwatch.messages.identities import hosts_of_others
from segwatch.settings import config_path

Finding = str | SegwatchError
"""A sentence about what would be done, or what is in the way of it."""
_Arguments = ParamSpec("_Arguments")
_GB: Final = 1e9
_HOUR: Final = 3600
_NANOSECONDS: Final = 1_000_000_000
_FINGERPRINT: Final = 8
_RECENT: Final = 30 * _NANOSECONDS
"""A sensor that has said nothing for so long is not at work."""


def captures_findings(arguments: tuple[str, ...], speed: float | None) -> Iterator[Finding]:
    """Find which captures would be read, and how."""
    names, missing, repeated = capture_files(arguments)
    yield from missing
    for name in names:
        yield _found(_capture_sentence, name)
    yield from map(repeated_sentence, repeated)
    yield f"Packets would come {'as fast as possible' if speed is None else f'{speed:g} times as fast as recorded'}."


def interfaces_findings(
    interfaces: Iterable[str], options: CaptureOptions, servers: Iterable[Server] | None
) -> Iterator[Finding]:
    """Find what would be captured, without the traffic to ``servers``: each interface is opened once.

    None stands for servers whose addresses nobody knows now.
    """
    used = combined_filter(options.capture_filter, OwnTraffic().clause(servers or ()))
    for name in interfaces:
        yield _found(_interface_sentence, name, options, used)
    later = " (and no traffic to Kafka, once its address is known)" if servers is None else ""
    yield f"Filter: {used or 'none'}{later}"


def common_findings(
    name: str, address: KafkaAddress | BusError, spool: SpoolPlan | None, anonymize: Path | None
) -> Iterator[Finding]:
    """Find where segments would go, and in which form; ``address`` may be why there is none."""
    path = config_path()
    yield f"The sensor's name would be {name}; settings come from {path if path.exists() else 'the environment alone'}."
    yield _found(_addresses_sentence, anonymize)
    yield _found(_spool_sentence, spool)
    if isinstance(address, BusError):
        yield address
        return
    kafka = _found(_topics_sentence, address)
    yield kafka
    if isinstance(kafka, str):
        yield _found(_name_sentence, name, address)


def _found(look: Callable[_Arguments, str], *arguments: _Arguments.args, **more: _Arguments.kwargs) -> Finding:
    """Return what a look finds, or what keeps it from that: the others go on."""
    try:
        return look(*arguments, **more)
    except SegwatchError as error:
        return error


def _capture_sentence(name: str) -> str:
    if name == "-":
        return "It would read standard input."
    with closing(open_capture(name)):
        return f"It would read {name}."


def _interface_sentence(name: str, options: CaptureOptions, used: str) -> str:
    require_interface(name)
    try:
        with LiveHandle(name, options, used) as handle:
            handle.check()
            kind = link_type_name(handle.link_type)
            return f"It would capture {name}, which is up: {kind}, {handle.snaplen} bytes of a frame."
    except InterfaceLostError as lost:
        return f"It would wait for {name}: {lost}"


def _addresses_sentence(key: Path | None) -> str:
    if key is None:
        return "Addresses would be published as they are."
    digest = hashlib.sha256(b"segwatch key " + read_key(key)).hexdigest()[:_FINGERPRINT]
    return f"Addresses would be replaced by the key in {key}; sensors with the same key say {digest} here."


def _topics_sentence(address: KafkaAddress) -> str:
    partitions = check_topics(address, writes=(SEGMENTS, SENSORS))
    return f"Segments would go to {SEGMENTS} in Kafka at {address.bootstrap}, which answers: {partitions} partitions."


def _name_sentence(name: str, address: KafkaAddress) -> str:
    if hidden := find_differences(address, reads=[SENSORS]):
        return f"Whether another sensor has that name cannot be seen from here: {hidden[0].text}."
    since, here = time.time_ns() - _RECENT, socket.gethostname()
    recent = [one for one in statuses_since(address, 0) if one.ts > since and one.state != "stopping"]
    if hosts := [host for host in hosts_of_others(recent, name, own=()) if host != here]:
        raise UsageError(shared_sentence(name, hosts))
    return "No sensor of that name is at work on another host."


def _spool_sentence(plan: SpoolPlan | None) -> str:
    if plan is None:
        return "There would be no spool: while Kafka is away, the sensor would wait for it."
    waiting, used = 0, 0
    if plan.folder.exists():
        spool = Spool(plan.folder, plan.limits)
        waiting, used = spool.messages, spool.size
        spool.close()
    there = next(folder for folder in (plan.folder, *plan.folder.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(
            f"the spool {plan.folder} cannot be made: {there} cannot be written; set another with --spool."
        )
    room = plan.limits.bytes - used
    free = shutil.disk_usage(there).free
    if free < room:
        raise UsageError(
            f"the spool {plan.folder} may grow by {room / _GB:.1f} GB, and its disk has {free / _GB:.1f} GB free; set "
            "--spool-bytes lower, or another folder with --spool."
        )
    limits = f"{plan.limits.bytes / _GB:.1f} GB and {plan.limits.age / _NANOSECONDS / _HOUR:g} h at most"
    return f"While Kafka is away, segments would wait in {plan.folder}: {limits}; it holds {waiting} messages now."
