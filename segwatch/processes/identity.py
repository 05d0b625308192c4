"""A process, told apart from all others that ever were."""

from functools import cache
from pathlib import Path

_START_TIME_FIELD = 22 - 3  # of /proc/PID/stat, counted after the name in parentheses (proc_pid_stat(5))
_STATE_FIELD = 0
_ENDED = ("Z", "X")


@cache
def place() -> str:
    """Return the boot of the machine and the namespace in which the numbers of processes count."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"


def start_time(pid: int) -> int | None:
    """Return when a process began, in clock ticks after the boot; ``None`` if none has the number.

    Another process with the same number has another one.
    """
    fields = _status(pid)
    return int(fields[_START_TIME_FIELD]) if fields else None


def has_ended(pid: int) -> bool:
    """Return whether a process runs no more; one that nobody has waited for yet (a zombie) counts as ended."""
    fields = _status(pid)
    return not fields or fields[_STATE_FIELD] in _ENDED


def _status(pid: int) -> list[str]:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return status.rpartition(")")[2].split()
