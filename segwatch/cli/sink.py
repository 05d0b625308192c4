"""``segwatch sink``: from Kafka into ClickHouse."""

from typing import TYPE_CHECKING

import click

from segwatch.cli.options import kafka_option, metrics_option

if TYPE_CHECKING:
    from segwatch.telemetry.address import MetricsAddress


@click.command(name="sink")
@kafka_option
@click.option("--store", metavar="local|URL", help="Where findings go [local].")
@click.option("--segments", is_flag=True, default=None, help="Store a record of every segment too.")
@metrics_option
def command(store: str | None, segments: bool | None, metrics: "MetricsAddress | None") -> None:
    r"""Store what processors find and sensors report, every row exactly once.

    Runs until it is stopped (Ctrl-C, SIGTERM). As many may run as wanted: they share the work. While the store or
    Kafka is away it waits; Kafka keeps what is not stored yet.

    \b
    Examples:
      segwatch sink
      segwatch sink --kafka kafka-1:9092,kafka-2:9092
      segwatch sink --store clickhouse://writer@db.example/segwatch

    Exit codes: 0 stopped, 2 wrong use, 5 the store refused, 6 Kafka refused.
    """
    from segwatch.jobs.sink import run_sink
    from segwatch.settings import settings

    run_sink(store or settings().store, settings().segments if segments is None else segments, metrics)
