"""Rules about the sensors and the pipeline: what the other rules say, or do not say, may be wrong."""

from typing import Final

from deploy.grafana.generate import links
from deploy.grafana.generate.alerts.rule import Alert
from deploy.grafana.generate.queries import alerts

PIPELINE: Final = (
    Alert(
        uid="segwatch-sensor-silent",
        title="Sensor silent",
        query=alerts.SENSOR_SILENT,
        reach=24 * 3600,
        limit=120,
        pending="1m",
        severity="critical",
        summary="{{ $labels.sensor }} has said nothing for {{ $values.A.Value }} seconds",
        meaning="Sensors say every five seconds that they are there. One that was stopped on purpose does not count.",
        steps=(
            (
                "All sensors at once: the sink, the store or Kafka is down, see the alert Pipeline lag; segwatch "
                "status says which."
            ),
            "One sensor: is its host up? systemctl status segwatch-sensor, journalctl -u segwatch-sensor.",
            (
                "It runs: can it reach Kafka? segwatch sensor --check says so; until then its spool keeps what it "
                "captures."
            ),
            "Retired for good: the alert ends by itself 24 hours after its last word.",
        ),
        dashboard=links.SENSORS,
        panel="Last words",
        no_data="NoData",
    ),
    Alert(
        uid="segwatch-capture-loss",
        title="Capture loss",
        query=alerts.CAPTURE_LOSS,
        reach=600,
        limit=1,
        pending="5m",
        severity="warning",
        summary='{{ $labels.sensor }} loses {{ printf "%.1f" $values.A.Value }} % of the frames',
        meaning=(
            "The kernel or the interface drops frames before the sensor sees them. Labels of that time, lost_segment "
            "above all, may speak of the capture instead of the network; they are marked as doubtful."
        ),
        steps=(
            "Dashboard Sensors and pipeline, panel Last words: which interface?",
            "Give the sensor a larger ring (buffer_size), or less to do (filter).",
            "Is its host busy with other things? Give the sensor a processor of its own.",
            (
                "Interface drops: the card is at its limit, or the mirror port sends more than the link can carry; "
                "mirror fewer ports."
            ),
            "It keeps one conversation in so many: that is shedding under load, not loss; the same remedies help.",
        ),
        dashboard=links.SENSORS,
        panel="Frames lost over time",
    ),
    Alert(
        uid="segwatch-pipeline-lag",
        title="Pipeline lag",
        query=alerts.PIPELINE_LAG,
        reach=3600,
        limit=300,
        pending="5m",
        severity="critical",
        summary="What {{ $labels.sensor }} captures comes into the store {{ $values.A.Value }} seconds late",
        meaning="A sensor speaks and sees segments, but their minutes are not in the store.",
        steps=(
            "segwatch status: are processors behind, or sinks?",
            (
                "Processors: are they running, do they restart (memory), is one partition far worse than the others? "
                "Start one more; there can be as many as partitions."
            ),
            "Sinks: is ClickHouse reachable, is its disk full, are inserts slow (segwatch_sink_insert_seconds)?",
            "Neither: segwatch dead-letters; messages that could not be read are kept, and can be sent again.",
            "Nothing is lost meanwhile: Kafka keeps the segments for as long as its retention.",
        ),
        dashboard=links.SENSORS,
        panel="Behind",
    ),
)
