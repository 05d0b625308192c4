"""The local server behind TLS, with the users that ``segwatch db grants --xml`` makes."""

import os
import re
from pathlib import Path

from segwatch.processes.ports import lasting_ports
from sinks.connection import DEFAULT_DATABASE, ServerAddress, connect
from sinks.local_server import LocalServer
from sinks.roles import STORE_ROLES, as_xml, password_hash
from sinks.schema import migrate
from tests.certificates import SECRET_WORDS, Authority
from tests.support import REPOSITORY
from tests.tls_front import TlsFront

NAME = "localhost"
"""What stands in the server's certificate."""
_SHIPPED = REPOSITORY / "deploy" / "clickhouse" / "secured.xml"


class SecuredStore:
    """Start it with ``start``; ``address`` is where a role's programs find it."""

    def __init__(self, folder: Path, authority: Authority, users: str | None = None) -> None:
        """``users``: another file of users than the usual one."""
        self.local = LocalServer(folder)
        self._users = users or as_xml()
        self.authority = authority
        (self.port,) = lasting_ports(1)
        self._front: TlsFront | None = None

    def start(self) -> ServerAddress:
        """Start the server; return its plain address, by which everything may be done."""
        files = self.local.files
        files.make_directories()
        for name, text in (("config.d", _configuration()), ("users.d", self._users)):
            folder = files.run / ".clickhouse-local" / name
            folder.mkdir(exist_ok=True)
            (folder / "segwatch.xml").write_text(text, "utf-8")
        os.environ |= {role.variable: password_hash(self.password(role.name)) for role in STORE_ROLES}
        address = self.local.wait_ready()
        if self._front is None:
            certificate, key = self.authority.issue("store", NAME)
            self._front = TlsFront(self.port, certificate, key, lambda: self.local.status().tcp_port)
            self._front.start()
        return address

    def make_tables(self) -> None:
        """Make the tables, as the user who may."""
        address = self.address("migrate")
        client = connect(address)
        migrate(client, address)
        client.disconnect()

    def stop(self) -> None:
        """End the server."""
        if self._front is not None:
            self._front.stop()
        self.local.stop()
        for role in STORE_ROLES:
            os.environ.pop(role.variable, None)

    def password(self, role: str) -> str:
        """Return the password of a role's user."""
        return f"{role}'s {SECRET_WORDS}"

    def password_file(self, role: str) -> Path:
        """Return a file that holds it."""
        path = self.authority.ca_file.with_name(f"store-{role}.password")
        if not path.exists():  # others may be reading it
            path.write_text(self.password(role) + "\n", "utf-8")
        return path

    def address(self, role: str) -> ServerAddress:
        """Return where a role's programs find the database, and how they log in."""
        return ServerAddress(
            NAME, self.port, f"segwatch_{role}", self.password(role), secure=True, ca_file=str(self.authority.ca_file)
        )

    def environment(self, role: str) -> dict[str, str]:
        """Return the settings of a role's programs."""
        return {
            "SEGWATCH_STORE": f"clickhouses://segwatch_{role}@{NAME}:{self.port}/{DEFAULT_DATABASE}",
            "SEGWATCH_STORE_CA_FILE": str(self.authority.ca_file),
            "SEGWATCH_STORE_PASSWORD_FILE": str(self.password_file(role)),
        }


def _configuration() -> str:
    """Return ``deploy/clickhouse/secured.xml`` without what this server cannot do: it speaks no TLS by itself."""
    text = _SHIPPED.read_text("utf-8")
    return re.sub(r"  <tcp_port .*</openSSL>\n", "", text, flags=re.DOTALL)
