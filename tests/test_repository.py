"""Rules of the tree: who may import whom, how long things may be, and what must not stand in any file."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from segwatch.records.findings import FindingColumns
from segwatch.vocabulary import EVENT_NAMES, LABEL_NAMES, RESET_NAMES, Completeness, Quality
from tests.support import REPOSITORY

ROOMS = ("ingest", "processors", "sinks")
PACKAGES = ("segwatch", *ROOMS)
LONGEST_FUNCTION = 60
LONGEST_FILE = 600
OUTSIDE_WORLD = {
    "asyncio",
    "chdb",
    "clickhouse_driver",
    "datetime",
    "faust",
    "kafka",
    "requests",
    "socket",
    "subprocess",
    "time",
}
"""Modules that the analysis does without: it takes batches and gives findings, and reads no clock."""
TEXT_SUFFIXES = {
    ".cfg",
    ".ini",
    ".json",
    ".md",
    ".py",
    ".service",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".xml",
    ".yaml",
    ".yml",
    "",
}
# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of a workplace": r"(?<![\w.-])/work[/]",
    "an index of packages": r"index[-_]url|find[-]links",
    "a host of a package registry": r"pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|repo1?[.]maven|crates[.]io",
}


def _python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.lineno, node.module or ""


def _imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, and of ``from a import b`` also ``a.b``, which may be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
    yield from (name for _, name in _imports(path))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


def _name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: what is tracked is not known")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    paths = [REPOSITORY / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_never_import_one_another(room: str) -> None:
    others = set(ROOMS) - {room}
    found = [
        f"{_name(path)}:{line} {name}"
        for path in _python_files(room)
        for line, name in _imports(path)
        if name.split(".")[0] in others
    ]
    assert found == []


def test_the_contract_imports_no_room() -> None:
    may = ("segwatch/cli/", "segwatch/jobs/")
    found = [
        f"{_name(path)}:{line} {name}"
        for path in _python_files("segwatch")
        if not _name(path).startswith(may)
        for line, name in _imports(path)
        if name.split(".")[0] in ROOMS
    ]
    assert found == []


def test_the_analysis_touches_no_outside_world() -> None:
    """Only the Faust app and its worker do."""
    found = [
        f"{_name(path)}:{line} {name}"
        for path in _python_files("processors")
        if not _name(path).startswith(("processors/app.py", "processors/worker/"))
        for line, name in _imports(path)
        if name.split(".")[0] in OUTSIDE_WORLD
    ]
    assert found == []


def test_no_modules_import_one_another() -> None:
    """Imports inside of functions count too."""
    modules = {_module(path): path for path in _python_files(*PACKAGES)}
    imports = {module: set(_imported(path)) & set(modules) for module, path in modules.items()}
    TopologicalSorter(imports).prepare()  # a CycleError names them


def test_no_project_code_imports_the_tests() -> None:
    found = [
        f"{_name(path)}:{line}"
        for path in _python_files(*PACKAGES)
        for line, name in _imports(path)
        if name.split(".")[0] == "tests"
    ]
    assert found == []


def test_functions_fit_a_screen() -> None:
    found = []
    for path in _python_files(*PACKAGES, "tests"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    found.append(f"{_name(path)}:{node.lineno} {node.name}: {lines} lines")
    assert found == []


def test_files_have_one_subject() -> None:
    lengths = {
        _name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _python_files(*PACKAGES, "tests")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_names(what: str, tracked: list[Path]) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in tracked:
        if path.suffix not in TEXT_SUFFIXES:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{_name(path)}:{number} {line.strip()[:80]}")
    assert found == []


def test_every_suppressed_warning_is_named() -> None:
    unnamed = re.compile(r"#\s*noqa(?!: [A-Z]+\d)|#\s*type:\s*ignore(?!\[[a-z-]+)|#\s*ruff:\s*noqa(?!: [A-Z]+\d)")
    found = [
        f"{_name(path)}:{number} {line.strip()}"
        for path in _python_files(*PACKAGES, "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if unnamed.search(line)
    ]
    assert found == []


def test_every_module_describes_itself() -> None:
    silent = [
        _name(path)
        for path in _python_files(*PACKAGES, "tests")
        if path.read_text(encoding="utf-8").strip()
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def test_the_label_reference_is_complete() -> None:
    text = (REPOSITORY / "docs" / "labels.md").read_text(encoding="utf-8")
    shown = {
        name
        for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
        for name in re.findall(r"`([a-z0-9_]+)`", row)
    }
    internal = {"labels", "events", "reset", "from_client", "shown"}
    columns = set(FindingColumns._fields) - internal
    wanted = {*LABEL_NAMES, *EVENT_NAMES, *(name for name in RESET_NAMES if name), *columns}
    wanted |= {str(bit.name).lower() for bit in (*Completeness, *Quality)}
    assert wanted - shown == set()


def test_links_between_documents_lead_somewhere(tracked: list[Path]) -> None:
    links = [
        (path, target)
        for path in tracked
        if path.suffix == ".md"
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    ]
    assert [f"{_name(path)}: {target}" for path, target in links if not (path.parent / target).exists()] == []


UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "jsonpickle", "joblib", "marshal", "shelve"}
"""Modules whose readers run what they read."""
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_ATTRIBUTES = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "read_pickle"}
UNSAFE_FLAGS = {"shell", "allow_pickle"}


def _unsafe(path: Path) -> Iterator[str]:
    """Yield what in a file runs a shell, runs text as a program, or reads objects that could."""
    for line, name in _imports(path):
        if name.split(".")[0] in UNSAFE_MODULES:
            yield f"{line} import {name}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in UNSAFE_CALLS:
            yield f"{node.lineno} {called.id}"
        elif isinstance(called, ast.Attribute) and called.attr in UNSAFE_ATTRIBUTES:
            yield f"{node.lineno} {called.attr}"
        for keyword in node.keywords:
            is_off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if keyword.arg in UNSAFE_FLAGS and not is_off:
                yield f"{node.lineno} {keyword.arg}="


def test_no_shell_no_pickle_no_eval() -> None:
    found = [f"{_name(path)}:{what}" for path in _python_files(*PACKAGES, "tests") for what in _unsafe(path)]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from marshal import loads",
        "eval('1')",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "numpy.load(file, allow_pickle=True)",
    ],
)
def test_what_is_unsafe_is_found(line: str, tmp_path: Path) -> None:
    path = tmp_path / "unsafe.py"
    path.write_text(line, encoding="utf-8")
    assert list(_unsafe(path))


def test_dependencies_are_pinned_to_ranges_that_were_tried() -> None:
    """One version where an interface is private or moves fast, else from the oldest tried to the next major."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    bounded = re.compile(r"[A-Za-z0-9_-]+(\[[a-z0-9,]+\])?(==[0-9a-z.!]+|>=[0-9.!]+,<[0-9.!]+)")
    assert [one for group in groups for one in group if not bounded.fullmatch(one)] == []
