"""``segwatch query``, ``db`` and ``schema`` as a user runs them."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.local_server import LocalServer
from sinks.store import Store
from tests.sinks.rows import FACTS, some_findings, some_intervals, some_segments

SESSION = "0123456789abcdef" * 2
EVERY_KIND = (
    "SELECT 1 AS number, 'a\tb\n\"c\" é' AS text, NULL AS nothing, [1, 2] AS list, ['x\\'y'] AS words, "
    "tuple(1, 'z') AS pair, toIPv6('::ffff:10.0.0.1') AS address, "
    "toUUID('00112233-4455-6677-8899-aabbccddeeff') AS id, "
    "toDateTime64('2026-01-01 00:00:00.123456789', 9, 'UTC') AS ts, true AS yes, 0.5 AS half, "
    "toDate('2026-01-02') AS day"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give an environment whose local store holds one session."""
    folder = tmp_path_factory.mktemp("user")
    local = LocalServer(folder)
    with Store(local.wait_ready()) as store:
        store.begin(SESSION, "here")
        store.add_anomalies(some_segments(20), some_findings(20))
        store.add_intervals(some_intervals(20))
        store.finish(FACTS)
    others = {name: value for name, value in os.environ.items() if not name.startswith("SEGWATCH_STORE")}
    yield others | {"SEGWATCH_DATA_DIR": str(folder), "SEGWATCH_CONFIG": os.devnull, "COLUMNS": "80"}
    local.stop()


def _run(
    environment: dict[str, str], *arguments: str, text: str | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    script = "import sys; from segwatch.cli.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", script, *arguments]
    feed: dict[str, object] = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, **feed)  # type: ignore[call-overload]  # one of two forms
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_tsv_is_for_programs(environment: dict[str, str]) -> None:
    out = _run(environment, "query", EVERY_KIND).stdout
    assert out == (
        "number\ttext\tnothing\tlist\twords\tpair\taddress\tid\tts\tyes\thalf\tday\n"
        "1\ta\\tb\\n\"c\" é\t\\N\t[1,2]\t['x\\\\'y']\t(1,'z')\t::ffff:10.0.0.1\t00112233-4455-6677-8899-aabbccddeeff\t"
        "2026-01-01 00:00:00.123456789\ttrue\t0.5\t2026-01-02\n"
    )


def test_csv(environment: dict[str, str]) -> None:
    out = _run(environment, "query", "--format", "csv", EVERY_KIND).stdout
    names, row = list(csv.reader(io.StringIO(out)))
    assert dict(zip(names, row, strict=True)) == {
        "number": "1", "text": 'a\tb\n"c" é', "nothing": "", "list": "[1,2]", "words": "['x\\'y']", "pair": "(1,'z')",
        "address": "::ffff:10.0.0.1", "id": "00112233-4455-6677-8899-aabbccddeeff",
        "ts": "2026-01-01 00:00:00.123456789", "yes": "true", "half": "0.5", "day": "2026-01-02",
    }  # fmt: skip


def test_json(environment: dict[str, str]) -> None:
    query = f"{EVERY_KIND}, arrayJoin([1, 2]) AS twice"
    array = json.loads(_run(environment, "query", "--format", "json", query).stdout)
    lines = _run(environment, "query", "--format", "jsonl", query).stdout.splitlines()
    assert array == [json.loads(line) for line in lines]
    assert array[1]["twice"] == 2
    assert (array[0]["list"], array[0]["nothing"], array[0]["yes"]) == ([1, 2], None, True)
    assert json.loads(_run(environment, "query", "--format", "json", "SELECT 1 WHERE 0").stdout) == []


def test_table_is_for_people(environment: dict[str, str]) -> None:
    out = _run(environment, "query", "--format", "table", EVERY_KIND).stdout
    assert "\t" not in out
    assert "a\\x09b\\x0a" in out
    assert " 10.0.0.1 " in out, "IPv4 in dotted form"
    assert "2026-01-01 00:00:00.123456789" in out, "nothing is cut in a file"
    assert "(1 row)" in out


def test_statement_from_standard_input(environment: dict[str, str]) -> None:
    for arguments in (["query", "-"], ["query"]):
        assert _run(environment, *arguments, text="SELECT count()\nFROM anomalies;\n").stdout == "count()\n20\n"
    assert "no SQL statement" in _run(environment, "query", "-", text=" ;\n", code=2).stderr


def test_views_for_people(environment: dict[str, str]) -> None:
    out = _run(environment, "query", "SELECT count(), sum(segments) > 0 FROM connections").stdout
    assert out.splitlines()[1] == "20\t1"


def test_percent_signs_are_left_alone(environment: dict[str, str]) -> None:
    assert _run(environment, "query", "SELECT 'ab' LIKE 'a%' AS x, '%(y)s %' AS y").stdout == "x\ty\n1\t%(y)s %\n"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELEC 1", "segwatch: The server refused the statement: Syntax error"),
        ("SELECT * FROM nowhere", "segwatch: The server refused the statement: Unknown table"),
        ("SELECT throwIf(number = 200000) FROM numbers(1000000)", "segwatch: The server refused the statement: Value"),
        (
            "SELECT * FROM traffic_1m",
            "segwatch: The statement gives a column of the type AggregateFunction(uniq, Int32), which cannot be shown",
        ),
    ],
)
def test_refused_statement(environment: dict[str, str], query: str, sentence: str) -> None:
    error = _run(environment, "query", query, code=1).stderr
    assert error.startswith(sentence)
    assert error.count("\n") == 1
    assert "Stack trace" not in error


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("clickhouse://nobody@127.0.0.1:1/x", 5, "clickhouse://nobody@127.0.0.1:1/x cannot be reached"),
        ("clickhouse://me:secret@127.0.0.1/x", 2, "password does not belong"),
        ("clickhouse://me:secret/1@127.0.0.1/x", 2, "is not understood"),
        ("http://127.0.0.1/x", 2, "must look like clickhouse://"),
        ("clickhouse://host/a;b", 2, "letters, digits and _ only"),
        ("clickhouse://host:port/", 2, "is not understood"),
        ("none", 2, "nothing to ask"),
    ],
)
def test_wrong_store(environment: dict[str, str], url: str, code: int, words: str) -> None:
    error = _run(environment, "query", "--store", url, "SELECT 1", code=code).stderr
    assert words in error
    assert "secret" not in error


def test_store_by_url(environment: dict[str, str]) -> None:
    status = json.loads(_run(environment, "db", "status", "--json").stdout)
    url = f"clickhouse://{status['user']}@127.0.0.1:{status['tcp_port']}"
    query = ("query", "SELECT count() FROM anomalies", "--store")
    wrong = environment | {"SEGWATCH_STORE_PASSWORD": "wrong"}
    assert "refused the user name or the password" in _run(wrong, *query, url, code=5).stderr
    right = environment | {"SEGWATCH_STORE_PASSWORD_FILE": status["password_file"]}
    assert _run(right, *query, f"{url}/segwatch").stdout == "count()\n20\n"
    assert "does not exist" in _run(right, *query, f"{url}/another", code=5).stderr
    assert _run(right, "schema", "sensors", "--store", f"{url}/another").stdout.startswith("sensors: Heartbeats")
    assert _run(right, *query, f"{url}/another").stdout == "count()\n0\n"


def test_large_result_streams(environment: dict[str, str]) -> None:
    """A reader that leaves early ends the command, which has not waited for the whole result."""
    script = "import sys; from segwatch.cli.main import run; sys.exit(run(sys.argv[1:]))"
    query = "SELECT number FROM numbers(1000000000000)"
    with subprocess.Popen(
        [sys.executable, "-c", script, "query", query], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"number\n"
        assert running.stdout.readline() == b"0\n"
        running.stdout.close()
        assert running.wait(60) == 141
        assert running.stderr.read() == b""


def test_schema_of_one_table(environment: dict[str, str]) -> None:
    out = _run(environment, "schema", "captures").stdout
    assert out.startswith("captures: One row for each analysed file")
    assert "no table 'nowhere'" in _run(environment, "schema", "nowhere", code=2).stderr


def test_database_commands(environment: dict[str, str], tmp_path: Path) -> None:
    own = environment | {"SEGWATCH_DATA_DIR": str(tmp_path)}
    assert _run(own, "db", "path").stdout == f"{tmp_path}/store\n"
    assert "does not run" in _run(own, "db", "status", code=1).stdout
    try:
        assert "The local store runs" in _run(own, "db", "start").stdout
        assert "The local store runs" in _run(own, "db", "status").stdout
        assert _run(own, "query", "SELECT count() FROM flows").stdout == "count()\n0\n"
    finally:
        assert _run(own, "db", "stop").stdout == "The local store is stopped.\n"
    assert _run(own, "db", "stop").stdout == "The local store did not run.\n"
