"""``segwatch processor``: a worker that labels what sensors publish."""

from typing import TYPE_CHECKING

import click

from segwatch.cli.options import Number, kafka_option, metrics_option

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="processor")
@click.option(
    "--checkpoint-seconds",
    type=Number(min=0.1, max=300),
    default=5.0,
    metavar="SECONDS",
    help="Least time between checkpoints of a partition; more where writing takes long [5].",
)
@kafka_option
@metrics_option
def command(checkpoint_seconds: float, metrics: "MetricsAddress | None") -> int:
    r"""Label what the sensors publish: read segments from Kafka, write anomalies and intervals to Kafka.

    Start as many as there are cores, up to one for each partition: they divide the partitions among themselves. What
    one leaves when it dies, the others take over from its last checkpoint; nothing is lost or counted twice.

    \b
    Examples:
      segwatch processor
      segwatch processor --kafka kafka-1:9092,kafka-2:9092 --metrics 9401

    Exit codes: 0 ended by a signal, 2 wrong use, 6 Kafka or its topics are not as they must be, 70 a defect.
    """
    from segwatch.jobs.processor import run_processor

    return run_processor(checkpoint_seconds, metrics)
