"""A broker whose clients come by TLS, log in by SCRAM, and have no right that was not granted."""

from pathlib import Path

from segwatch.kafka.access import grant_rights, set_login
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.broker.files import Ports
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.connection import is_answering
from segwatch.kafka.roles import ROLES, usual_members
from segwatch.kafka.security import Security
from segwatch.processes.ports import HOST, lasting_ports
from tests.certificates import SECRET_WORDS, Authority
from tests.kafka.topics import eventually
from tests.support import REPOSITORY

NAME = "localhost"
"""What stands in the broker's certificate."""
_SHIPPED = REPOSITORY / "deploy" / "kafka" / "secured.properties"


class SecuredBroker:
    """The local broker with one more listener, configured as ``deploy/kafka/secured.properties`` says.

    The plain listener stays for the broker itself and for the test, which has every right there; no part of segwatch
    knows its port.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "certificates")
        self.folder = folder
        plain, controller, self.port = lasting_ports(3)
        self.local = LocalBroker(folder, self._properties(plain, controller))
        self.local.files.make_directory()
        self.local.files.write_ports(Ports(plain, controller))

    def start(self) -> KafkaAddress:
        """Start it; return its plain address, by which everything may be done."""
        return self.local.start()

    def make_users(self) -> None:
        """Make a user for each role, with the rights of that role and no other."""
        plain = self.local.address
        for role in ROLES:
            set_login(plain, f"segwatch-{role}", self.password(role))
        grant_rights(plain, usual_members(), with_segments=True)
        # The broker learns of users and rights from its controller, a moment later.
        assert eventually(lambda: all(map(self._may_log_in, ROLES)))

    def password(self, role: str) -> str:
        """Return the password of a role's user."""
        return f"{role}'s {SECRET_WORDS}"

    def password_file(self, role: str) -> Path:
        """Return a file that holds it."""
        path = self.folder / f"{role}.password"
        if not path.exists():  # others may be reading it
            path.write_text(self.password(role) + "\n", "utf-8")
        return path

    def address(self, role: str) -> KafkaAddress:
        """Return where a role's programs find the broker, and how they log in."""
        login = Security("SASL_SSL", str(self.authority.ca_file), f"segwatch-{role}", self.password(role))
        return KafkaAddress((f"{NAME}:{self.port}",), security=login)

    def environment(self, role: str) -> dict[str, str]:
        """Return the settings of a role's programs."""
        return {
            "SEGWATCH_KAFKA": f"{NAME}:{self.port}",
            "SEGWATCH_KAFKA_SECURITY": "sasl_ssl",
            "SEGWATCH_KAFKA_CA_FILE": str(self.authority.ca_file),
            "SEGWATCH_KAFKA_USER": f"segwatch-{role}",
            "SEGWATCH_KAFKA_PASSWORD_FILE": str(self.password_file(role)),
        }

    def _may_log_in(self, role: str) -> bool:
        return is_answering(self.address(role))

    def _properties(self, plain: int, controller: int) -> dict[str, str]:
        listeners = f"PLAINTEXT://{HOST}:{plain},CLIENTS://{HOST}:{self.port}"
        return shipped_properties() | {
            "listeners": f"{listeners},CONTROLLER://{HOST}:{controller}",
            "advertised.listeners": listeners.replace(f"CLIENTS://{HOST}", f"CLIENTS://{NAME}"),
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CLIENTS:SASL_SSL",
            "listener.name.clients.ssl.keystore.location": str(self.authority.keystore("broker", NAME)),
            "super.users": "User:admin;User:ANONYMOUS",
        }


def shipped_properties() -> dict[str, str]:
    """Return what ``deploy/kafka/secured.properties`` says."""
    lines = [line for line in _SHIPPED.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
