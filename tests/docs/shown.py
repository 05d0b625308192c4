"""The commands that README.md and docs/ show."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support import REPOSITORY

DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
SHELLS = {"sh", "bash", "shell", "console"}
PROGRAMS = {
    *("segwatch", "make", "sudo", "tcpdump", "ip", "ethtool", "python", "pip", "git", "curl", "jq", "cd", "install"),
    *("docker", "kubectl", "systemctl", "journalctl", "useradd", "setcap", "setpriv", "head", "du", "cp", "openssl"),
    *("clickhouse-client", "kafka-topics.sh", "kafka-consumer-groups.sh", "kafka-configs.sh", "faust"),
}
"""A block that begins with one of these shows commands."""
_PROMPT = "$ "
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=\S*\s+")
_DESCRIPTION = re.compile(r"""^((?:[^'"]|'[^']*'|"[^"]*")*?\S)\s{2,}\S.*$""")
"""What follows a command on its line, after two spaces or more, tells about it."""


class Block(NamedTuple):
    """Lines that are shown as they are."""

    document: str
    line: int
    """Number of the first of them, from 1."""
    language: str | None
    """What a fence says; None for lines that are indented."""
    lines: list[str]


class Shown(NamedTuple):
    """A command."""

    document: str
    line: int
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """Yield the blocks of a document: fenced ones, and those that are indented by four spaces after an empty line."""
    name = str(path.relative_to(REPOSITORY))
    lines = path.read_text("utf-8").splitlines()
    number, blank = 0, True
    while number < len(lines):
        line = lines[number]
        start = number
        if fence := re.fullmatch(r"(```+)(\w*).*", line):
            number += 1
            while number < len(lines) and not lines[number].startswith(fence[1]):
                number += 1
            yield Block(name, start + 2, fence[2], lines[start + 1 : number])
        elif blank and line.startswith("    "):
            while number < len(lines) and (lines[number].startswith("    ") or not lines[number]):
                number += 1
            yield Block(name, start + 1, None, [one[4:] for one in lines[start:number]])
            number -= 1
        blank = not lines[number].strip() if number < len(lines) else True
        number += 1


def program(text: str) -> str:
    """Return the first word of a command, variables that are set for it left out."""
    words = _VARIABLE.sub("", text).split()
    return words[0] if words else ""


def _shows_commands(block: Block) -> bool:
    first = next((line for line in block.lines if line.strip() and not line.startswith("#")), "")
    if block.language:
        return block.language in SHELLS
    return first.startswith(_PROMPT) or _is_command(first)


def _is_command(line: str) -> bool:
    return line.startswith("./") or program(line) in PROGRAMS


def commands(path: Path) -> Iterator[Shown]:
    """Yield the commands that a document shows, less what is said about them on the same line."""
    for block in blocks(path):
        if not _shows_commands(block):
            continue
        with_output = any(line.startswith(_PROMPT) for line in block.lines)
        text, begun = "", 0
        for number, line in enumerate(block.lines, block.line):
            if with_output and not text:
                if not line.startswith(_PROMPT):
                    continue
                line = line.removeprefix(_PROMPT)
            if not text:
                if block.language is None and not _is_command(line):  # the text of a list, indented as deep
                    continue
                begun = number
            text += line.strip()
            if text.endswith("\\"):
                text = text.removesuffix("\\")
                continue
            if text and not text.startswith("#"):
                found = _DESCRIPTION.match(text)
                yield Shown(block.document, begun, found[1] if found else text)
            text = ""


def inline(path: Path) -> Iterator[Shown]:
    """Yield what a document has in backticks, outside of its blocks."""
    hidden = {number for block in blocks(path) for number in range(block.line, block.line + len(block.lines))}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if number not in hidden:
            for text in re.findall(r"`([^`]+)`", line):
                yield Shown(str(path.relative_to(REPOSITORY)), number, text)
