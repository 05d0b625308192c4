"""The first stage of the Dockerfile, done in a folder: no container engine is needed for it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import ENTRYPOINT, stages
from tests.support import REPOSITORY

INSTALLED = "/opt/segwatch"
NO_NETWORK = re.compile(r"Max retries exceeded|Failed to establish a new connection|name resolution|NewConnectionError")
BUILD_SECONDS = 1500


class Image:
    """What the image holds, with the folder ``root`` for its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / "var" / "cache" / "segwatch"
        self.temporary = root / "tmp"
        self._environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
        self._folder = root

    def build(self) -> None:
        """Do what the stage ``build`` says. Skips the test where packages cannot be fetched."""
        for folder in (self.cache, self.temporary):
            folder.mkdir(parents=True)
        for instruction in stages()["build"]:
            if instruction.name == "ENV":
                self._environment.update(pair.split("=", 1) for pair in instruction.words.split())
            elif instruction.name == "WORKDIR":
                self._folder = self.root / instruction.words.lstrip("/")
                self._folder.mkdir(parents=True)
            elif instruction.name == "COPY":
                self._copy(*instruction.words.split())
            elif instruction.name == "RUN":
                self._run(instruction.words)
        script = self.root / "opt" / "segwatch" / "entrypoint.sh"
        script.write_text(self.placed(ENTRYPOINT.read_text("utf-8")), "utf-8")
        script.chmod(0o755)

    def placed(self, text: str) -> str:
        """Return a text of the image with its paths in the folder."""
        return text.replace(INSTALLED, f"{self.root}{INSTALLED}")

    def start(self, *arguments: str, with_room: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Start it as a container does: read-only, without any right, with a tmpfs where it writes."""
        places = [self.cache, self.temporary] if with_room else []
        script = "set -e\n" + "".join(f"mount -t tmpfs tmpfs '{place}'\n" for place in places)
        script += "mount -o remount,bind,ro /\n"
        script += 'exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
        command = ["unshare", "--mount", "bash", "-c", script, "start", str(self.root / "opt/segwatch/entrypoint.sh")]
        variables = {
            **self._environment,
            "HOME": "/nonexistent",
            "TMPDIR": str(self.temporary),
            "SEGWATCH_CACHE_DIR": str(self.cache),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        return subprocess.run(
            [*command, *arguments], env=variables, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )

    def _copy(self, *words: str) -> None:
        *sources, target = words
        for source in sources:
            path, place = REPOSITORY / source, self._folder / target
            if path.is_dir():
                shutil.copytree(path, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, place)

    def _run(self, words: str) -> None:
        line = self.placed(words).replace("--no-cache-dir ", "")  # what is fetched once is kept, here
        done = subprocess.run(
            ["sh", "-c", line], cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False,
            timeout=BUILD_SECONDS,
        )  # fmt: skip
        if done.returncode and NO_NETWORK.search(done.stderr):
            pytest.skip("the packages of the image cannot be fetched here")
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"


def words_of(instruction: str) -> list[str]:
    """Return the words of an instruction in JSON form."""
    read = json.loads(instruction)
    assert isinstance(read, list)
    return read
