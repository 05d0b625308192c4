"""Whether the figures can be trusted: sensors and pipeline."""

from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from deploy.grafana.generate import annotations, links, variables
from deploy.grafana.generate.board import board
from deploy.grafana.generate.fields import A_SECOND, BYTES, MILLISECONDS, NUMBER, PERCENT, SECONDS, WHOLE, Column
from deploy.grafana.generate.layout import Section
from deploy.grafana.generate.panels import lines, number, rows, words
from deploy.grafana.generate.queries import sensors as queries

_LOST = (0.1, 1)
_ELSEWHERE = """\
The lag of each partition and the **dead letters** are not in the store: they tell of messages that did not get there.

- `segwatch status` says how far processors and sinks are behind, and what waits.
- `segwatch dead-letters` lists messages that could not be read; `segwatch dead-letters resend` sends them again.
- Prometheus: `segwatch_sink_lag_messages`, `segwatch_sink_dead_letters_total`, \
`segwatch_processor_dead_letters_total`, `segwatch_still_seconds` (docs/operations.md).
"""


def _now() -> Section:
    return Section(
        "Now",
        [
            number("Sensors", "Sensors that said anything in the range of time.", NUMBER, queries.SENSORS),
            number(
                "Longest silence",
                "Seconds since the last word of the sensor that was silent longest. They speak every five seconds.",
                SECONDS,
                queries.SILENT,
                (30, 120),
            ),
            number(
                "Frames lost",
                (
                    "Frames that kernels and interfaces dropped, of all that came. Above 1 % labels such as "
                    "lost_segment speak of the capture."
                ),
                PERCENT,
                queries.LOST_SHARE,
                _LOST,
            ),
            number(
                "Doubtful labels",
                (
                    "Labelled segments that may speak of the capture instead of the network: frames were lost around "
                    "them, or seen twice."
                ),
                PERCENT,
                queries.SUSPECT,
                (1, 10),
            ),
            rows(
                "Behind",
                (
                    "Between the newest segments that a sensor told of and the newest minute of its traffic that is "
                    "stored. A minute is stored when it is over, so up to a minute more is usual."
                ),
                queries.BEHIND,
                {"sensor": Column("sensor"), "behind": Column("behind", SECONDS, (120, 300))},
                width=8,
                height=4,
            ),
            _last_words(),
        ],
    )


def _last_words() -> Panel:
    return rows(
        "Last words",
        (
            "What each interface of each sensor said last: its state, its problem in words, and its counters "
            "since its session began. What was given up is counted for the whole sensor."
        ),
        queries.LAST_WORDS,
        {
            "sensor": Column("sensor"),
            "interface": Column("interface"),
            "host": Column("host"),
            "state": Column("state"),
            "problem": Column("problem", width=240),
            "silent": Column("silent for", SECONDS, (30, 120)),
            "frames": Column("frames", NUMBER),
            "lost": Column("frames lost", NUMBER, (1, 1000)),
            "left_out": Column("segments left out", NUMBER),
            "keep_one_in": Column("keeps one in", WHOLE, (2, 8)),
            "spooled": Column("in the spool", BYTES),
            "given_up": Column("segments given up", NUMBER, (1,)),
            "seen_twice": Column("seen twice", NUMBER),
            "one_way": Column("one-way conversations", NUMBER),
            "clock_steps": Column("clock steps", WHOLE, (1,)),
            "version": Column("version"),
        },
    )


def _capture() -> Section:
    return Section(
        "Capture",
        [
            lines("Frames", "Frames captured.", A_SECOND, queries.FRAMES, by="source", least_interval="10s"),
            lines(
                "Frames lost over time",
                "Frames that the kernel or the interface dropped, of all that came.",
                PERCENT,
                queries.LOST,
                by="source",
                limits=_LOST,
                least_interval="10s",
            ),
            lines(
                "Left out",
                (
                    "Share of the segments that were left out because more came than could be handled: whole "
                    "conversations are, so labels of the others are right."
                ),
                PERCENT,
                queries.SHED,
                by="source",
                least_interval="10s",
            ),
            lines(
                "One conversation in so many is kept",
                "1: all of them. The estimates of the store count each kept one as often as it stands for.",
                NUMBER,
                queries.KEEP_ONE_IN,
                by="source",
                least_interval="10s",
            ),
            lines(
                "Not decoded",
                "Frames that are no TCP that segwatch can read.",
                A_SECOND,
                queries.UNDECODED,
                by="source",
                least_interval="10s",
            ),
        ],
    )


def _pipeline() -> Section:
    return Section(
        "Pipeline",
        [
            lines(
                "Waiting at the sensors",
                "Messages that Kafka has not acknowledged: in memory, and in the spool on disk while Kafka is away.",
                NUMBER,
                queries.WAITING,
                by="source",
                least_interval="10s",
                width=8,
            ),
            lines(
                "Spool",
                "Bytes on the disks of the sensors. At the limit of the spool the oldest messages are given up.",
                BYTES,
                queries.SPOOLED,
                by="source",
                least_interval="10s",
                width=8,
            ),
            lines(
                "Given up",
                "Segments given up because the spool was full.",
                NUMBER,
                queries.GIVEN_UP,
                by="source",
                least_interval="10s",
                width=8,
            ),
            lines(
                "Stored",
                (
                    "Segments a second of each sensor that got through processors and sinks into the store. Where "
                    "this ends and frames go on, the pipeline is behind."
                ),
                A_SECOND,
                queries.STORED,
                by="sensor",
            ),
            words("Lag and dead letters", "What tells of messages that did not get into the store.", _ELSEWHERE, 12, 8),
        ],
    )


def _trust() -> Section:
    return Section(
        "Trust",
        [
            rows(
                "Doubts about the capture",
                "Labelled segments by what the capture may have spoilt; docs/labels.md says what each name means.",
                queries.DOUBTS_BY_NAME,
                {"doubt": Column("doubt"), "segments": Column("labelled segments", NUMBER)},
                width=8,
            ),
            _apart(),
            rows(
                "Files and finished sessions",
                (
                    "Captures that are stored completely, as far as they overlap the range of time. A partial one "
                    "ended early, and the problem says why."
                ),
                queries.CAPTURES,
                {
                    "stored": Column("stored", "dateTimeAsIso"),
                    "sensor": Column("sensor"),
                    "file": Column("file"),
                    "first": Column("first", "dateTimeAsIso"),
                    "last": Column("last", "dateTimeAsIso"),
                    "segments": Column("segments", NUMBER),
                    "conversations": Column("conversations", NUMBER),
                    "anomalies": Column("anomalies", NUMBER),
                    "state": Column("state"),
                    "problem": Column("problem"),
                    "rules": Column("rules"),
                    "version": Column("version"),
                },
            ),
        ],
    )


def _apart() -> Panel:
    return rows(
        "Sensors apart",
        (
            "Of two sensors that saw the same packets: how far the clock of the other one is ahead, and the median "
            "delay between them. The clock is right to half of the least times there and back (docs/network.md)."
        ),
        queries.APART,
        {
            "sensor": Column("sensor"),
            "other_sensor": Column("other sensor"),
            "packets": Column("packets", NUMBER),
            "clock_ahead": Column("its clock ahead", MILLISECONDS),
            "uncertain": Column("uncertain by", MILLISECONDS),
            "delay_there": Column("delay there", MILLISECONDS),
            "delay_back": Column("delay back", MILLISECONDS),
        },
        width=16,
    )


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        links.SENSORS,
        "Can the figures be trusted: drops, shedding, lag, what was given up, doubts about the capture.",
        [variables.SENSOR],
        [annotations.CAPTURE_LOSS, annotations.SENSOR_PROBLEMS],
        [_now(), _capture(), _pipeline(), _trust()],
    )
