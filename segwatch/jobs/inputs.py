"""From what stands on the command line to capture files."""

import glob
import os
from pathlib import Path
from typing import NamedTuple

from ingest.capture.reader import open_capture
from segwatch.errors import InputError

_MAGICS = (
    b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xcd\x34",
    b"\x34\xcd\xb2\xa1", b"\x0a\x0d\x0d\x0a", b"snoop\0\0\0", b"RTSS", b"GMBU",
)  # fmt: skip
"""First bytes of pcap (RFC draft-ietf-opsawg-pcap, and its nanosecond and modified forms), pcapng, snoop and Network
Monitor."""
_COMPRESSIONS = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\xfd7zXZ\0", b"BZh")
"""First bytes of gzip, zstd, lz4, xz and bzip2."""
_MAGIC_BYTES = 8


class Inputs(NamedTuple):
    """What the arguments of a command lead to."""

    files: list[str]
    """In order, each once, whatever it was called the second time."""
    errors: list[InputError]
    """What is wrong with the other arguments."""
    repeated: list[str]
    """Those of ``files`` that arguments lead to more than once."""


def capture_files(arguments: tuple[str, ...]) -> Inputs:
    """Return the files that ``arguments`` name.

    An argument is a file, ``-``, a folder (searched to its depth for files that begin like captures, whatever their
    names) or a pattern that the shell did not resolve. An error is that an argument leads to nothing, or that a folder
    cannot be searched.
    """
    found: dict[str, str] = {}
    repeated: dict[str, None] = {}
    errors: list[InputError] = []
    for argument in arguments:
        try:
            for name in _files_of(argument, errors):
                place = name if name == "-" else os.path.realpath(name)
                if place in found:
                    repeated[found[place]] = None
                found.setdefault(place, name)
        except InputError as error:
            errors.append(error)
    return Inputs(list(found.values()), errors, list(repeated))


def repeated_sentence(name: str) -> str:
    """Say what becomes of a file that is named more than once."""
    return f"{name} is named more than once, and read once."


def _files_of(argument: str, errors: list[InputError]) -> list[str]:
    if argument == "-":
        return [argument]
    if not argument:
        raise InputError("an empty name is given: name a capture, or . for this folder.")
    path = Path(argument)
    if path.is_dir():
        return _captures_in(path, errors)
    if not os.path.lexists(argument) and glob.has_magic(argument):
        matches = sorted(str(match) for match in Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        if not matches:
            raise InputError(f"no file matches {argument}.")
        return [file for match in matches for file in _files_of(match, errors)]
    return [argument]


def _captures_in(folder: Path, errors: list[InputError]) -> list[str]:
    before = len(errors)

    def refused(error: OSError) -> None:
        reason = os.strerror(error.errno or 0)
        errors.append(InputError(f"the folder {error.filename} cannot be read: {reason}."))

    files = [
        str(Path(place) / name)
        for place, folders, names in os.walk(folder, onerror=refused)
        for name in sorted(names)
        if folders.sort() is None and _begins_like_a_capture(Path(place) / name)
    ]
    if not files and len(errors) == before:
        raise InputError(f"no capture file is in the folder {folder}.")
    return files


def _begins_like_a_capture(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
    except OSError:
        return False  # a link to where nobody may look
    try:
        with path.open("rb") as file:
            start = file.read(_MAGIC_BYTES)
    except OSError:
        return True  # it may well be one: that it cannot be read is said when it is opened
    return start.startswith(_MAGICS) or (start.startswith(_COMPRESSIONS) and _holds_a_capture(path))


def _holds_a_capture(path: Path) -> bool:
    """Return whether what is compressed is a capture; many other things in a folder are compressed."""
    try:
        open_capture(path).close()
    except InputError:
        return False
    return True
