"""Topics of a test's own."""

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient

from segwatch.kafka.address import KafkaAddress
from segwatch.kafka.connection import open_admin
from segwatch.kafka.topics import MAX_MESSAGE_BYTES

PATIENCE_SECONDS = 60


@contextmanager
def new_topic(kafka: KafkaAddress, partitions: int = 1) -> Iterator[str]:
    """Give the name of a new, empty topic, and delete it in the end."""
    name = f"test-{secrets.token_hex(6)}"
    configs = {"max.message.bytes": str(MAX_MESSAGE_BYTES)}
    with open_admin(kafka) as admin:
        wanted = {name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}}
        admin.create_topics(wanted, wait_for_metadata=True)
    yield name
    # With a connection of its own: the broker may have been started anew meanwhile.
    with open_admin(kafka) as admin:
        delete_topics(admin, [name])


def delete_topics(admin: KafkaAdminClient, names: Collection[str]) -> None:
    """Delete topics, and wait until the broker knows."""
    admin.delete_topics(list(names))
    assert eventually(lambda: not set(names) & set(admin.list_topics()))


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait for a condition: a broker learns later what its controller has done already."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
