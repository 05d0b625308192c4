"""Apache Kafka itself: fetched once by Maven, kept in the cache folder."""

import re
import shutil
import subprocess
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from segwatch.errors import BusError
from segwatch.processes.locks import locked
from segwatch.settings import settings

VERSION = "4.3.1"
FETCHING = f"Fetching Apache Kafka {VERSION} (43 MB, once) ..."
_FETCH_SECONDS = 540
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def jars_directory() -> Path:
    """Return the folder that Kafka's jars are in, or will be."""
    return settings().cache_dir.absolute() / f"kafka-{VERSION}"


def are_fetched() -> bool:
    """Return whether the jars are there; they come all at once or not at all."""
    return jars_directory().is_dir()


def find_maven() -> str:
    """Return the path of Maven. Raise BusError if it is missing."""
    path = shutil.which("mvn")
    if not path:
        raise BusError(
            f"The local broker is Apache Kafka {VERSION}, which Maven fetches once, and there is no mvn; install it "
            "(on Debian: apt-get install maven)."
        )
    return path


def fetch_jars() -> Path:
    """Return the folder of Kafka's jars; fetch them if they are not there. Raise BusError if that fails."""
    directory = jars_directory()
    if directory.is_dir():
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with locked(directory.with_name(f"{directory.name}.lock")):
            if not directory.is_dir():
                _fetch_into(directory)
    except OSError as error:
        raise BusError(
            f"The cache folder {directory.parent} cannot be used ({error.strerror or error}); see that it belongs to "
            "you and can be written, or choose another with SEGWATCH_CACHE_DIR."
        ) from error
    return directory


def _fetch_into(directory: Path) -> None:
    maven = find_maven()
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=directory.parent) as folder:
        jars = Path(folder) / "jars"
        with as_file(files("segwatch.kafka.broker") / "pom.xml") as pom:
            options = ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
            _run_maven([maven, "-q", "-B", "-f", str(pom), *options, _GOAL], folder)
        jars.rename(directory)


def _run_maven(command: list[str], working_directory: str) -> None:
    try:
        # Java takes a folder "?" for the home of a user who has none: let it be one that goes away.
        done = subprocess.run(  # noqa: S603  # the path is what the user's shell would run
            command, cwd=working_directory, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BusError(f"Maven did not fetch Apache Kafka {VERSION} within {_FETCH_SECONDS} seconds.") from error
    if done.returncode:
        errors = re.findall(r"^\[ERROR\] (.+)$", done.stdout, re.MULTILINE)
        reason = (errors[0] if errors else f"exit code {done.returncode}").rstrip(". ")
        raise BusError(f"Maven could not fetch Apache Kafka {VERSION} ({reason}); it needs the network once.")
