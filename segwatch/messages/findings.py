"""What messages of findings have in common; all rows of a message are of one capture session."""

from typing import Final, NamedTuple

import pyarrow as pa

from segwatch.messages.positions import Coverage
from segwatch.messages.stream import session_value, text_value

ROW: Final = pa.field("row", pa.int64(), nullable=False)
"""Row of each finding's position."""


class FindingsHeader(NamedTuple):
    """What a message of findings says of itself."""

    sensor: str
    session: str
    """Capture session, 32 hexadecimal digits."""
    rules: str
    coverage: Coverage

    @property
    def offset(self) -> int:
        """Offset of the message of segments that all rows come from."""
        return self.coverage.through.offset

    def as_metadata(self) -> dict[str, str]:
        """Return the header as metadata of an Arrow schema."""
        own = {"sensor": self.sensor, "session": self.session, "rules": self.rules}
        return own | self.coverage.as_metadata()

    @classmethod
    def from_metadata(cls, header: dict[str, str]) -> "FindingsHeader":
        """Return the header in the metadata of an Arrow schema. Raises ``MessageError``."""
        coverage = Coverage.from_metadata(header)
        sensor, rules = text_value(header, "sensor"), text_value(header, "rules")
        return cls(sensor, session_value(header), rules, coverage)
