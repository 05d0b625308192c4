"""Where Kafka is."""

import re
from dataclasses import dataclass, field

from segwatch.errors import UsageError
from segwatch.kafka.security import Security
from segwatch.passwords import without_password

LOCAL = "local"
"""The setting ``kafka`` where this user's local broker is meant."""
DEFAULT_PORT = 9092
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:,/@\[\]]+)(?::(?P<port>\d{1,5}))?")
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class KafkaAddress:
    """The brokers to begin with; they tell of the others."""

    servers: tuple[str, ...]
    """``host:port`` each."""
    is_local: bool = False
    """Whether it is this user's local broker."""
    security: Security = field(default_factory=Security)
    """How clients connect to all of them."""

    @property
    def ends(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each."""
        parts = (server.rpartition(":") for server in self.servers)
        return tuple((host.strip("[]"), int(port)) for host, _, port in parts)

    @property
    def bootstrap(self) -> str:
        """The brokers as Kafka's own tools want them."""
        return ",".join(self.servers)


def parse_address(text: str) -> KafkaAddress:
    """Return the address that a setting names (``host[:port][,host[:port]]``). Raise UsageError if it names none."""
    servers = []
    for part in text.split(","):
        found = _SERVER.fullmatch(part.strip())
        port = int(found["port"] or DEFAULT_PORT) if found else 0
        if not found or not 0 < port <= _HIGHEST_PORT:
            raise UsageError(
                "the setting kafka must be `local` or host:port, several separated by commas; "
                f"{without_password(part.strip())!r} is neither."
            )
        servers.append(f"{found['host']}:{port}")
    return KafkaAddress(tuple(servers))
