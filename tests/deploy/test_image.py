"""The images: what a linter says, what they hold, and whether a read-only container has all that it needs."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numba
import pytest
from llvmlite import binding

from segwatch.jobs import compiled
from tests.deploy.building import Image, words_of
from tests.deploy.files import DOCKERFILE, PROGRAM, stages
from tests.support import REPOSITORY

DEMO = str(resources.files("segwatch") / "data" / "demo.pcap.gz")
STAGES = stages()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Give an image that is built in a folder, and remove that in the end: it is large."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("only root can make a file system read-only, with unshare and setpriv (Debian: util-linux)")
    made = Image(tmp_path_factory.mktemp("image"))
    try:
        made.build()
        yield made
    finally:
        shutil.rmtree(made.root)


def words(stage: str, name: str) -> list[str]:
    """Return what the instructions of a name say in a stage."""
    return [one.words for one in STAGES[stage] if one.name == name]


def test_a_linter_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([program, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("stage", ["runtime", "sensor"])
def test_images_end_as_a_user_without_rights(stage: str) -> None:
    assert words(stage, "USER")[-1] == "10001:10001"


def test_the_sensor_has_one_right_more() -> None:
    capabilities = re.findall(r"setcap (\S+) (\S+)", DOCKERFILE.read_text("utf-8"))
    assert capabilities == [("cap_net_raw=ep", "/opt/segwatch/bin/python")]
    assert words_of(words("sensor", "CMD")[0]) == ["sensor"]


def test_the_last_stage_has_the_installation_and_no_tools() -> None:
    copied = words("runtime", "COPY")
    assert copied == [
        "--from=build /opt/segwatch /opt/segwatch",
        "--chmod=0755 deploy/image/entrypoint.sh /opt/segwatch/entrypoint.sh",
    ]
    assert words_of(words("runtime", "ENTRYPOINT")[0]) == ["/opt/segwatch/entrypoint.sh"]
    assert not any("pip" in line or "apt-get" in line for line in words("runtime", "RUN"))


def test_the_context_has_what_is_copied_and_little_else() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    sources = {
        source
        for stage in STAGES
        for line in words(stage, "COPY")
        if "--from" not in line
        for source in line.split()[:-1]
        if not source.startswith("--")
    }
    assert let_in == sources
    assert all((REPOSITORY / source).exists() for source in sources)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]:
        assert fnmatch.filter(let_in, pattern)


def test_code_is_compiled_for_any_processor_and_asked_for_alike() -> None:
    for stage in ("build", "runtime"):
        assert any("NUMBA_CPU_NAME=generic" in line for line in words(stage, "ENV"))


def test_the_mark_of_compiled_code_is_the_same_on_every_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "CPU_NAME", "generic")
    monkeypatch.setattr(numba.config, "CPU_FEATURES", "")
    here = compiled._mark()
    monkeypatch.setattr(binding, "get_host_cpu_name", lambda: "another")
    assert compiled._mark() == here
    monkeypatch.setattr(numba.config, "CPU_NAME", None)
    assert compiled._mark() != here


def test_it_is_built_without_the_local_clickhouse_and_without_pip(image: Image) -> None:
    (packages,) = (image.root / "opt/segwatch/lib").glob("python3.*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert {"segwatch", "ingest", "processors", "sinks", "numba", "faust"} <= names
    assert not {"chdb", "pip", "pandas", "pytest"} & names
    first = (image.root / PROGRAM.lstrip("/")).read_text("utf-8").splitlines()[0]
    assert first == f"#!{image.root}/opt/segwatch/bin/python"  # which is what gets the sensor's right
    assert not (image.root / "opt/segwatch/bin/python").is_symlink()


def test_nothing_is_compiled_in_a_read_only_container(image: Image) -> None:
    done = image.start("warmup", "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "everything is compiled\n", "")
    done = image.start("labels", DEMO, NUMBA_DEBUG_CACHE="1")
    assert done.returncode == 0, done.stderr
    told = re.findall(r"^\[cache\] (\w+ \w+)", done.stdout, re.MULTILINE)
    assert "data loaded" in told
    assert not any("saved" in one for one in told)


def test_the_same_labels_come_out(image: Image) -> None:
    here = subprocess.run(
        [sys.executable, "-m", "segwatch", "labels", DEMO], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert image.start("labels", DEMO).stdout == here.stdout


@pytest.mark.parametrize(
    "command", [["topics", "create"], ["processor"], ["sink", "--store", "clickhouse://db/segwatch"]]
)
def test_commands_get_as_far_as_kafka(image: Image, command: list[str]) -> None:
    done = image.start(*command, SEGWATCH_KAFKA="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.splitlines()[-1].startswith("segwatch: No Kafka broker answers (127.0.0.1:1: ")


def test_a_container_without_room_for_its_cache_says_so(image: Image) -> None:
    done = image.start("warmup", "--check", with_room=False)
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr.splitlines()[-1].startswith(f"segwatch: {image.cache} cannot be written; mount a tmpfs")
