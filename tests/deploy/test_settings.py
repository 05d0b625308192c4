"""Whatever deploy/ sets and starts is something that segwatch has, and all of it fits together."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from segwatch import __version__
from segwatch.kafka.topics import DEFAULT_PARTITIONS, FINDINGS_RETENTION_MS, MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES
from segwatch.settings import CONFIG_VARIABLE, PREFIX, Settings, load_settings
from segwatch.telemetry.address import parse_metrics_address
from sinks.connection import parse_store_url
from tests.cli.parsing import parse
from tests.deploy.files import (
    BASE,
    DOCKERFILE,
    OVERLAY,
    UNITS,
    Command,
    commands,
    compose,
    documents,
    generated_settings,
    own_services,
    pods,
    stages,
    variables,
)
from tests.support import REPOSITORY

MIB = 1 << 20
UNITS_OF_SIZE = {"m": MIB, "g": 1 << 30, "Mi": MIB, "Gi": 1 << 30, "M": MIB}
REAL = {PREFIX + one.name.upper() for one in fields(Settings)} | {CONFIG_VARIABLE}


def size(text: str) -> int:
    """Return the bytes that Compose, Kubernetes or systemd mean."""
    found = re.fullmatch(r"(\d+)([a-zA-Z]+)", text)
    assert found is not None, text
    return int(found[1]) * UNITS_OF_SIZE[found[2]]


def test_every_variable_is_a_setting() -> None:
    found = list(variables())
    assert len(found) > 20
    assert [one for one in found if one[1] not in REAL] == []


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_generated_settings_can_be_read(folder: Path) -> None:
    for values in generated_settings(folder).values():
        load_settings(values, Path("none"))


def test_settings_of_compose_can_be_read() -> None:
    for service in own_services().values():
        environment = {name: value for name, value in service.get("environment", {}).items() if "$" not in value}
        load_settings(environment, Path("none"))


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.place)
def test_every_command_is_one(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGWATCH_STORE_PASSWORD", "none")
    parse(command.arguments)


def test_each_role_is_started_everywhere() -> None:
    compose_roles = {tuple(one["command"][:2]) for one in own_services().values() if "profiles" not in one}
    cluster_roles = {tuple(pod.spec["containers"][0]["args"][:2]) for pod in pods(documents())}
    assert compose_roles == cluster_roles
    assert cluster_roles == {("sensor",), ("processor",), ("sink",), ("topics", "create"), ("db", "migrate")}


def test_stores_are_understood() -> None:
    stores = [value for _, name, value in variables() if name == "SEGWATCH_STORE"]
    assert len(stores) >= 4
    for store in stores:
        address = parse_store_url(store, password="none")  # noqa: S106  # no password at all
        assert (address.port, address.database) == (9000, "segwatch")
        assert address.user.removeprefix("segwatch_") in {"migrate", "write", "read"}


def test_ports_agree() -> None:
    """Where metrics are served, where they are asked for, and who is let in."""
    listened = {parse_metrics_address(value).port for _, name, value in variables() if name == "SEGWATCH_METRICS"}
    probed = {
        port["containerPort"]
        for pod in pods(documents())
        for container in pod.spec["containers"]
        for port in container.get("ports", ())
    }
    asked = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)/health", DOCKERFILE.read_text("utf-8"))}
    policy = next(one for one in documents() if one["metadata"]["name"] == "segwatch-metrics")
    let_in = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    assert listened == probed == asked == let_in == {9400}


def test_network_policies_let_through_what_the_settings_name() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in documents() if one["kind"] == "NetworkPolicy"}
    settings = {**generated_settings(BASE)["segwatch-settings"], **generated_settings(BASE)["segwatch-sink-settings"]}
    for policy, address in (
        ("segwatch-kafka", settings["SEGWATCH_KAFKA"]),
        ("segwatch-clickhouse", settings["SEGWATCH_STORE"].partition("@")[2].partition("/")[0]),
    ):
        host, _, port = address.partition(":")
        (rule,) = policies[policy]["egress"]
        namespace = rule["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        assert (host.split(".")[1], int(port)) == (namespace, rule["ports"][0]["port"])


def test_there_is_a_partition_for_each_processor() -> None:
    partitions = {
        int(command.arguments[command.arguments.index("--partitions") + 1])
        for command in commands()
        if "--partitions" in command.arguments
    }
    assert partitions == {DEFAULT_PARTITIONS}
    replicas = [
        one["spec"]["replicas"]
        for one in documents()
        if one["metadata"]["name"] == "segwatch-processor" and "replicas" in one["spec"]
    ]
    assert max([*replicas, compose()["services"]["processor"]["scale"]]) <= DEFAULT_PARTITIONS


def test_kafka_keeps_positions_longer_than_findings_and_takes_the_largest_messages() -> None:
    kafka = compose()["services"]["kafka"]["environment"]
    assert int(kafka["KAFKA_OFFSETS_RETENTION_MINUTES"]) * 60_000 > FINDINGS_RETENTION_MS
    assert int(kafka["KAFKA_MESSAGE_MAX_BYTES"]) == MAX_MESSAGE_BYTES
    assert int(kafka["KAFKA_REPLICA_FETCH_MAX_BYTES"]) == MAX_DEAD_LETTER_BYTES


def test_processors_have_room_for_all_conversations_that_they_may_remember() -> None:
    """The last one left has all partitions; the figures are those that docs/sensors.md has measured."""
    text = (REPOSITORY / "docs" / "sensors.md").read_text("utf-8")
    found = re.search(r"about ([\d.]+) kB a\nconversation \(.*?\) beside (\d+) MB for itself", text)
    assert found is not None
    a_conversation, itself = float(found[1]) * 1000, int(found[2]) * 1_000_000
    cluster = next(pod for pod in pods(documents()) if pod.name == "segwatch-processor")
    unit = next(unit for unit in UNITS if "processor" in unit.name).read_text("utf-8")
    limits = [
        size(compose()["services"]["processor"]["mem_limit"]),
        size(cluster.spec["containers"][0]["resources"]["limits"]["memory"]),
        size(re.findall(r"MemoryMax=(\w+)", unit)[0]),
    ]
    remembered = {int(value) for _, name, value in variables() if name == "SEGWATCH_MOST_CONVERSATIONS"}
    remembered |= {int(value.replace("_", "")) for value in re.findall(r"most_conversations = ([\d_]+)", unit)}
    (most,) = remembered
    assert itself + DEFAULT_PARTITIONS * most * a_conversation < min(limits)


def test_memory_is_limited_alike_everywhere() -> None:
    services = compose()["services"]
    for pod in pods(documents()):
        role = pod.name.removeprefix("segwatch-")
        if role in {"sensor", "processor", "sink"}:
            limit = pod.spec["containers"][0]["resources"]["limits"]["memory"]
            assert size(limit) == size(services[role]["mem_limit"])


def test_a_spool_fits_into_its_volume() -> None:
    sensor = next(pod for pod in pods(documents()) if pod.kind == "DaemonSet")
    volume = next(one for one in sensor.spec["volumes"] if one["name"] == "spool")
    spool = int(generated_settings(BASE)["segwatch-sensor-settings"]["SEGWATCH_SPOOL_BYTES"])
    ephemeral = size(sensor.spec["containers"][0]["resources"]["limits"]["ephemeral-storage"])
    assert spool < size(volume["emptyDir"]["sizeLimit"]) < ephemeral


def test_versions_are_those_of_this_checkout() -> None:
    images = {service["image"] for service in own_services().values()}
    images |= {container["image"] for pod in pods(documents()) for container in pod.spec["containers"]}
    assert images == {f"segwatch:{__version__}", f"segwatch-sensor:{__version__}"}
    built = set(re.findall(r"-t (\S+) ", DOCKERFILE.read_text("utf-8")))
    assert built == images


def test_servers_are_of_the_versions_that_tests_run_with() -> None:
    services = compose()["services"]
    pom = (REPOSITORY / "segwatch" / "kafka" / "broker" / "pom.xml").read_text("utf-8")
    (kafka,) = re.findall(r"<artifactId>kafka_2\.13</artifactId>\s*<version>([\d.]+)</version>", pom)
    assert services["kafka"]["image"] == f"apache/kafka:{kafka}"
    project = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    (clickhouse,) = re.findall(r'"chdb-core==(\d+\.\d+)', project)
    assert services["clickhouse"]["image"] == f"clickhouse/clickhouse-server:{clickhouse}"
    operations = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    for image in (services[name]["image"] for name in ("kafka", "clickhouse", "grafana")):
        assert f"`{image}`" in operations


def test_the_image_has_a_python_that_segwatch_supports() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    found = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project)
    assert found is not None
    bases = {re.sub(r" AS .*", "", instructions[0].words) for instructions in stages().values()}
    pythons = {one for one in bases if one.startswith("python:")}
    assert len(pythons) == 1  # what is compiled in one stage is used in the other
    minor = int(re.findall(r"python:3\.(\d+)-", pythons.pop())[0])
    assert int(found[1]) <= minor < int(found[2])
