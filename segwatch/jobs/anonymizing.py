"""What replaces the addresses of segments, for sensors that want it."""

from collections.abc import Callable
from pathlib import Path

from segwatch.records.segments import SegmentColumns

Replace = Callable[[SegmentColumns], SegmentColumns]


def replacing(key_file: Path) -> Replace:
    """Return what replaces addresses by the key in a file. Raises ``UsageError`` where that cannot be used."""
    # Who replaces nothing need not have a library for ciphers in memory.
    from ingest.anonymize.addresses import Anonymizer
    from ingest.anonymize.key_file import read_key

    return Anonymizer(read_key(key_file)).anonymized
