"""What is in the spool of a sensor that runs."""

from pathlib import Path

from ingest.publish.spool.file import spool_paths


def spooled_bytes(spool: Path) -> int:
    """Return how much is in a spool now."""
    total = 0
    for path in spool_paths(spool):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # it was sent meanwhile
            continue
    return total
