"""What there is to say of brokers that accept connections, and of which a client learns nothing.

kafka-python drops what a broker says last where the end of the connection comes together with it, and so mostly the
refusal of a login. So a login is tried once more here, apart from the client.
"""

import socket
import ssl
from contextlib import closing
from typing import Any, Final

from kafka.errors import KafkaError, SaslAuthenticationFailedError, for_code
from kafka.net.sasl.scram import SaslMechanismScram
from kafka.protocol.parser import KafkaProtocol
from kafka.protocol.sasl import SaslAuthenticateRequest, SaslHandshakeRequest

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.reaching import connected, encrypted
from segwatch.kafka.security import MECHANISM, Security

_READ_BYTES: Final = 1 << 16


def not_kafka(address: KafkaAddress) -> BusError:
    """Return what there is to say."""
    security, protocol = address.security, address.security.protocol.lower()
    if security.has_login and any(_refuses_login(server, security) for server in address.servers):
        return login_refused(address)
    if not security.has_tls and any(map(_speaks_tls, address.servers)):
        return BusError(
            f"Kafka at {address.bootstrap} speaks TLS, and the setting kafka_security is {protocol}; set it to "
            "sasl_ssl, or to ssl where nobody logs in."
        )
    return KafkaUnavailableError(
        f"What listens at {address.bootstrap} does not answer as a Kafka broker does: it is something else, it wants "
        f"another security protocol than {protocol} (SEGWATCH_KAFKA_SECURITY), or it is not ready yet."
    )


def login_refused(address: KafkaAddress) -> BusError:
    """Return what there is to say of a login that was refused."""
    return BusError(
        f"Kafka at {address.bootstrap} refuses the user {address.security.user} or the password; the password is read "
        "from SEGWATCH_KAFKA_PASSWORD or from the file that SEGWATCH_KAFKA_PASSWORD_FILE names."
    )


def _refuses_login(server: str, security: Security) -> bool:
    """Return whether a broker says that it does not know the user, or another password."""
    login = SaslMechanismScram(**security.client_options())
    try:
        with closing(_connected(server, security)) as connection:
            ask = _Asking(connection)
            if ask(SaslHandshakeRequest(version=1, mechanism=MECHANISM)).error_code:
                return False
            while not login.is_done():
                answer = ask(SaslAuthenticateRequest(version=1, auth_bytes=login.auth_bytes()))
                if answer.error_code:
                    return for_code(answer.error_code) is SaslAuthenticationFailedError
                login.receive(answer.auth_bytes)
    except (OSError, KafkaError, ValueError):
        pass  # whatever it is, it is no refusal
    return False


class _Asking:
    """Sends requests, and waits for their answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._protocol = KafkaProtocol()

    def __call__(self, request: Any) -> Any:
        self._protocol.send_request(request)
        self._connection.sendall(self._protocol.send_bytes())
        while content := self._connection.recv(_READ_BYTES):
            for _, answer in self._protocol.receive_bytes(content):
                return answer
        raise ConnectionError


def _connected(server: str, security: Security) -> socket.socket:
    context = security.tls_context()
    return connected(server) if context is None else encrypted(server, connected(server), context)


def _speaks_tls(server: str) -> bool:
    """Return whether a server answers as one with TLS does; nothing is sent to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with closing(connected(server)) as connection:
            encrypted(server, connection, context).close()
    except OSError:
        return False
    return True
