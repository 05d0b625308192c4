"""Whether brokers can be reached as the settings say, and if not, why: clients try again and again, and say little."""

import socket
import ssl
from contextlib import closing
from typing import Final

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress

_ANSWER_SECONDS: Final = 3.0
_TLS_SECONDS: Final = 10.0
"""How long TLS may take: a busy broker accepts connections, which its kernel does, long before it says anything."""


def see_that_one_listens(address: KafkaAddress) -> None:
    """See that one of the brokers to begin with can be connected to, by TLS where that is wanted.

    Raises ``BusError`` where a certificate is not trusted, ``KafkaUnavailableError`` where nobody answers. Raises
    UsageError where the file of certificates cannot be used.
    """
    context = address.security.tls_context()
    reasons = {}
    for server in address.servers:
        reasons[server] = _why_not(server, context)
        if not reasons[server]:
            return
    told = ", ".join(f"{server}: {reason}" for server, reason in reasons.items())
    advice = ": segwatch broker status" if address.is_local else ", and that SEGWATCH_KAFKA names it"
    raise KafkaUnavailableError(f"No Kafka broker answers ({told}); see that it runs{advice}.")


def connected(server: str) -> socket.socket:
    """Return a connection to ``host:port``. Raises ``OSError``."""
    return socket.create_connection((_host(server), int(server.rpartition(":")[2])), timeout=_ANSWER_SECONDS)


def encrypted(server: str, connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return the connection as one with TLS, which it is from here on. Raises ``OSError``."""
    connection.settimeout(_TLS_SECONDS)
    return context.wrap_socket(connection, server_hostname=_host(server))


def _why_not(server: str, context: ssl.SSLContext | None) -> str:
    """Return why a server cannot be reached, an empty text if it can. Raises ``BusError`` as the caller does."""
    try:
        with closing(connected(server)) as connection:
            return "" if context is None else _why_no_tls(server, connection, context)
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _why_no_tls(server: str, connection: socket.socket, context: ssl.SSLContext) -> str:
    try:
        encrypted(server, connection, context).close()
    except ssl.SSLCertVerificationError as error:
        raise BusError(
            f"The certificate of Kafka at {server} is not trusted ({error.verify_message.rstrip('.')}); "
            "SEGWATCH_KAFKA_CA_FILE must name the certificates of who signed it, and SEGWATCH_KAFKA the broker as its "
            "certificate does."
        ) from error
    except TimeoutError:
        return "no answer to the beginning of TLS"
    except OSError:
        return "it does not speak TLS, which SEGWATCH_KAFKA_SECURITY asks for"
    return ""


def _host(server: str) -> str:
    return server.rpartition(":")[0].strip("[]")
