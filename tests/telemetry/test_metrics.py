"""What docs/operations.md says of the metrics."""

import re

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import ingest.capture.live.metrics
import ingest.publish.metrics
import processors.worker.metrics
import segwatch.telemetry.server
import sinks.consumer.metrics
from tests.support import REPOSITORY

MODULES = (
    ingest.capture.live.metrics,
    ingest.publish.metrics,
    processors.worker.metrics,
    segwatch.telemetry.server,
    sinks.consumer.metrics,
)


def test_every_metric_is_documented_and_no_other() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^\| `(segwatch_\w+)` \|", text, re.MULTILINE))
    metrics = [value for module in MODULES for value in vars(module).values() if isinstance(value, MetricWrapperBase)]
    assert shown == {f"{one._name}_total" if one._type == "counter" else one._name for one in metrics}
    assert all(one in REGISTRY._collector_to_names for one in metrics)
