"""The Compose file: what its specification says, and what keeps it safe."""

import hashlib
import json
import re
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.deploy.files import COMPOSE, DEPLOY, compose, own_services

SERVICES = compose()["services"]
SECRETS_SCRIPT = COMPOSE.parent / "make-secrets.sh"
PASSWORDS = {"store-migrate-password", "store-write-password", "store-read-password", "grafana-store-password"}
PASSWORDS |= {"clickhouse-admin-password", "grafana-admin-password"}


def faults(text: str) -> list[str]:
    """Return where a Compose file is not what the specification's own schema says."""
    package = find_spec("check_jsonschema")  # only its copy of the schema is used
    assert package is not None
    assert package.submodule_search_locations is not None
    place = Path(package.submodule_search_locations[0]) / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(place.read_text("utf-8"))
    return [
        error.message for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(yaml.safe_load(text))
    ]


def named_variables() -> list[str]:
    """Return the variables that the files of ClickHouse's users name."""
    return [
        name
        for path in (COMPOSE.parent / "clickhouse" / "administrator.xml", DEPLOY / "clickhouse" / "users.xml")
        for name in re.findall(r'from_env="(\w+)"', path.read_text("utf-8"))
    ]


def test_it_is_what_the_specification_says() -> None:
    text = COMPOSE.read_text("utf-8")
    assert faults(text) == []
    assert faults(text.replace("read_only:", "readonly:", 1)) != []


@pytest.mark.parametrize("name", SERVICES)
def test_services_have_no_more_rights_than_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service
    if name == "sensor":  # a file capability is a new privilege
        assert service["cap_add"] == ["NET_RAW"]
        assert "security_opt" not in service
    else:
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "network_mode" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_what_runs_is_limited_and_looked_after(name: str) -> None:
    service = SERVICES[name]
    if service["restart"] == "no":
        assert service["healthcheck"] == {"disable": True}
        return
    assert service["restart"] == "unless-stopped"
    assert "mem_limit" in service
    assert name in own_services() or service["healthcheck"]["test"][0] == "CMD"  # our images have theirs


def test_ports_are_those_of_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_services_wait_for_what_they_need() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            once = SERVICES[needed]["restart"] == "no"
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert how == {"condition": wanted}, f"{name} waits for {needed}"
    assert set(SERVICES["sink"]["depends_on"]) == {"topics", "schema"}


def test_volumes_and_secrets_are_declared() -> None:
    read = compose()
    volumes = {
        volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ()) if volume[0] not in "./"
    }
    assert volumes == set(read["volumes"])
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for one in SERVICES.values()
        for secret in one.get("secrets", ())
    }
    assert used == set(read["secrets"])


def test_no_password_is_in_the_environment() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/")
            assert not value.startswith("/run/secrets/") or value.removeprefix("/run/secrets/") in service["secrets"]


def test_grafana_is_given_what_its_data_source_names() -> None:
    grafana = SERVICES["grafana"]
    source = (DEPLOY / "grafana" / "provisioning" / "datasources" / "segwatch.yaml").read_text("utf-8")
    variables = set(re.findall(r": \$\{(\w+)\}", source))
    assert variables
    assert variables <= set(grafana["environment"])
    (secret,) = re.findall(r"^ *password: \$__file\{/run/secrets/([\w-]+)\}", source, re.MULTILINE)
    assert secret in grafana["secrets"]
    form = (DEPLOY / "grafana" / "generate" / "source.py").read_text("utf-8")
    (version,) = re.findall(r'PLUGIN_VERSION: Final = "([\d.]+)"', form)
    assert grafana["environment"]["GF_INSTALL_PLUGINS"] == f"grafana-clickhouse-datasource {version}"
    dashboards = (DEPLOY / "grafana" / "provisioning" / "dashboards" / "segwatch.yaml").read_text("utf-8")
    (path,) = re.findall(r"path: (\S+)", dashboards)
    assert any(volume.startswith("../grafana/dashboards:") and f":{path}:" in volume for volume in grafana["volumes"])


def test_clickhouse_leaves_the_last_of_its_disk_alone() -> None:
    text = (COMPOSE.parent / "clickhouse" / "server.xml").read_text("utf-8")
    (kept,) = re.findall(r"<keep_free_space_bytes>(\d+)</keep_free_space_bytes>", text)
    assert int(kept) >= 1 << 30


def test_secrets_are_made_once_and_lie_in_a_folder_of_their_owner(tmp_path: Path) -> None:
    script = shutil.copy(SECRETS_SCRIPT, tmp_path)
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / "store-read-password").touch(mode=0o600)  # left by one that was interrupted
    subprocess.run([script], check=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    named = {Path(one["file"]).name for one in compose()["secrets"].values()}
    assert {path.name for path in folder.iterdir()} == {*PASSWORDS, "clickhouse.env"}
    assert named < PASSWORDS
    first = {name: (folder / name).read_text("ascii") for name in PASSWORDS}
    assert len(set(first.values())) == len(PASSWORDS)
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in first.values())
    subprocess.run([script], check=True)
    assert {name: (folder / name).read_text("ascii") for name in PASSWORDS} == first
    assert all((folder / name).stat().st_mode & 0o777 == 0o444 for name in PASSWORDS)
    digests = {hashlib.sha256(password.encode()).hexdigest() for password in first.values()}
    known = dict(line.split("=") for line in (folder / "clickhouse.env").read_text("ascii").splitlines())
    assert set(known.values()) < digests
    assert set(known) == set(named_variables())
