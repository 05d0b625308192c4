"""Commands that README.md and docs/ name in their sentences are commands that there are."""

import re
import shlex
from itertools import product

import click
import pytest

from segwatch.errors import SegwatchError
from tests.cli.parsing import parse
from tests.docs.shown import DOCUMENTS, Shown, inline
from tests.support import REPOSITORY

INLINE = [shown for path in DOCUMENTS for shown in inline(path)]
NUMBERS = {"N", "BYTES", "SECONDS", "PORT"}


def forms(text: str) -> list[str]:
    """Return the commands that a form with alternatives stands for; what is in brackets is left out."""
    plain = re.sub(r"\s*\[[^\]]*\]", "", text.replace("\\|", "|"))
    words = [word.split("|") if not re.search("['\"]", word) else [word] for word in plain.split()]
    return [" ".join(chosen) for chosen in product(*words)]


COMMANDS = [(shown, form) for shown in INLINE if re.match(r"segwatch [a-z]", shown.text) for form in forms(shown.text)]


def test_they_are_found() -> None:
    assert len(COMMANDS) > 60


@pytest.mark.parametrize(("shown", "form"), COMMANDS, ids=[f"{shown.document}:{shown.line}" for shown, _ in COMMANDS])
def test_a_command_is_understood(shown: Shown, form: str) -> None:
    words = [("1" if word in NUMBERS else word) for word in shlex.split(form)[1:]]
    try:
        parse(words)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        pass  # a sentence may name a command without its files, and an option without its value
    except (click.UsageError, SegwatchError) as error:
        if not str(error).endswith("requires an argument."):
            pytest.fail(f"{shown.document}:{shown.line}: {form}: {error}")


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {(shown.document, found[1]) for shown in INLINE if (found := re.match(r"make ([a-z-]+)", shown.text))}
    assert {target for _, target in named} <= targets


def test_modules_are_there() -> None:
    named = {found[1] for shown in INLINE if (found := re.match(r"python -m (tests\.[a-z_.]+)", shown.text))}
    assert len(named) >= 5
    for name in named:
        path = REPOSITORY / name.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), name


def test_files_of_the_checkout_are_there() -> None:
    folders = r"(?:deploy|docs|tests|segwatch|ingest|processors|sinks)/[\w./@-]+"
    named = {shown.text for shown in INLINE if re.fullmatch(folders, shown.text)}
    assert len(named) > 15
    assert {name for name in named if not (REPOSITORY / name).exists()} == set()
