"""Which Kafka is meant: the one that is named, or this user's local broker."""

from dataclasses import replace

from segwatch.errors import KafkaUnavailableError
from segwatch.kafka.address import LOCAL, KafkaAddress, parse_address
from segwatch.kafka.broker.local import LocalBroker
from segwatch.kafka.security import configured_security
from segwatch.settings import settings


def kafka_address(chosen: str | None = None) -> KafkaAddress:
    """Return where ``chosen`` says that Kafka is; without it, the setting ``kafka``.

    Raise ``KafkaUnavailableError`` if that is the local broker and it does not run, UsageError if it says nothing, or
    if the settings of its security do not fit together.
    """
    wanted = chosen or settings().kafka
    if wanted != LOCAL:
        return replace(parse_address(wanted), security=configured_security(settings()))
    broker = LocalBroker()
    if not broker.status().running:
        raise KafkaUnavailableError(
            "The local broker does not run; start it with: segwatch broker start, or name another with SEGWATCH_KAFKA."
        )
    return broker.address
