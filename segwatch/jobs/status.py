"""The job behind ``segwatch status``: one look at everything, as one document."""

import time
from datetime import UTC, datetime
from typing import Any

from segwatch import __version__
from segwatch.errors import BusError, StoreError
from segwatch.jobs.status_kafka import KafkaLook, lag_document
from segwatch.jobs.status_store import StoreLook
from segwatch.kafka.lag import PartitionLag
from segwatch.kafka.location import kafka_address
from segwatch.kafka.topics import PROCESSOR_APP, SINK_GROUP, TOPICS
from segwatch.settings import settings


def look(store: str) -> dict[str, Any]:
    """Return everything that can be seen; ``problems`` says in sentences what cannot."""
    document: dict[str, Any] = {
        "segwatch": __version__,
        "at": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "problems": [],
    }
    store_look: StoreLook | None = None
    try:
        store_look = StoreLook(store)
    except StoreError as error:
        document["problems"].append(str(error))
    try:
        document |= _kafka(document["problems"])
    except BusError as error:
        document["problems"].append(str(error))
    if store_look is not None:
        try:
            document["store"] = store_look.seen()
        except StoreError as error:
            document["problems"].append(str(error))
    return document


def _kafka(problems: list[str]) -> dict[str, Any]:
    address = kafka_address()
    found = KafkaLook(address, with_segments=settings().segments)
    missing = [name for name in TOPICS if name not in found.states]
    if missing:
        problems.append(f"Topics are missing ({', '.join(missing)}); make them with: segwatch topics create")
    processed, stored = found.lags()
    for readers, lag in (("processors", processed), ("sinks", stored)):
        problems += _ahead(readers, found.ahead(lag))
    return {
        "kafka": address.bootstrap,
        "topics": found.topics(),
        "processors": {
            "members": found.members.get(PROCESSOR_APP, 0),
            "lag": lag_document(processed),
            "checkpoints": found.checkpoints(),
        },
        "sinks": {"members": found.members.get(SINK_GROUP, 0), "lag": lag_document(stored)},
        "sensors": found.sensors(),
        "dead_letters": found.dead_letters(),
    }


def _ahead(readers: str, ahead: list[PartitionLag]) -> list[str]:
    """Return the sentence about partitions that were read further than they reach, if there are any."""
    if not ahead:
        return []
    first = ahead[0]
    more = f" (and {len(ahead) - 1} more partitions likewise)" if len(ahead) > 1 else ""
    told = (
        f"{first.topic}/{first.partition} ends at offset {first.end}, and {readers} have read it up to "
        f"{first.position} already{more}: the topic was made anew or has lost messages; docs/reliability.md says how "
        "to begin anew with it."
    )
    return [told]
