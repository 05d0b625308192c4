"""What Grafana and the data source make of a query before ClickHouse sees it.

After the documentation of grafana-clickhouse-datasource ("Macros") and its sources: first, in the browser,
``$__conditionalAll`` and the variables of the dashboard, then, in the back end, the macros of time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

ALL = "$__all"


@dataclass(frozen=True)
class Scope:
    """A range of time (Unix seconds), the interval of a panel (seconds), and the values of the variables."""

    start: int
    end: int
    interval: int = 60
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)


def expand(sql: str, scope: Scope) -> str:
    """Return the SQL that ClickHouse is sent."""
    sql = _without_conditions_on_all(sql, scope.chosen)
    sql = re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)", lambda found: _variable(found, scope.chosen), sql)
    sql = re.sub(r"\$__(\w+)(?:\(([^()]*)\))?", lambda found: _macro(found, scope), sql)
    assert "$" not in sql, f"something is left: {sql}"
    return sql


def _without_conditions_on_all(sql: str, chosen: Mapping[str, Sequence[str]]) -> str:
    macro = "$__conditionalAll("
    while (at := sql.rfind(macro)) >= 0:
        arguments, end = _arguments(sql, at + len(macro))
        condition, variable = arguments
        assert not re.search(r"\$[$&`'0-9<]", condition), "JavaScript's replace would take this for an order"
        values = chosen[variable.strip().removeprefix("$")]
        sql = sql[:at] + ("1=1" if list(values) in ([ALL], [""], []) else condition) + sql[end:]
    return sql


def _arguments(sql: str, begin: int) -> tuple[list[str], int]:
    """Return the arguments of a macro and where it ends, as the plugin finds them: it knows nothing of quotes."""
    arguments, depth, start = [], 1, begin
    for at in range(begin, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[at], 0)
        if (sql[at] == "," and depth == 1) or depth == 0:
            arguments.append(sql[start:at])
            start = at + 1
        if depth == 0:
            return arguments, at + 1
    raise AssertionError(f"a macro does not end: {sql[begin:]}")


def _variable(found: re.Match[str], chosen: Mapping[str, Sequence[str]]) -> str:
    name = found[1] or found[3]
    values = chosen[name]
    assert ALL not in values, f"{name} stands for all of its options, far too many to write down"
    match found[2]:
        case "singlequote":
            return ",".join("'" + value.replace("'", r"\'") + "'" for value in values)
        case None:
            return ",".join(values)
        case other:
            raise AssertionError(f"the format {other} is not known")


def _macro(found: re.Match[str], scope: Scope) -> str:
    name, argument = found[1], found[2]
    start, end = f"toDateTime({scope.start})", f"toDateTime({scope.end})"
    without: Mapping[str, str] = {"fromTime": start, "toTime": end, "interval_s": str(scope.interval)}
    if name in without:
        return without[name] + (f"({argument})" if argument is not None else "")
    of_column: Mapping[str, Callable[[str], str]] = {
        "timeFilter": lambda column: f"{column} >= {start} AND {column} <= {end}",
        "timeInterval": lambda column: f"toStartOfInterval(toDateTime({column}), INTERVAL {scope.interval} second)",
    }
    return of_column[name](argument)
