"""Asking a process of segwatch for its metrics and its health."""

import http.client
from collections import defaultdict
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from segwatch.telemetry.address import MetricsAddress


class Reading(NamedTuple):
    """What a process said."""

    totals: dict[str, float]
    """Each sample's name and its sum over all labels."""
    is_healthy: bool


def read_telemetry(address: MetricsAddress, seconds: float) -> Reading | None:
    """Return what the process at ``address`` says; ``None`` if it says nothing within about ``seconds``."""
    try:
        _, content = _get(address, "/metrics", seconds)
        status, _ = _get(address, "/health", seconds)
        totals: dict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(content):
            for sample in family.samples:
                totals[sample.name] += sample.value
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return Reading(dict(totals), status == http.client.OK)


def _get(address: MetricsAddress, path: str, seconds: float) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
