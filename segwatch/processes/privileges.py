"""Giving up every right but one: capabilities(7), prctl(2).

Capabilities belong to threads, and those that start later inherit them: all this is done while there is one.
"""

import ctypes
import os
import pwd
import sysconfig
from pathlib import Path
from typing import Final

from segwatch.errors import UsageError

CAP_SETPCAP, CAP_NET_RAW = 8, 13
_PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 8, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_VERSION_3: Final = 0x20080522
_WORD: Final = 32


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def confine(user: str | None, *, allow_root: bool) -> None:
    """Become ``user`` (None: stay) and keep no capability but CAP_NET_RAW, if this process has that.

    Neither it nor what it starts can get another one. Raise UsageError where this would run as root without
    ``allow_root``, or where the user cannot be changed to.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("rights are given up while there is one thread only")
    library = ctypes.CDLL(None, use_errno=True)
    if user is None and os.geteuid() == 0 and not allow_root:
        raise UsageError(
            "a sensor should not run as root: name a user to change to with --user, start it by systemd "
            "(deploy/systemd/segwatch-sensor.service), or insist with --allow-root."
        )
    permitted = _permitted()
    if permitted >> CAP_SETPCAP & 1:
        for capability in range(_last_capability() + 1):
            if capability != CAP_NET_RAW:
                library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if user is not None:
        _become(user, library)
    kept = permitted & 1 << CAP_NET_RAW
    _set_capabilities(kept, library)
    library.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _become(name: str, library: ctypes.CDLL) -> None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise UsageError(f"there is no user {name} to change to: create it (useradd --system {name}).") from None
    needed = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(__file__).parent))
    library.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    try:
        os.setgroups([entry.pw_gid])
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    except PermissionError:
        raise UsageError(f"only root can change to the user {name}: leave --user out, or start as root.") from None
    os.environ["HOME"] = entry.pw_dir
    for place in needed:
        if not os.access(place, os.R_OK | os.X_OK):
            raise UsageError(f"the user {name} cannot read {place}: install segwatch, and its Python, where it can.")


def _set_capabilities(mask: int, library: ctypes.CDLL) -> None:
    header = _Header(_VERSION_3, 0)
    low = mask & (1 << _WORD) - 1
    data = (_Data * 2)(_Data(low, low, 0), _Data(mask >> _WORD, mask >> _WORD, 0))
    if library.capset(ctypes.byref(header), data) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def _permitted() -> int:
    """Return the capabilities that this thread may use, a bit each."""
    for line in Path("/proc/thread-self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _last_capability() -> int:
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
