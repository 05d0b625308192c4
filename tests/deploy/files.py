"""What lies in deploy/, read as the programs read it that it is for."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = DEPLOY / "image" / "Dockerfile"
ENTRYPOINT = DEPLOY / "image" / "entrypoint.sh"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
BASE = DEPLOY / "kubernetes" / "base"
OVERLAY = DEPLOY / "kubernetes" / "overlays" / "example"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/segwatch/bin/segwatch"

Document = dict[str, Any]


class Instruction(NamedTuple):
    """A line of a Dockerfile."""

    name: str
    words: str


class Command(NamedTuple):
    """A command of segwatch that something in deploy/ starts."""

    place: str
    arguments: list[str]


class Pod(NamedTuple):
    """A template of pods in a manifest."""

    name: str
    namespace: str
    kind: str
    spec: Document


def stages() -> dict[str, list[Instruction]]:
    """Return the instructions of each stage of the Dockerfile by its name."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    found: dict[str, list[Instruction]] = {}
    for line in re.sub(r"\\\n", "", text).splitlines():
        if not line.strip():
            continue
        instruction = Instruction(*line.split(maxsplit=1))
        if instruction.name == "FROM":
            found[instruction.words.split()[-1]] = []
        list(found.values())[-1].append(instruction)
    return found


def compose() -> Document:
    """Return the Compose file, with what it repeats put in."""
    read = yaml.safe_load(COMPOSE.read_text("utf-8"))
    assert isinstance(read, dict)
    return read


def own_services() -> dict[str, Document]:
    """Return the services of segwatch itself."""
    return {name: one for name, one in compose()["services"].items() if one["image"].startswith("segwatch")}


def documents(folder: Path = BASE) -> list[Document]:
    """Return what the manifests of a folder say, those of Kustomize itself left out."""
    return [
        document
        for path in sorted(folder.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for document in yaml.safe_load_all(path.read_text("utf-8"))
    ]


def kustomization(folder: Path) -> Document:
    """Return what a folder says to Kustomize."""
    read = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    assert isinstance(read, dict)
    return read


def generated_settings(folder: Path) -> dict[str, dict[str, str]]:
    """Return the variables of each generated ConfigMap of a folder by its name."""
    return {
        one["name"]: dict(literal.split("=", 1) for literal in one["literals"])
        for one in kustomization(folder)["configMapGenerator"]
    }


def pods(manifests: list[Document]) -> list[Pod]:
    """Return all templates of pods."""
    return [
        Pod(
            one["metadata"]["name"],
            one["metadata"]["namespace"],
            one["kind"],
            one["spec"]["template"]["spec"],
        )
        for one in manifests
        if "template" in one.get("spec", {})
    ]


def unit_commands(unit: Path) -> Iterator[Command]:
    """Yield the commands that a unit starts."""
    for line in unit.read_text("utf-8").splitlines():
        found = re.fullmatch(rf"ExecStart(?:Pre)?={PROGRAM} (.*)", line)
        if found:
            words = shlex.split(found[1].replace("%i", "1"))
            yield Command(unit.name, [word for word in words if not word.startswith("$")])


def commands() -> list[Command]:
    """Return all commands of segwatch that are started by something in deploy/."""
    found = [Command(f"compose.yaml: {name}", one["command"]) for name, one in own_services().items()]
    for pod in pods(documents()):
        found += [Command(f"{pod.kind} {pod.name}", container["args"]) for container in pod.spec["containers"]]
    for unit in UNITS:
        found += unit_commands(unit)
    return found


def variables() -> Iterator[tuple[str, str, str]]:
    """Yield place, name and value of every variable of segwatch that something in deploy/ sets."""
    for stage, instructions in stages().items():
        for instruction in instructions:
            for name, value in re.findall(r"(SEGWATCH_\w+)=(\S+)", instruction.words):
                yield f"Dockerfile: {stage}", name, value
    for service, one in own_services().items():
        for name, value in one.get("environment", {}).items():
            yield f"compose.yaml: {service}", name, value
    for folder in (BASE, OVERLAY):
        for settings, pairs in generated_settings(folder).items():
            for name, value in pairs.items():
                yield f"{folder.name}: {settings}", name, value
    for pod in pods(documents()):
        for container in pod.spec["containers"]:
            for entry in container.get("env", ()):
                yield f"{pod.kind} {pod.name}", entry["name"], entry.get("value", "")
    for unit in UNITS:
        for name, value in re.findall(r"(SEGWATCH_\w+)=(\S+)", unit.read_text("utf-8")):
            yield unit.name, name, value
