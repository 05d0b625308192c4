"""The files for Grafana: made by the code beside them, whole, and understood by Grafana's own types."""

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import register_dataquery_variant
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.generate.files import ALERTS, FOLDER, made
from deploy.grafana.generate.links import TITLES
from deploy.grafana.generate.source import PLUGIN, UID, query_reader
from tests.deploy.grafana_files import DASHBOARDS, Json, panels, read, rules
from tests.support import REPOSITORY

WIDTH = 24
WITHOUT_UNIT = {"text"}
dashboards = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def test_files_are_those_that_the_code_makes() -> None:
    files = made()
    assert {FOLDER / name for name in files} == {*DASHBOARDS, FOLDER / ALERTS}
    changed = [str(name) for name, text in files.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert changed == [], "make dashboards"


def test_the_code_makes_the_same_in_another_process() -> None:
    """Nothing may depend on the order of a set or on the time."""
    code = (
        "import json; from deploy.grafana.generate.files import made; "
        "print(json.dumps({str(name): text for name, text in made().items()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == {str(name): text for name, text in made().items()}


@dashboards
def test_the_sdk_reads_what_it_wrote(path: Path) -> None:
    register_default_plugins()
    register_dataquery_variant(query_reader())
    board = Dashboard.from_json(read(path))
    again, content = json.loads(JSONEncoder().encode(board)), read(path)
    for marks in content["annotations"]["list"]:
        del marks["target"]  # the SDK knows that of Grafana's own annotations alone
    assert _within(content, again) == []


def _within(wanted: Any, given: Any, place: str = "") -> list[str]:
    """Return where something that is wanted is not given; more may be given."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return [one for key in wanted for one in _within(wanted[key], given.get(key), f"{place}.{key}")]
    if isinstance(wanted, list) and isinstance(given, list) and len(wanted) == len(given):
        pairs = enumerate(zip(wanted, given, strict=True))
        return [one for at, pair in pairs for one in _within(*pair, f"{place}[{at}]")]
    return [] if wanted == given else [f"{place}: {wanted!r} became {given!r}"]


@dashboards
def test_a_dashboard_has_what_leads_to_it(path: Path) -> None:
    board = read(path)
    assert board["uid"] == path.stem
    assert board["title"] == TITLES[path.stem]
    assert board["description"]
    assert board["schemaVersion"] >= 39


def test_every_dashboard_is_there() -> None:
    assert {path.stem for path in DASHBOARDS} == set(TITLES)


@dashboards
def test_panels_have_numbers_of_their_own_and_do_not_overlap(path: Path) -> None:
    board = read(path)
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert 0 not in numbers
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= WIDTH and place["h"] > 0 for place in places)
    assert not [(one, other) for one, other in combinations(places, 2) if _overlap(one, other)]


def _overlap(one: Json, other: Json) -> bool:
    across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
    return across and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]


@dashboards
def test_panels_say_what_they_show_and_in_what_unit(path: Path) -> None:
    for panel in panels(read(path)):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        if panel["type"] not in WITHOUT_UNIT:
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
            assert panel["targets"], panel["title"]


@dashboards
def test_everything_asks_the_provisioned_source(path: Path) -> None:
    for source in _values(read(path), "datasource"):
        assert source == {"type": PLUGIN, "uid": UID}


def _values(content: Any, key: str) -> list[Any]:
    """Return the values of a key, wherever it stands."""
    if isinstance(content, dict):
        own = [content[key]] if key in content else []
        return own + [value for inner in content.values() for value in _values(inner, key)]
    return [value for inner in content for value in _values(inner, key)] if isinstance(content, list) else []


@dashboards
def test_links_lead_to_dashboards_and_keep_time_and_filters(path: Path) -> None:
    board = read(path)
    assert {link["url"] for link in board["links"]} == {f"/d/{uid}" for uid in TITLES if uid != board["uid"]}
    assert all(link["keepTime"] and link["includeVars"] for link in board["links"])
    of_rows = [link for properties in _values(panels(board), "properties") for link in _row_links(properties)]
    names = {variable["name"] for variable in board["templating"]["list"]}
    for link in of_rows:
        uid, _, parameters = link["url"].removeprefix("/d/").partition("?")
        target = {variable["name"] for variable in read(FOLDER / "dashboards" / f"{uid}.json")["templating"]["list"]}
        assert parameters.startswith("${__url_time_range}")
        assert set(re.findall(r"\$\{(\w+):queryparam\}", parameters)) <= names & target
        assert set(re.findall(r"var-(\w+)=", parameters)) <= target
        assert "sensor" in re.findall(r"\$\{(\w+):queryparam\}", parameters)


def _row_links(properties: list[Json]) -> list[Json]:
    return [link for one in properties if one["id"] == "links" for link in one["value"]]


@dashboards
def test_links_of_rows_take_columns_that_are_there(path: Path) -> None:
    for panel in panels(read(path)):
        overrides = panel.get("fieldConfig", {}).get("overrides", [])
        columns = {override["matcher"]["options"] for override in overrides}
        taken = re.findall(r"__data\.fields\.(\w+)", json.dumps(overrides))
        assert set(taken) <= columns, panel["title"]


@dashboards
def test_variables_are_used(path: Path) -> None:
    board = read(path)
    text = json.dumps([panels(board), board["templating"], board["annotations"]])
    for variable in board["templating"]["list"]:
        assert f"${{{variable['name']}:singlequote}}" in text


def test_alert_rules_are_whole() -> None:
    found = rules()
    assert len({rule["uid"] for rule in found}) == len(found)
    boards = {path.stem: read(path) for path in DASHBOARDS}
    for rule in found:
        question, condition = rule["data"]
        assert question["datasourceUid"] == question["model"]["datasource"]["uid"] == UID
        assert (condition["refId"], condition["model"]["expression"]) == (rule["condition"], question["refId"])
        assert condition["model"]["type"] == "threshold"
        assert len(rule["uid"]) <= 40
        assert rule["dashboardUid"] in boards
        shown = {panel["id"] for panel in panels(boards[rule["dashboardUid"]])}
        assert rule["panelId"] in shown


def test_every_alert_has_a_runbook_and_a_section_in_the_documents() -> None:
    document = (REPOSITORY / "docs" / "dashboards.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (.+?)\n+(.+?)(?=^#|\Z)", document, re.MULTILINE | re.DOTALL))
    for rule in rules():
        runbook = rule["annotations"]["description"]
        assert re.search(r"1\. .*2\. ", runbook, re.DOTALL)
        written = " ".join(sections[rule["title"]].replace("`", "").split())
        assert " ".join(runbook.split()) in written, rule["title"]


def test_names_in_summaries_are_columns_of_the_query() -> None:
    for rule in rules():
        names = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert names
        assert "$values.A.Value" in rule["annotations"]["summary"]
        for name in names:
            assert re.search(rf"\bAS {name}\b", rule["data"][0]["model"]["rawSql"])


def test_provisioning_names_the_same_source_and_folder() -> None:
    (source,) = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "segwatch.yaml").read_text())["datasources"]
    assert (source["type"], source["uid"]) == (PLUGIN, UID)
    (provider,) = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "segwatch.yaml").read_text())["providers"]
    assert provider["folder"] == read(FOLDER / ALERTS)["groups"][0]["folder"]
