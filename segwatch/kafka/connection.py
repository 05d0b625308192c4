"""Connections to Kafka: from the settings to clients, and from their errors to sentences."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    AuthorizationError,
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)
from kafka.net.compat import KafkaNetClient

from segwatch.errors import BusError, KafkaUnavailableError
from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.diagnosis import login_refused, not_kafka
from segwatch.kafka.reaching import see_that_one_listens
from segwatch.kafka.topics import MAX_DEAD_LETTER_BYTES

PROCESSOR_FETCH_BYTES = 2 << 20
"""What a processor asks of a partition at once; the broker gives a larger message by itself (KIP-74).

The client copies what it gets several times. Where it asks for the largest message of all, much lies ready in memory
that is fresh each time, and a processor takes a fifth more time for a segment (measured).
"""
CONNECT_SECONDS = 10
"""How long an answer is waited for at the start; later, clients try again without end."""
_LONGEST_BACKOFF_MS = 1000
"""Between two tries to connect: a broker that is back is noticed within this time (30 s by default)."""

# A library speaks through exceptions; without a handler of its own Python would print its warnings on stderr.
logging.getLogger("kafka").addHandler(logging.NullHandler())
# It warns of every member that Faust has in a group: those describe themselves in a way of Faust's own.
logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)

_Client = TypeVar("_Client", KafkaAdminClient, KafkaConsumer, KafkaProducer)


def client_options(address: KafkaAddress) -> dict[str, Any]:
    """Return the arguments that every client of kafka-python takes."""
    return {
        "bootstrap_servers": list(address.servers),
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": _LONGEST_BACKOFF_MS,
        **address.security.client_options(),
    }


def producer_options(address: KafkaAddress) -> dict[str, Any]:
    """Return the arguments of a ``KafkaProducer`` that neither loses, doubles nor reorders what it accepts."""
    return {
        **client_options(address),
        "acks": "all",
        "enable_idempotence": True,
        "max_request_size": MAX_DEAD_LETTER_BYTES,
    }


def consumer_options(address: KafkaAddress) -> dict[str, Any]:
    """Return the arguments of a ``KafkaConsumer`` whose reader says itself what it is done with."""
    return {
        **client_options(address),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "max_partition_fetch_bytes": MAX_DEAD_LETTER_BYTES,
    }


def faust_options(address: KafkaAddress) -> dict[str, Any]:
    """Return the arguments of a ``faust.App`` that have to do with the connection.

    Topics are made by ``segwatch topics create`` alone, so that their partition counts are equal.
    """
    return {
        "broker": [f"kafka://{server}" for server in address.servers],
        "topic_allow_declare": False,
        "producer_acks": -1,
        "producer_max_request_size": MAX_DEAD_LETTER_BYTES,
        "consumer_max_fetch_size": PROCESSOR_FETCH_BYTES,
        "consumer_auto_offset_reset": "earliest",
        **address.security.faust_options(),
    }


def open_admin(address: KafkaAddress, **options: Any) -> KafkaAdminClient:
    """Return a connected administrator; ``options`` stand over the usual ones. Raises ``BusError``."""
    return _connect(KafkaAdminClient, address, {**client_options(address), **options})


def open_producer(address: KafkaAddress, **options: Any) -> KafkaProducer:
    """Return a connected producer; ``options`` stand over the usual ones. Raises ``BusError``."""
    return _connect(KafkaProducer, address, {**producer_options(address), **options})


def open_consumer(address: KafkaAddress, **options: Any) -> KafkaConsumer:
    """Return a connected consumer; ``options`` stand over the usual ones. Raises ``BusError``."""
    return _connect(KafkaConsumer, address, {**consumer_options(address), **options})


def known_brokers(producer: KafkaProducer) -> list[tuple[str, int]]:
    """Return host and port of the brokers that the cluster has told the producer of."""
    found = producer._metadata.brokers()  # noqa: SLF001  # there is no public way that asks nobody
    return [(str(one.host), int(one.port)) for one in found]


def is_answering(address: KafkaAddress) -> bool:
    """Return whether a broker takes requests."""
    try:
        open_admin(address).close()
    except BusError:
        return False
    return True


def _connect(kind: Callable[..., _Client], address: KafkaAddress, options: dict[str, Any]) -> _Client:
    """Make a client.

    One that cannot connect leaves its thread behind, which is ended here, and its sockets, so nobody is tried who does
    not listen.
    """
    see_that_one_listens(address)
    made: list[KafkaNetClient] = []

    def new_connections(**config: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**config))
        return made[-1]

    with bus_errors(address):
        try:
            return kind(kafka_client=new_connections, **options)
        except BaseException as error:
            for connections in made:
                connections.close()
                connections._manager._net.stop()  # noqa: SLF001  # as the client's own close() does it
            if isinstance(error, KafkaTimeoutError):
                raise not_kafka(address) from error
            raise


@contextmanager
def bus_errors(address: KafkaAddress) -> Iterator[None]:
    """Turn what kafka-python raises inside into a ``BusError`` for a person."""
    try:
        yield
    except AuthorizationError as error:
        raise BusError(_missing_right(address, error)) from error
    except SaslAuthenticationFailedError as error:
        raise login_refused(address) from error
    except KafkaError as error:
        if error.retriable:
            raise KafkaUnavailableError(f"Kafka at {address.bootstrap} is not ready ({_reason(error)}).") from error
        raise BusError(f"Kafka at {address.bootstrap} refuses ({_reason(error)}).") from error


def _missing_right(address: KafkaAddress, error: AuthorizationError) -> str:
    kinds = {TopicAuthorizationFailedError: "topic", GroupAuthorizationFailedError: "group"}
    names = error.args[0] if error.args else ""
    told = ", ".join(sorted(names)) if isinstance(names, set) else _reason(error)
    what = f" on the {kinds[type(error)]}" if type(error) in kinds else ""
    return (
        f"Kafka at {address.bootstrap} refuses {address.security.who} a right{what} ({told}); segwatch topics acls "
        "tells what each role needs."
    )


def _reason(error: KafkaError) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(". ")
