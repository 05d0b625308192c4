"""A process, told apart from all others that ever were."""

from functools import cache
from pathlib import Path

_START_TIME_FIELD = 22 - 3  # of /proc/PID/stat, counted after the name in parentheses (proc_pid_stat(5))


@cache
def place() -> str:
    """Return the boot of the machine and the namespace in which the numbers of processes count."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"


def start_time(pid: int) -> int | None:
    """Return when a process began, in clock ticks after the boot; ``None`` if none has the number.

    Another process with the same number has another one.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(status.rpartition(")")[2].split()[_START_TIME_FIELD])
