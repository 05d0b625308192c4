"""The process of the local broker: takes the folder's lock, prepares everything, and becomes Java.

``python -m segwatch.kafka.broker.process FOLDER JAVA JARS [NAME=VALUE...]`` serves the data folder until it is told to
stop (SIGTERM). The lock stays with the process when it becomes Java, so it is free again whenever Java ends, however
that happens; and the number of the process, which is written down before, stays true.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import NoReturn, TextIO

from segwatch.kafka.broker.files import BrokerFiles, Ports, Server
from segwatch.kafka.broker.properties import server_properties
from segwatch.processes.ports import is_free, lasting_ports

FAILED = 1
_WAIT_FOR_OTHER_SECONDS = 30.0
_LOCK_PAUSE_SECONDS = 0.02
# The quick compiler alone: measured, the start takes two thirds of the processor time, and the first gigabyte of
# messages half of it; most of what comes then, the kernel does.
_JAVA_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",  # a file in the folder for temporary ones
)


def serve(files_: BrokerFiles, java: str, jars: Path, extra: Mapping[str, str]) -> NoReturn:
    """Become the folder's broker. Raise OSError where that is impossible."""
    lock = _take_lock(files_)
    os.set_inheritable(lock.fileno(), True)
    files_.write_server(Server.this_process())
    ports = _choose_ports(files_)
    log = [f"-Dsegwatch.log={files_.log}", f"-Dlog4j2.configurationFile={_log_configuration(files_)}"]
    command = [java, *_JAVA_OPTIONS, *log, "-cp", f"{jars}/*"]
    if not files_.data.is_dir():
        _format(files_, ports, command, extra)
    files_.properties.write_text(server_properties(ports, files_.data, extra), encoding="ascii")
    os.chdir(files_.directory)
    os.execv(java, [*command, "kafka.Kafka", str(files_.properties)])  # noqa: S606  # the point is to become that program


def _take_lock(files_: BrokerFiles) -> TextIO:
    """Wait for the lock: who looks whether a broker lives holds it for a moment, and one may just be ending."""
    deadline = time.monotonic() + _WAIT_FOR_OTHER_SECONDS
    while time.monotonic() < deadline:
        lock = files_.lock()
        if lock is not None:
            return lock
        time.sleep(_LOCK_PAUSE_SECONDS)
    raise OSError(0, "another broker of this folder neither serves nor ends")


def _choose_ports(files_: BrokerFiles) -> Ports:
    """Return the ports of last time, others where somebody else has taken one of them."""
    ports = files_.read_ports()
    if ports is None or not all(map(is_free, ports)):
        ports = Ports(*lasting_ports(2))
        files_.write_ports(ports)
    return ports


def _log_configuration(files_: BrokerFiles) -> Path:
    """Put the configuration of the log where Java can read it."""
    path = files_.directory / "log4j2.xml"
    with as_file(files("segwatch.kafka.broker") / "log4j2.xml") as packaged:
        shutil.copyfile(packaged, path)
    return path


def _format(files_: BrokerFiles, ports: Ports, command: list[str], extra: Mapping[str, str]) -> None:
    """Make the data folder, all of it or nothing."""
    shutil.rmtree(files_.unfinished_data, ignore_errors=True)
    files_.properties.write_text(server_properties(ports, files_.unfinished_data, extra), encoding="ascii")
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
    tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={files_.properties}"]
    done = subprocess.run([*command, *tool], capture_output=True, text=True, check=False)  # noqa: S603  # the command is our own
    if done.returncode:
        words = re.sub(r"^Exception in thread .*?: ", "", done.stderr or done.stdout).splitlines()
        raise OSError(0, f"the data folder could not be made: {words[0] if words else f'exit code {done.returncode}'}")
    files_.unfinished_data.rename(files_.data)


def main() -> NoReturn:
    """Run the process."""
    folder, java, jars, *extra = sys.argv[1:]
    try:
        serve(BrokerFiles(Path(folder)), java, Path(jars), dict(one.split("=", 1) for one in extra))
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)  # noqa: T201  # stderr is the log of this process
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
