"""The stand-in for Grafana's macros does what the data source's documentation says."""

import pytest

from tests.deploy.grafana_macros import ALL, Scope, expand

SCOPE = Scope(1415792726, 1447328726, 20, {"host": ["a'b", "c"], "empty": [ALL], "one": ["x"]})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("$__timeFilter(t.time)", "t.time >= toDateTime(1415792726) AND t.time <= toDateTime(1447328726)"),
        ("$__fromTime - 1", "toDateTime(1415792726) - 1"),
        ("f($__toTime)", "f(toDateTime(1447328726))"),
        ("$__interval_s", "20"),
        ("$__timeInterval(column)", "toStartOfInterval(toDateTime(column), INTERVAL 20 second)"),
        ("x IN (${host:singlequote})", r"x IN ('a\'b','c')"),
        ("$one ${one}", "x x"),
        ("$__conditionalAll(f(x, 1) IN (${host:singlequote}), $host)", r"f(x, 1) IN ('a\'b','c')"),
        ("$__conditionalAll(f(x, 1) IN (${empty:singlequote}), $empty) AND y", "1=1 AND y"),
        ("$__conditionalAll(a, $empty) AND $__conditionalAll((b OR c), $one)", "1=1 AND (b OR c)"),
    ],
)
def test_what_is_sent(written: str, sent: str) -> None:
    assert expand(written, SCOPE) == sent


@pytest.mark.parametrize("written", ["${empty:singlequote}", "${one:pipe}", "$__nothing", "$unknown"])
def test_what_cannot_be_sent(written: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        expand(written, SCOPE)
