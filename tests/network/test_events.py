"""Verdicts of several sensors made by hand, and the events that the view makes of them."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from segwatch.records.intervals import INTERVAL
from segwatch.records.verdicts import VERDICT
from segwatch.vocabulary import Cause, Needed, Place
from sinks.local_server import LocalServer
from sinks.store import Store
from sinks.writer import Origin, Writer

START = 1_790_000_040_000_000_000
"""A full minute."""
MILLISECOND = 1_000_000
SESSIONS = {name: f"0{digit}" * 16 for name, digit in zip((*"abcde", "a (replay)"), "abcdef", strict=True)}
AFTER = {"original_frame": 7, "since_original": 250 * MILLISECOND, "place": Place.AFTER_SENSOR, "ip_id_step": 5}
SYN = {"cause": Cause.SYN_RETRY, "needed": Needed.UNKNOWN, "length": 0, "original_frame": 7}
"""A SYN that is sent again; how long after the first one is another field."""
NEEDLESS = AFTER | {"needed": Needed.SPURIOUS, "place": Place.UNKNOWN}
SECOND = {"since_original": 650 * MILLISECOND, "ip_id": 109, "ip_id_step": 9, "tsval": 1_300, "tsval_step": 650}
"""What is other in a second repeat."""
BEFORE = {"place": Place.BEFORE_SENSOR, "since_original": 240 * MILLISECOND}
UNMARKED = {"ip_id": 0, "tsval": 0, "ip_id_step": 0}
COPY = {"cause": Cause.NETWORK_DUPLICATE, "needed": Needed.UNKNOWN, "original_frame": 7, "stalled": 0}
COLUMNS = "cause, needed, hop_from, hop_to, sensors, contradicting"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    local = LocalServer(tmp_path_factory.mktemp("local"))
    with Store(local.wait_ready()) as opened:
        yield opened
    local.stop()


@pytest.fixture
def store(filled: Store) -> Store:
    for table in ("verdicts", "intervals"):
        filled.client.execute(f"TRUNCATE TABLE {table}")
    return filled


class Network:
    """Writes what sensors say."""

    def __init__(self, store: Store) -> None:
        self.client = store.client
        self._writer = Writer(store.client, store.address)

    def judge(self, sensor: str, at_ms: float, **fields: Any) -> None:
        """Write a verdict of a sensor on a packet of the client, so many milliseconds after ``START``."""
        rows = np.zeros(1, VERDICT)
        rows["time"], rows["frame"] = START + round(at_ms * MILLISECOND), round(at_ms + 1000)
        rows["client"], rows["server"] = (0, 1), (0, 2)
        rows["client_port"], rows["server_port"], rows["ip_version"], rows["from_client"] = 40_000, 443, 4, 1
        rows["cause"], rows["needed"], rows["seq"], rows["length"] = Cause.RTO, Needed.NEEDED, 1000, 500
        rows["ip_id"], rows["tsval"], rows["ttl"], rows["confidence"] = 105, 900, 60, 0.9
        rows["stalled"], rows["bytes_again"] = 200 * MILLISECOND, 500
        for name, value in fields.items():
            rows[name] = value
        self._writer.write_verdicts(rows, self._origin(sensor), secrets.token_hex(8))

    def watch(
        self, sensor: str, client_rtt_ms: float, until_ms: float = 900, ahead_ms: float = 0, port: int = 40_000,
        whole_ms: float = 20, rtt_count: int = 3,
    ) -> None:  # fmt: skip
        """Write that a sensor saw a conversation, whose round trips there and back take so long, from ``START`` on."""
        rows = np.zeros(1, INTERVAL)
        ahead = round(ahead_ms * MILLISECOND)
        rows["start"], rows["client"], rows["server"] = START, (0, 1), (0, 2)
        rows["client_port"], rows["server_port"], rows["ip_version"], rows["completeness"] = port, 443, 4, 15
        rows["first"] = rows["opened"] = START + ahead
        rows["last"] = START + ahead + round(until_ms * MILLISECOND)
        rows["sent"]["segments"] = 9
        rows["sent"]["rtt_count"] = rtt_count
        for side, rtt in enumerate((client_rtt_ms, whole_ms - client_rtt_ms)):
            rows["sent"]["rtt_min"][:, side] = round(rtt * MILLISECOND)
        self._writer.write_intervals(rows, self._origin(sensor), secrets.token_hex(8))

    def _origin(self, sensor: str) -> Origin:
        return Origin(sensor, SESSIONS[sensor], datetime.now(UTC).date())

    def events(self, columns: str = COLUMNS) -> list[tuple[Any, ...]]:
        """Return the events."""
        rows: list[tuple[Any, ...]] = self.client.execute(
            f"SELECT {columns} FROM network_verdicts ORDER BY ts, seq_raw"
        )
        return rows


@pytest.fixture
def network(store: Store) -> Network:
    return Network(store)


def test_a_loss_is_one_event_between_who_saw_it_and_who_did_not(network: Network) -> None:
    network.judge("b", 503, **BEFORE)
    network.judge("a", 500, **AFTER)
    assert network.events() == [("rto", "needed", "a", "b", ["a", "b"], 0)]
    assert network.events("stalled_ms, bytes_again") == [(200.0, 500)]
    rows = network.client.execute("SELECT hop_from, hop_to, events, bytes_again FROM network_verdicts_per_minute")
    assert rows == [("a", "b", 1, 500)]


@pytest.mark.parametrize("at_ms", [-0.5, 29_999, 59_998.5])
def test_verdicts_on_both_sides_of_a_minute_are_one_event(network: Network, at_ms: float) -> None:
    network.judge("a", at_ms, **AFTER)
    network.judge("b", at_ms + 3, **BEFORE)
    assert network.events("hop_from, hop_to") == [("a", "b")]


def test_clocks_that_are_seconds_apart_change_nothing(network: Network) -> None:
    network.judge("a", 20_500, **AFTER)
    network.judge("b", 503, **BEFORE)
    assert network.events("hop_from, hop_to") == [("a", "b")]


def test_an_amendment_changes_the_event(network: Network) -> None:
    for revision in ({}, {"revision": 1, "needed": Needed.SPURIOUS, "place": Place.UNKNOWN, "stalled": 0}):
        network.judge("a", 500, **AFTER | revision)
        network.judge("b", 503, **AFTER | revision)
    assert network.events() == [("rto", "spurious", "", "", ["a", "b"], 0)]


def test_who_says_nothing_is_a_witness_if_it_had_the_conversation_then(network: Network) -> None:
    """The repeat was the first copy at b, and looked new; c ended before, though its clock says otherwise."""
    network.judge("a", 500, **AFTER)
    network.watch("a", 1)
    network.watch("c", 5, until_ms=400, ahead_ms=300)
    assert network.events("hop_from, hop_to") == [("a", "")]
    network.watch("b", 15)
    assert network.events("hop_from, hop_to, way") == [("a", "b", ["a", "b"])]


def test_a_repeat_that_is_lost_before_the_hop_leaves_it_to_the_next(network: Network) -> None:
    """What b and c say of the second repeat is about the original, which the first one replaced at a."""
    network.judge("a", 500, **AFTER)
    second = AFTER | {"ip_id_step": 9, "tsval_step": 400, "since_original": 650 * MILLISECOND}
    network.judge("a", 900, ip_id=109, tsval=1300, **second)
    network.judge("b", 903, ip_id=109, tsval=1300, **second)
    network.judge("c", 905, ip_id=109, tsval=1300, **BEFORE)
    for sensor, rtt in (("a", 1), ("b", 8), ("c", 15)):
        network.watch(sensor, rtt, until_ms=2000)
    assert network.events("ip_id, hop_from, hop_to") == [(105, "b", "c"), (109, "a", "b")]


def test_the_way_is_ordered_by_falling_ttl(network: Network) -> None:
    network.judge("a", 500, ttl=61, cause=Cause.FAST_RETRANSMIT, **BEFORE)
    network.judge("b", 500, ttl=63, **AFTER)
    network.judge("c", 500, ttl=62, cause=Cause.RECOVERY, **AFTER)
    assert network.events() == [("rto", "needed", "c", "a", ["b", "c", "a"], 0)]


def test_contradictions_are_told(network: Network) -> None:
    network.judge("a", 500, ttl=63, **BEFORE)
    network.judge("b", 500, ttl=62, **AFTER)
    network.judge("c", 500, ttl=61, **BEFORE)
    assert network.events("hop_from, hop_to, contradicting") == [("b", "c", 1)]


def test_what_a_sensor_did_itself_is_no_event(network: Network) -> None:
    network.judge("a", 500, cause=Cause.CAPTURE_LOSS, ip_id=0, tsval=0, ttl=0)
    network.judge("a", 600, cause=Cause.CAPTURE_DUPLICATE)
    assert network.events() == []
    network.judge("b", 603, cause=Cause.CAPTURE_DUPLICATE)
    assert network.events("cause, sensors") == [("network_duplicate", ["a", "b"])]


def test_what_was_overtaken_was_in_order_at_the_sensor_before(network: Network) -> None:
    for sensor, rtt in (("a", 1), ("b", 8), ("c", 15)):
        network.watch(sensor, rtt)
    for sensor, at in (("b", 503), ("c", 505)):
        network.judge(sensor, at, cause=Cause.REORDERING, needed=Needed.UNKNOWN)
    assert network.events("cause, hop_from, hop_to") == [("reordering", "a", "b")]


def test_repeats_without_marks_are_told_apart_by_their_times(network: Network) -> None:
    """Clocks are two seconds apart, and the first repeat never came to b."""
    network.judge("a", 500, **AFTER | UNMARKED)
    network.judge("a", 900, **AFTER | UNMARKED | {"since_original": 650 * MILLISECOND})
    network.judge("b", 2_903, **BEFORE | UNMARKED | {"since_original": 649 * MILLISECOND})
    assert [sensors for (sensors,) in network.events("sensors")] == [["a"], ["a", "b"]]


@pytest.mark.parametrize("repeat", [{}, COPY])
def test_repeats_without_marks_that_a_queue_lets_go_together_are_the_same_ones(
    network: Network, repeat: dict[str, Any]
) -> None:
    """Behind a queue the original and its repeats follow each other at once: as many as before it, in this order."""
    for at in (500, 1_000):
        network.judge("a", at, **AFTER | UNMARKED | {"since_original": (at - 250) * MILLISECOND})
        network.judge("b", at + 5, **AFTER | UNMARKED | {"since_original": (at - 270) * MILLISECOND})
        behind = 0.3 if at == 500 else 0.7
        network.judge(
            "c",
            1_200 + behind,
            **AFTER | UNMARKED | repeat | {"since_original": round(behind * MILLISECOND), "frame": at},
        )
    assert network.events("cause, arraySort(sensors)") == 2 * [("rto", ["a", "b", "c"])]


def test_of_repeats_without_marks_that_are_close_together_at_all_sensors_order_tells(network: Network) -> None:
    """The original was held up, so that the repeat is close behind it at a, and looks like a copy of it at b."""
    network.judge("a", 500, **AFTER | UNMARKED | {"since_original": round(3.8 * MILLISECOND)})
    network.judge("b", 503, **UNMARKED | COPY | {"since_original": round(1.3 * MILLISECOND)})
    assert network.events("cause, sensors") == [("rto", ["a", "b"])]


def test_a_copy_of_a_repeat_without_marks_is_an_event_beside_it(network: Network) -> None:
    for sensor, at in (("a", 500.0), ("b", 503.0)):
        network.judge(sensor, at, **AFTER | UNMARKED)
    network.judge("b", 503.3, **UNMARKED | COPY | {"since_original": 250_300_000, "frame": 1})
    assert network.events("cause, arraySort(sensors)") == [("rto", ["a", "b"]), ("network_duplicate", ["b"])]


@pytest.mark.parametrize("apart_ms", [16, 400])
def test_repeats_without_marks_that_all_have_are_told_apart(network: Network, apart_ms: float) -> None:
    """The original and the first repeat were lost between b and c, and both repeats came to a and b."""
    unmarked = SYN | UNMARKED
    for sensor, at in (("a", 1_000), ("b", 3_002)):
        for late in (0, apart_ms):
            network.judge(sensor, at + late, **unmarked, since_original=round((1_000 + late) * MILLISECOND))
    network.watch("a", 1, until_ms=3_000)
    network.watch("b", 8, until_ms=3_000, ahead_ms=2_000)
    network.watch("c", 15, until_ms=3_000)
    assert network.events("hop_from, hop_to, sensors") == 2 * [("b", "c", ["a", "b"])]


def test_a_repeat_that_no_mark_or_time_tells_from_the_original_has_a_hop(network: Network) -> None:
    """The network is so fast that the repeat comes 2 ms behind the original."""
    network.judge("a", 500, ip_id=0, tsval=0, original_frame=7, since_original=2 * MILLISECOND)
    assert network.events("hop_from, hop_to") == [("a", "")]


def test_who_saw_later_copies_alone_missed_the_one_before(network: Network) -> None:
    """Of four SYNs, a saw all, b the first and the last two, c the last: what it says of it is about none before."""
    for number, at in ((1, 1_000), (2, 2_000), (3, 3_000)):
        step = {"since_original": at * MILLISECOND, "ip_id_step": number, "tsval_step": at}
        network.judge("a", at, ip_id=100 + number, tsval=at, **SYN, **step)
        if number > 1:
            network.judge("b", at + 3, ip_id=100 + number, tsval=at, **SYN, **step)
    network.judge(
        "c", 3_005, ip_id=103, tsval=3_000, **SYN | {"original_frame": 0, "since_original": 3_000 * MILLISECOND}
    )
    for sensor, rtt in (("a", 1), ("b", 8), ("c", 15)):
        network.watch(sensor, rtt, until_ms=4_000)
    assert network.events("ip_id, hop_from, hop_to") == [(101, "b", "c"), (102, "a", "b"), (103, "b", "c")]


def test_a_copy_that_was_lost_has_its_hop_though_the_repeat_was_not_needed(network: Network) -> None:
    """The first SYN arrived, the second one was lost: so the third one was not needed, and replaces a lost one."""
    late = SYN | {"needed": Needed.SPURIOUS, "ip_id": 102, "tsval": 2_000, "since_original": 2_000 * MILLISECOND}
    network.judge("a", 1_000, ip_id=101, tsval=1_000, **SYN, ip_id_step=1, tsval_step=1_000, since_original=10**9)
    network.judge("a", 2_000, **late, ip_id_step=2, tsval_step=2_000)
    network.judge("b", 2_003, **late, ip_id_step=2, tsval_step=2_000)
    for sensor, rtt in (("a", 1), ("b", 15)):
        network.watch(sensor, rtt, until_ms=3_000)
    assert network.events("ip_id, needed, hop_from, hop_to") == [(101, "unknown", "", ""), (102, "spurious", "a", "b")]


@pytest.mark.parametrize("marks", [UNMARKED, {}])
def test_who_has_no_verdict_on_a_needless_repeat_missed_it(network: Network, marks: dict[str, Any]) -> None:
    """All have the original; the first repeat was lost between b and c, and the second one between a and b."""
    network.judge("a", 500, **NEEDLESS | marks)
    network.judge("b", 503, **NEEDLESS | marks)
    network.judge("a", 900, **NEEDLESS | SECOND | marks)
    for sensor, rtt in (("a", 1), ("b", 8), ("c", 15)):
        network.watch(sensor, rtt, until_ms=2_000)
    assert network.events("needed, hop_from, hop_to, sensors") == [
        ("spurious", "", "", ["a", "b"]), ("spurious", "b", "c", ["a"])
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "until_ms"),
    [({"cause": Cause.APPLICATION_IDLE, "needed": Needed.UNKNOWN, "original_frame": 0}, 2_000), ({}, 880)],
)
def test_who_may_have_missed_nothing_does_not_say_that_a_needless_repeat_was_lost(
    network: Network, before: dict[str, Any], until_ms: float
) -> None:
    """The verdict before is on the original, which c has without one; or c ended a moment before the second repeat."""
    for sensor, late in (("a", 0), ("b", 3)):
        network.judge(sensor, 500 + late, **NEEDLESS | before)
        network.judge(sensor, 900 + late, **NEEDLESS | SECOND)
    for sensor, rtt in (("a", 1), ("b", 8), ("c", 15)):
        network.watch(sensor, rtt, until_ms=until_ms if sensor == "c" else 2_000)
    assert network.events("hop_from, hop_to")[1:] == [("", "")]


def test_of_two_sensors_most_conversations_say_which_stands_before(network: Network) -> None:
    """Conversations are not alike, and c missed the fastest answers of the last one."""
    for number, (wholes, client_rtts) in enumerate(
        (((25, 25), (20, 20.6)), ((34, 34), (29, 29.6)), ((26, 27.3), (22, 22.3)))
    ):
        network.watch("a", 1, port=40_000 + number, whole_ms=wholes[0])
        for sensor, whole, rtt in zip("bc", wholes, client_rtts, strict=True):
            network.watch(sensor, rtt, port=40_000 + number, whole_ms=whole)
    for sensor in "abc":
        network.judge(sensor, 500, **(BEFORE if sensor == "c" else AFTER))
    assert network.events("hop_from, hop_to, way, contradicting") == [("b", "c", ["a", "b", "c"], 0)]


@pytest.mark.parametrize(("seen", "hop"), [("a", ("a", "b")), ("ab", ("b", "c"))])
def test_sensors_of_which_no_conversation_has_round_trips_at_both(
    network: Network, seen: str, hop: tuple[str, str]
) -> None:
    """One conversation has round trips at a and b, another one at b and those behind it."""
    places = dict(zip("abcde", (1, 3, 6, 9, 12), strict=True))
    for sensor, rtt in places.items():
        network.watch(sensor, rtt, rtt_count=3 * (sensor in "ab"))
        network.watch(sensor, rtt, port=40_001, rtt_count=3 * (sensor != "a"))
        if sensor in "abc":
            network.judge(sensor, 500, **(AFTER if sensor in seen else BEFORE))
    assert network.events("hop_from, hop_to, way, contradicting") == [(*hop, list("abcde"), 0)]


def test_who_saw_what_others_missed_stands_before_them(network: Network) -> None:
    """Nothing but the loss before it tells where b, which has no round trips, stands between a and c."""
    for sensor, rtt in (("a", 1), ("c", 15)):
        network.watch(sensor, rtt)
    for seq, seen in ((1000, "ab"), (3000, "a")):
        for sensor in "abc":
            network.judge(sensor, 500, seq=seq, **(AFTER if sensor in seen else BEFORE))
    assert network.events("seq_raw, hop_from, hop_to, way") == [
        (1000, "b", "c", ["a", "b", "c"]), (3000, "a", "b", ["a", "b", "c"])
    ]  # fmt: skip


def test_a_replay_is_no_other_sensor(network: Network) -> None:
    for sensor in ("a", "a (replay)"):
        network.judge(sensor, 500, **AFTER)
        network.watch(sensor, 1)
    assert network.events("hop_from, hop_to, sensors, way") == [("a", "", ["a"], ["a"])]
    assert network.client.execute("SELECT * FROM sensor_pairs") == []


def test_clocks_are_compared_by_the_fastest_packets_of_both_directions(network: Network) -> None:
    """The clock of b is 40 ms ahead; 2 ms from a to b and back, and 5 ms more for one packet."""
    for number, extra in enumerate((5, 0)):
        network.judge("a", 100 * number, ip_id=10 + number)
        network.judge("b", 100 * number + 42 + extra, ip_id=10 + number)
    network.judge("b", 340, from_client=0)
    network.judge("a", 302, from_client=0)
    (row,) = network.client.execute("SELECT * EXCEPT (time) FROM sensor_pairs")
    assert row[:3] == ("a", "b", 3)
    assert row[3:] == pytest.approx((40.0, 2.0, 4.5, 2.0))
