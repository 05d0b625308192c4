"""Where metrics are served."""

from typing import Final, NamedTuple

from segwatch.endpoints import endpoint_text
from segwatch.errors import UsageError

LOOPBACK: Final = "127.0.0.1"
_HIGHEST_PORT: Final = 65535


class MetricsAddress(NamedTuple):
    """A place to listen at."""

    host: str
    port: int
    """0: any that is free."""

    def __str__(self) -> str:
        """Return the text that an URL has."""
        return endpoint_text(self.host, self.port)


def parse_metrics_address(text: str) -> MetricsAddress:
    """Return the address in ``[HOST:]PORT``; without a host it is the loopback interface. Raises ``UsageError``."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    if not (port.isascii() and port.isdecimal() and int(port) <= _HIGHEST_PORT) or any(map(str.isspace, host)):
        raise UsageError(f"metrics are served at [host:]port, and {text!r} is no such place.")
    return MetricsAddress(host, int(port))
