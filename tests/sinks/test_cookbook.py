"""The queries of docs/sql.md, over what is found in the demonstration capture."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import pytest

from segwatch.messages.status import SensorStatus
from segwatch.vocabulary import LABEL_NAMES
from sinks.connection import ServerAddress, connect
from sinks.local_server import LocalServer
from sinks.migration_files import created_objects
from sinks.writer import Origin, Writer
from tests.cookbook import PAGE, Question, questions
from tests.support import REPOSITORY

DEMO = REPOSITORY / "segwatch" / "data" / "demo.pcap.gz"
ASKED = "2026-01-01 09:05:00"
"""Soon after the end of the demonstration."""
SESSION = "00000000000000000000000000000001"
_RETRANSMISSIONS = frozenset({"retransmission", "fast_retransmission", "spurious_retransmission"})
_DISTINCT = 5
_REPEATS = _RETRANSMISSIONS | {"out_of_order"}


class Filled(NamedTuple):
    """A store with the demonstration in it."""

    client: Any
    summary: dict[str, Any]
    rows: list[dict[str, Any]]
    """What ``segwatch labels`` says of every segment."""

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query by column."""
        rows, columns = self.client.execute(query, with_column_types=True)
        return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows]

    def answer(self, number: int) -> list[dict[str, Any]]:
        """Return the answer to a question."""
        return self.ask(questions()[number - 1].until(ASKED))


def _heartbeat(second: int, drops: int) -> SensorStatus:
    return SensorStatus(
        sensor="edge", session=SESSION, ts=int(datetime(2026, 1, 1, 9, 4, second, tzinfo=UTC).timestamp()) * 10**9,
        host="gate", interface="eth0", capture_filter="tcp", snaplen=96, version="0.1.0", state="running", problem="",
        frames=100 * second, segments=90 * second, undecoded=second, kernel_drops=drops, interface_drops=0,
        published_segments=90 * second, dropped_segments=0, queued_batches=0, spooled_batches=0, spooled_bytes=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Analyse the demonstration into a store of its own, and let a sensor tell how it is."""
    folder = tmp_path_factory.mktemp("data")
    environment = {**os.environ, "SEGWATCH_DATA_DIR": str(folder), "SEGWATCH_STORE": "local"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "segwatch", *arguments]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    summary = json.loads(run("analyze", "--json", str(DEMO)))["captures"][0]
    rows = [json.loads(line) for line in run("labels", "-f", "jsonl", str(DEMO)).splitlines()]
    server = LocalServer(folder)
    address: ServerAddress = server.wait_ready()
    client = connect(address)
    heartbeats = [_heartbeat(second, drops) for second, drops in ((3, 5), (6, 5), (9, 12))]
    Writer(client, address).write_statuses(heartbeats, Origin("edge", SESSION, datetime.now(UTC).date()), "one")
    yield Filled(client, summary, rows)
    client.disconnect()
    server.stop()


def _labelled(filled: Filled) -> Counter[str]:
    return Counter(label for row in filled.rows for label in row.get("labels", ()))


def test_the_page_has_twenty_eight_questions() -> None:
    assert [one.number for one in questions()] == list(range(1, 29))
    assert PAGE.read_text("utf-8").count("```sql") == 28


def test_the_page_names_every_view_and_function(filled: Filled) -> None:
    text = PAGE.read_text("utf-8")
    views = {name for name, kind in created_objects().items() if kind == "VIEW"}
    functions = {
        name for (name,) in filled.client.execute("SELECT name FROM system.functions WHERE origin = 'SQLUserDefined'")
    }
    assert views - set(re.findall(r"`(\w+)`", text)) == set()
    assert {name for name in functions if name.startswith("segwatch_")} == set(re.findall(r"`(segwatch_\w+)\(", text))


@pytest.mark.parametrize("question", questions(), ids=lambda one: str(one.number))
def test_every_question_has_an_answer(filled: Filled, question: Question) -> None:
    rows = filled.ask(question.until(ASKED))
    assert rows
    for row in rows:
        assert not any(value is None or value != value for value in row.values()), row
        percents = [value for name, value in row.items() if "percent" in name]
        assert all(0 <= value <= 100 for value in percents), row
    assert any(value for row in rows for value in row.values())


def test_the_network_as_a_whole(filled: Filled) -> None:
    (row,) = filled.answer(1)
    assert row["range"] == "last day"
    assert row["segments"] == filled.summary["segments"] == len(filled.rows)
    assert row["resets"] == sum(filled.summary["resets"].values())
    expected = 100 * filled.summary["retransmitted_bytes"] / filled.summary["payload_bytes"]
    assert row["bytes_percent"] == pytest.approx(expected)
    closed = filled.summary["zero_window"]
    assert row["closed_window_seconds"] == pytest.approx(closed["client_seconds"] + closed["server_seconds"])


def test_labels_are_those_of_segwatch_labels(filled: Filled) -> None:
    counted = {row["label"]: row["labelled"] for row in filled.answer(3)}
    assert counted == _labelled(filled)
    assert set(counted) <= set(LABEL_NAMES)


def test_hosts_sent_what_segwatch_labels_says(filled: Filled) -> None:
    sent: Counter[str] = Counter()
    for row in filled.rows:
        sent[row["src"]] += not _RETRANSMISSIONS.isdisjoint(row.get("labels", ()))
    query = (
        "SELECT host, sum(retransmissions_sent) AS sent, sum(retransmissions_received) AS received "
        "FROM retransmission_rate_by_host GROUP BY host"
    )
    counted = {row["host"]: row for row in filled.ask(query)}
    assert {host: row["sent"] for host, row in counted.items()} == {host: sent[host] for host in counted}
    assert sum(row["received"] for row in counted.values()) == sent.total() > 0
    assert {row["host"] for row in filled.answer(5)} <= set(counted)


def test_networks_are_those_of_their_hosts(filled: Filled) -> None:
    query = "SELECT subnet, sum(payload_bytes_sent) AS bytes FROM retransmission_rate_by_subnet GROUP BY subnet"
    counted = {row["subnet"]: row["bytes"] for row in filled.ask(query)}
    expected: Counter[str] = Counter()
    for row in filled.rows:
        source = ip_address(row["src"])
        expected[str(ip_network((source, 24 if source.version == 4 else 64), strict=False))] += row.get("len", 0)
    assert counted == expected


def test_the_worst_conversations_are_those_of_analyze(filled: Filled) -> None:
    """Those with points of their own; analyze knows only the last reset of the others."""
    answer, told = filled.answer(9)[:_DISTINCT], filled.summary["worst_conversations"][:_DISTINCT]
    assert [_ends(row) for row in answer] == [_ends(row) for row in told]
    assert [len(row["why"]) for row in answer] == [len(row["why"]) for row in told]


def _ends(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("client", "client_port", "server", "server_port"))


def test_resets_are_those_of_segwatch_labels(filled: Filled) -> None:
    expected = Counter(row["reset"] for row in filled.rows if "reset" in row)
    counted: Counter[str] = Counter()
    for row in filled.answer(19):
        counted[row["class"]] += row["count"]
    assert counted == expected
    assert sum(row["refusals"] for row in filled.answer(21)) == expected["refused"]
    assert len(filled.answer(23)) == expected["off_sequence"]
    assert filled.ask("SELECT class, count() AS times FROM resets GROUP BY class ORDER BY class") == [
        {"class": name, "times": times} for name, times in sorted(expected.items())
    ]


def test_an_injected_reset_shows_its_ttl(filled: Filled) -> None:
    (row,) = [row for row in filled.answer(23) if row["client"] == "10.20.3.11"]
    assert row["ttl"] == 121
    assert row["other_ttls"]
    assert 121 not in row["other_ttls"]


def test_one_conversation_is_told_with_all_its_labels(filled: Filled) -> None:
    expected = [
        row for row in filled.rows if 50110 in (row["sport"], row["dport"]) and ("labels" in row or "reset" in row)
    ]
    answer = filled.answer(10)
    assert [row["frame"] for row in answer] == [row["frame"] for row in expected][:100]
    assert [sorted(row["label_names"]) for row in answer] == [row.get("labels", []) for row in expected][:100]


def test_waits_add_up(filled: Filled) -> None:
    waits = {row["kind"]: row for row in filled.answer(13)}
    closed = filled.summary["zero_window"]
    assert waits["zero_window"]["lost_seconds"] == pytest.approx(closed["client_seconds"] + closed["server_seconds"])
    assert {row["host"] for row in filled.answer(14)} == {"10.20.0.12"}
    silences = [
        row["time_delta"]
        for row in filled.rows
        if row.get("time_delta", 0) >= 0.2 and not _REPEATS.isdisjoint(row.get("labels", ()))
    ]
    longest = [row["after_seconds"] for row in filled.answer(15)]
    assert longest == pytest.approx(sorted(silences, reverse=True)[: len(longest)])
    others = [row for kind, row in waits.items() if kind != "zero_window"]
    assert sum(row["waits"] for row in others) == len(silences)
    assert sum(row["lost_seconds"] for row in others) == pytest.approx(sum(silences))


def test_sensors_tell_how_they_are(filled: Filled) -> None:
    (row,) = filled.answer(25)
    assert (row["sensor"], row["last_state"], row["dropped"]) == ("edge", "running", 7)


@pytest.mark.parametrize("view", [name for name, kind in created_objects().items() if kind == "VIEW"])
def test_time_reaches_the_primary_key(filled: Filled, view: str) -> None:
    """Of a part that holds other times nothing is read."""
    plan = filled.client.execute(
        f"EXPLAIN indexes = 1 SELECT * FROM {view} WHERE time >= '2030-01-01 00:00:00' "
        "SETTINGS explain_query_plan_default = 'legacy'"  # the other form writes expressions out again and again
    )
    text = "\n".join(line if isinstance(line, str) else line.decode(errors="replace") for (line,) in plan)
    assert "ReadFromMergeTree" not in text or re.search(r"Granules: 0/\d+|Parts: 0/\d+", text), text
