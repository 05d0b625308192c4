"""Every query of the dashboards and alert rules, on a store with the demo, with the rights that Grafana has."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from clickhouse_driver.errors import ServerException

from deploy.grafana.generate.files import FOLDER
from segwatch.scope import REPLAY_SUFFIX
from sinks.failures import ACCESS_DENIED
from tests.deploy.grafana_files import DASHBOARDS, Question, of_dashboards, panels, read, rules
from tests.deploy.grafana_macros import ALL, Scope, expand
from tests.deploy.grafana_store import END, QUIET, QUIET_UNTIL, START, UNHEARD, WEEK, FilledStore

READONLY = 164
NUMBER = re.compile(r"(Nullable\()?(U?Int(8|16|32|64)|Float(32|64))\)?$")
TIME = re.compile(r"DateTime(64)?(\(.*\))?$")
TEXT = re.compile(r"(LowCardinality\()?String\)?$")
KEYED = ("traffic_1m", "anomalies_1m", "anomalies", "intervals", "flows", "hosts_1m", "segments", "sensors")
QUESTIONS = list(of_dashboards())
RULES = rules()
EVERYTHING = ("sensor", "network", "host", "port", "label")
of_questions = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.place)
of_rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])


class Grafana:
    """Asks as Grafana does."""

    def __init__(self, client: Any) -> None:
        self.client = client
        conversation = self.options("conversation")[0]
        self.scope = Scope(START, END, 60, {name: [ALL] for name in EVERYTHING} | {"conversation": [conversation]})

    @cache  # noqa: B019 - there is one of them, and it lives as long as the module's tests
    def options(self, variable: str) -> list[str]:
        """Return what a variable offers while the others stand for all."""
        sql = next(one.sql for one in QUESTIONS if one.place.endswith(f": variable {variable}"))
        rows, _ = self.ask(sql, Scope(START, END, chosen={name: [ALL] for name in EVERYTHING}))
        return [row[0] for row in rows]

    def ask(self, sql: str, scope: Scope) -> tuple[list[tuple[Any, ...]], list[tuple[str, str]]]:
        """Return the rows, and names and types of the columns."""
        rows, columns = self.client.execute(expand(sql, scope), with_column_types=True)
        return rows, columns


@pytest.fixture(scope="module")
def grafana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grafana]:
    """Fill a store; give what asks it under the name of Grafana."""
    store = FilledStore(tmp_path_factory.mktemp("grafana"))
    store.start()
    client = store.grafana()
    yield Grafana(client)
    client.disconnect()
    store.stop()


@of_questions
def test_a_query_gives_what_its_panel_shows(grafana: Grafana, question: Question) -> None:
    rows, columns = grafana.ask(question.sql, grafana.scope)
    assert rows
    _check(question.kind, columns)


def _check(kind: str, columns: list[tuple[str, str]]) -> None:
    """Raise unless the columns are what a panel of this kind needs."""
    names, types = [name for name, _ in columns], [kind_of for _, kind_of in columns]
    assert len(set(names)) == len(names)
    match kind:
        case "timeseries":
            assert names[0] == "time"
            assert TIME.match(types[0])
            texts = [kind_of for kind_of in types[1:] if TEXT.match(kind_of)]
            assert len(texts) <= 1
            assert all(NUMBER.match(kind_of) for kind_of in types[1:] if kind_of not in texts)
            assert len(types) > 1 + len(texts)
        case "stat" | "xychart":
            assert all(NUMBER.match(kind_of) for kind_of in types)
        case "barchart":
            assert TEXT.match(types[0])
            assert all(NUMBER.match(kind_of) for kind_of in types[1:])
        case "table":
            assert all(NUMBER.match(kind_of) or TIME.match(kind_of) or TEXT.match(kind_of) for kind_of in types)
        case "variable":
            assert all(TEXT.match(kind_of) for kind_of in types)
            assert len(types) <= 2
        case "annotation":
            of_names = dict(columns)
            assert TIME.match(of_names["time"])
            assert TEXT.match(of_names["text"])
            assert TIME.match(of_names.get("timeEnd", "DateTime"))
        case _:
            raise AssertionError(f"a panel of the kind {kind} is new here")


@of_questions
def test_a_query_of_a_narrow_choice_is_understood(grafana: Grafana, question: Question) -> None:
    """Every variable has a value of its own; then there may be no rows."""
    chosen = {name: grafana.options(name)[:1] for name in (*EVERYTHING, "conversation")}
    grafana.ask(question.sql, replace(grafana.scope, chosen=chosen))


@of_questions
def test_a_query_of_several_values_is_understood(grafana: Grafana, question: Question) -> None:
    chosen = {name: grafana.options(name)[:2] for name in ("sensor", "port", "label")}
    grafana.ask(question.sql, replace(grafana.scope, chosen={**grafana.scope.chosen, **chosen}))


def test_curves_are_named_after_the_column_of_text(grafana: Grafana) -> None:
    for path in DASHBOARDS:
        for panel in (one for one in panels(read(path)) if one["type"] == "timeseries"):
            _, columns = grafana.ask(panel["targets"][0]["rawSql"], grafana.scope)
            texts = [f"${{__field.labels.{name}}}" for name, kind in columns if TEXT.match(kind)]
            named = panel["fieldConfig"]["defaults"].get("displayName")
            assert texts == ([named] if named else []), panel["title"]


TABLES = [one for one in QUESTIONS if one.kind == "table"]


@pytest.mark.parametrize("question", TABLES, ids=lambda question: question.place)
def test_columns_of_a_table_are_described(grafana: Grafana, question: Question) -> None:
    board, _, title = question.place.removesuffix(" A").partition(": ")
    (panel,) = [one for one in panels(read(FOLDER / "dashboards" / f"{board}.json")) if one["title"] == title]
    units = {
        override["matcher"]["options"]: next(one["value"] for one in override["properties"] if one["id"] == "unit")
        for override in panel["fieldConfig"]["overrides"]
    }
    _, columns = grafana.ask(question.sql, grafana.scope)
    assert {name for name, _ in columns} == set(units)
    assert {name for name, kind in columns if TEXT.match(kind)} == {
        name for name, unit in units.items() if unit == "string"
    }
    assert {name for name, kind in columns if TIME.match(kind)} == {
        name for name, unit in units.items() if "time" in unit.lower()
    }


@pytest.mark.parametrize(
    "prefix", ["10.20.0.0/16", "10.20.0.12", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.20.0.12/32"]
)
def test_any_prefix_can_be_typed_in(grafana: Grafana, prefix: str) -> None:
    sql = next(one.sql for one in QUESTIONS if one.place == "segwatch-resets: Resets A")
    rows, _ = grafana.ask(sql, replace(grafana.scope, chosen={**grafana.scope.chosen, "network": [prefix]}))
    everything, _ = grafana.ask(sql, grafana.scope)
    if prefix.endswith("/0"):
        assert rows == everything
    else:
        assert rows < everything


def test_a_host_is_found_on_either_side(grafana: Grafana) -> None:
    sql = next(one.sql for one in QUESTIONS if one.place == "segwatch-host: Peers A")
    for host in grafana.options("host")[:5]:
        rows, columns = grafana.ask(sql, replace(grafana.scope, chosen={**grafana.scope.chosen, "host": [host]}))
        names = [name for name, _ in columns]
        assert rows
        assert all(host in (row[names.index("client")], row[names.index("server")]) for row in rows)


def test_what_is_replayed_does_not_count_twice(grafana: Grafana) -> None:
    """The store has a replay of the demo, whose traffic is that of the demo."""
    assert not any(name.endswith(REPLAY_SUFFIX) for name in grafana.options("sensor"))
    ((sessions, resets),) = grafana.client.execute(
        "SELECT uniqExact(session), sum(resets) FROM traffic_1m WHERE time >= %(start)s AND time < %(end)s",
        {"start": datetime.fromtimestamp(START, UTC), "end": datetime.fromtimestamp(END, UTC)},
    )
    shown = next(one for one in QUESTIONS if one.place == "segwatch-overview: Resets A")
    ((counted,),), _ = grafana.ask(shown.sql, grafana.scope)
    assert (sessions, counted) == (2, resets / 2)
    for rule in RULES:
        rows, _ = grafana.ask(rule["data"][0]["model"]["rawSql"], _scope_of(rule, END))
        assert not any(str(row[0]).endswith(REPLAY_SUFFIX) for row in rows), rule["uid"]


def test_last_week_is_a_week_ago(grafana: Grafana) -> None:
    """The demo was there a week before, too: its curve lies exactly under that of now, and the change is none."""
    panel = "segwatch-overview: Bytes sent again"
    now, before = (next(one.sql for one in QUESTIONS if one.place == f"{panel} {letter}") for letter in "AB")
    assert grafana.ask(now, grafana.scope)[0] == grafana.ask(before, grafana.scope)[0]
    change = next(one.sql for one in QUESTIONS if one.place == "segwatch-overview: Against last week A")
    assert grafana.ask(change, grafana.scope)[0] == [(1.0,)]


def test_the_picture_has_every_segment_once(grafana: Grafana) -> None:
    sql = next(one.sql for one in QUESTIONS if one.place == "segwatch-conversation: Bytes of the client over time A")
    rows, columns = grafana.ask(sql, grafana.scope)
    names = [name for name, _ in columns]
    frames = [row[names.index("frame")] for row in rows]
    assert len(set(frames)) == len(frames)
    summary = next(one.sql for one in QUESTIONS if one.place == "segwatch-conversation: The conversation A")
    ((*facts,), *_), described = grafana.ask(summary, grafana.scope)
    segments = facts[[name for name, _ in described].index("segments")]
    assert 0 < len(frames) <= segments
    assert all(any(value is not None for value in row[2:]) for row in rows)


@of_questions
def test_a_query_reads_by_the_primary_key(grafana: Grafana, question: Question) -> None:
    _assert_keyed(grafana, expand(question.sql, grafana.scope))


@of_rules
def test_a_rule_reads_by_the_primary_key(grafana: Grafana, rule: dict[str, Any]) -> None:
    _assert_keyed(grafana, expand(rule["data"][0]["model"]["rawSql"], _scope_of(rule, END)))


def _assert_keyed(grafana: Grafana, sql: str) -> None:
    """Raise unless every large table that is read is entered by the first column of its key, a bucket of time."""
    # The other form of plans writes the expressions of views again and again, until the server has no memory left.
    rows = grafana.client.execute(f"EXPLAIN indexes = 1 {sql}", settings={"explain_query_plan_default": "legacy"})
    plan = "\n".join(row[0] if isinstance(row[0], str) else row[0].decode(errors="replace") for row in rows)
    reads = re.split(r"ReadFromMergeTree \(\w+\.(\w+)\)", plan)[1:]
    for table, rest in zip(reads[::2], reads[1::2], strict=True):
        if table in KEYED:
            assert "toStartOf" in "".join(re.findall(r"Condition: .*", rest)), (table, rest)


def _scope_of(rule: dict[str, Any], moment: int) -> Scope:
    reach = rule["data"][0]["relativeTimeRange"]["from"]
    return Scope(moment - reach, moment)


def _numbers(grafana: Grafana, uid: str, moment: int) -> dict[tuple[str, ...], float]:
    """Return what a rule makes of a moment: its number for each row of names."""
    rule = next(one for one in RULES if one["uid"] == uid)
    rows, _ = grafana.ask(rule["data"][0]["model"]["rawSql"], _scope_of(rule, moment))
    return {row[:-1]: row[-1] for row in rows}


def _limit(uid: str) -> float:
    rule = next(one for one in RULES if one["uid"] == uid)
    limit: float = rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"][0]
    return limit


@of_rules
def test_a_rule_gives_names_and_one_number(grafana: Grafana, rule: dict[str, Any]) -> None:
    rows, columns = grafana.ask(rule["data"][0]["model"]["rawSql"], _scope_of(rule, END))
    assert rows
    *names, (_, number) = columns
    assert all(TEXT.match(kind) for _, kind in names)
    assert NUMBER.match(number)
    assert len({row[:-1] for row in rows}) == len(rows)
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) == {name for name, _ in names}


def test_what_is_bad_is_beyond_the_limits(grafana: Grafana) -> None:
    """The sensors lose a frame in ten from the second minute on, and fall silent after the third."""
    silent, loss = "segwatch-sensor-silent", "segwatch-capture-loss"
    assert all(seconds < _limit(silent) for seconds in _numbers(grafana, silent, END).values())
    assert all(seconds > _limit(silent) for seconds in _numbers(grafana, silent, END + 300).values())
    assert set(_numbers(grafana, loss, START + 60).values()) == {0}
    (percent,) = set(_numbers(grafana, loss, END).values())
    assert percent == pytest.approx(100 * 1150 / (17500 + 1150))
    assert percent > _limit(loss)


def test_alerts_name_who_is_in_trouble(grafana: Grafana) -> None:
    assert _numbers(grafana, "segwatch-refused", END) == {("10.20.0.30", "5432"): 4}
    closed = _numbers(grafana, "segwatch-window-closed", END)
    assert {name for name, seconds in closed.items() if seconds > 0} == {("10.20.0.12", "10000")}
    assert closed["10.20.0.12", "10000"] == pytest.approx(31.8 + 26.8, abs=0.1)


def test_the_same_as_last_week_is_no_alert(grafana: Grafana) -> None:
    (times,) = _numbers(grafana, "segwatch-retransmission-rate", END).values()
    assert times == pytest.approx(1)


def test_more_than_usual_is_an_alert(grafana: Grafana) -> None:
    """A week later nothing is there to compare with but what is always taken for usual."""
    rule = "segwatch-retransmission-rate"
    (times,) = _numbers(grafana, rule, END - WEEK).values()
    assert times > _limit(rule)


def test_lag_is_told_of_sensors_that_see_segments(grafana: Grafana) -> None:
    behind = _numbers(grafana, "segwatch-pipeline-lag", END)
    late = {name for name, seconds in behind.items() if seconds > _limit("segwatch-pipeline-lag")}
    assert late == {(UNHEARD,)}
    assert len(behind) == 2


@pytest.mark.parametrize("moment", [QUIET_UNTIL, QUIET_UNTIL + 10])
def test_a_sensor_that_sees_nothing_more_is_not_behind(grafana: Grafana, moment: int) -> None:
    """All that it saw is stored; that it speaks on, or starts anew, asks for no more minutes."""
    assert _numbers(grafana, "segwatch-pipeline-lag", moment) == {(QUIET,): 0}
    sql = next(one.sql for one in QUESTIONS if one.place.endswith(": Behind A"))
    rows, _ = grafana.ask(sql, replace(grafana.scope, start=QUIET_UNTIL - 900, end=moment))
    assert rows == [(QUIET, 0)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO captures (file_name) VALUES ('x')",
        "DROP TABLE captures",
        "ALTER TABLE captures DELETE WHERE 1",
        "CREATE TABLE mine (number UInt8) ENGINE = Memory",
        "SELECT * FROM system.users",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SYSTEM FLUSH LOGS",
    ],
)
def test_the_user_may_do_nothing_else(grafana: Grafana, statement: str) -> None:
    with pytest.raises(ServerException) as caught:
        grafana.client.execute(statement)
    assert caught.value.code in {ACCESS_DENIED, READONLY}
