"""``segwatch replay`` of segments that the store keeps."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sinks.connection import new_client
from sinks.local_server import LocalServer
from tests.replay.commands import DEMONSTRATION, WHOLE, document, segwatch

MIDDLE = ("--from", "2026-01-01T09:01:00Z", "--to", "2026-01-01T09:02:00Z")
"""A minute before which some conversations began."""
Query = Callable[[str], Any]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], Query]]:
    """Give the environment of a store that keeps the demonstration with its segments, and a way to ask it."""
    folder = tmp_path_factory.mktemp("replay")
    environment = {"SEGWATCH_DATA_DIR": str(folder), "SEGWATCH_STORE": "local"}
    server = LocalServer(folder)
    try:
        assert segwatch("analyze", "--segments", DEMONSTRATION, **environment).returncode == 0
        client = new_client(server.wait_ready())
        yield environment, client.execute
        client.disconnect()
    finally:
        server.stop()


@pytest.fixture
def environment(data: tuple[dict[str, str], Query]) -> dict[str, str]:
    return data[0]


@pytest.fixture
def query(data: tuple[dict[str, str], Query]) -> Query:
    return data[1]


def test_the_same_rules_give_the_same_answer_once(environment: dict[str, str], query: Query) -> None:
    found = document("replay", *WHOLE, environment=environment)
    (session,) = found["sessions"]
    assert (session["segments"], session["conversations"], session["lead_segments"]) == (5790, 65, 0)
    assert session["is_file"]
    assert session["mid_stream_conversations"] == session["mid_stream_segments"] == 0
    assert session["rows"]["before"] == session["rows"]["after"] == 507
    assert session["labels"]["duplicate_ack"] == {"before": 252, "after": 252}
    assert session["resets"]["refused"] == {"before": 4, "after": 4}
    assert (session["other_labels"], session["other_numbers"], session["differences"]) == (0, 0, [])
    (again,) = document("replay", *WHOLE, environment=environment)["sessions"]  # and the replay is not replayed
    assert again["was_stored"]
    assert again["replay"] == session["replay"] != session["session"]
    told = query(f"SELECT sensor, file_name, segments, anomalies FROM captures WHERE session = '{again['replay']}'")
    ((sensor, file_name, segments, anomalies),) = told
    assert sensor == f"{session['sensor']} (replay)"
    assert file_name.startswith(f"replay of session {session['session']} of {session['sensor']}, 2026-01-01T00:00:00Z")
    assert (segments, anomalies) == (5790, 507)
    sums = "sum(client_segments + server_segments), sum(client_duplicate_ack + server_duplicate_ack)"
    both = [query(f"SELECT {sums} FROM intervals WHERE session = '{session[key]}'") for key in ("session", "replay")]
    assert both[0] == both[1] != [(0, 0)]


def test_a_label_and_a_number_that_were_others(environment: dict[str, str], query: Query) -> None:
    (session,) = document("replay", *WHOLE, environment=environment)["sessions"]
    original = f"session = '{session['session']}'"
    label, number = query(f"SELECT frame FROM anomalies WHERE {original} AND labels = 64 ORDER BY frame LIMIT 2")
    ((row,),) = query(f"SELECT groupArray(name) FROM system.columns WHERE {_COLUMNS}")
    copied = ", ".join("128 AS labels" if name == "labels" else name for name in row)
    into = f"INSERT INTO anomalies ({', '.join(row)})"
    query(f"{into} SELECT {copied} FROM anomalies WHERE {original} AND frame = {label[0]}")
    query(f"DELETE FROM anomalies WHERE {original} AND frame = {label[0]} AND labels = 64")
    query(
        f"ALTER TABLE anomalies UPDATE ack_rtt = -7 WHERE {original} AND frame = {number[0]} SETTINGS mutations_sync=2"
    )
    try:
        (found,) = document("replay", *WHOLE, environment=environment)["sessions"]
        assert (found["other_labels"], found["other_numbers"]) == (1, 1)
        assert found["labels"]["duplicate_ack"] == {"before": 251, "after": 252}
        first, second = found["differences"]
        assert first["frame"] == label[0]
        assert first["before"] == [{"labels": "zero_window", "reset": ""}]
        assert first["after"] == [{"labels": "duplicate_ack", "reset": ""}]
        assert (second["frame"], second["numbers"]) == (number[0], ["ack_rtt"])
        shown = segwatch("replay", *WHOLE, "--limit", "1", **environment)
        assert shown.returncode == 0
        assert "2 segments differ: 1 in labels or reset, 1 in numbers alone" in shown.stdout
        assert "and 1 more" in shown.stdout
        assert f"{label[0]:,}" in shown.stdout
    finally:
        query(f"DELETE FROM anomalies WHERE {original} AND frame IN ({label[0]}, {number[0]})")
        source = f"FROM anomalies WHERE session = '{session['replay']}' AND frame IN ({label[0]}, {number[0]})"
        own = ", ".join(f"toUUID('{session['session']}') AS session" if name == "session" else name for name in row)
        query(f"{into} SELECT {own} {source}")


_COLUMNS = "database = currentDatabase() AND table = 'anomalies' AND default_kind = ''"


def test_what_began_before_the_range(environment: dict[str, str]) -> None:
    (found,) = document("replay", *MIDDLE, environment=environment)["sessions"]
    assert (found["mid_stream_conversations"], found["mid_stream_segments"]) == (4, 161)
    assert found["differences"]
    shown = segwatch("replay", *MIDDLE, **environment).stdout
    assert "4 conversations (161 segments) had begun before 2026-01-01T09:01:00Z" in shown
    assert "--lead 5m" in shown


def test_a_lead_is_analysed_and_not_compared(environment: dict[str, str], query: Query) -> None:
    (found,) = document("replay", *MIDDLE, "--lead", "1h", environment=environment)["sessions"]
    assert found["mid_stream_conversations"] == 0
    assert found["lead_segments"] > 0
    assert (found["other_labels"], found["other_numbers"]) == (0, 0)
    ((earliest, latest),) = query(
        f"SELECT toString(min(ts)), toString(max(ts)) FROM anomalies WHERE session = '{found['replay']}'"
    )
    assert "2026-01-01 09:01:00" <= earliest <= latest < "2026-01-01 09:02:00"


def test_only_what_was_chosen(environment: dict[str, str]) -> None:
    (session,) = document("replay", *WHOLE, environment=environment)["sessions"]
    for chosen in (("--session", session["session"]), ("--sensor", session["sensor"])):
        (found,) = document("replay", *WHOLE, *chosen, environment=environment)["sessions"]
        assert found["replay"] == session["replay"]
    for other in (("--session", "0" * 32), ("--sensor", "nobody")):
        done = segwatch("replay", *WHOLE, *other, **environment)
        assert done.returncode == 3
        assert other[1] in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "tomorrow"),
        ("--from", "-1h", "--to", "-2h"),
        ("--from", "-1h", "--lead", "5"),
        ("--from", "-1h", "--session", "x"),
        ("--from", "-1h", "--rules", "wireshark-1.0"),
        ("--from", "2026-01-01", "--store", "none"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], environment: dict[str, str], tmp_path: Path) -> None:
    done = segwatch("replay", *arguments, **{**environment, "SEGWATCH_DATA_DIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
