"""The manifests for Kubernetes: what its API takes, what Kustomize makes of them, and what keeps them safe."""

import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.files import BASE, OVERLAY, Document, Pod, documents, kustomization, pods
from tests.support import REPOSITORY

KUBERNETES = "1.31"
"""Version of the API's schemas."""
BASE_PODS = pods(documents())
RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def validate(manifests: list[Document]) -> None:
    """Compare manifests with the API's own schemas, which know every field."""
    for document in manifests:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def built(folder: Path) -> list[Document]:
    """Return what Kustomize makes of a folder."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """Give what the example makes of the base."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    copy = tmp_path_factory.mktemp("deploy") / "kubernetes"
    shutil.copytree(REPOSITORY / "deploy" / "kubernetes", copy)
    folder = copy / OVERLAY.relative_to(BASE.parent)
    for name in ("store-migrate-password", "store-write-password"):
        (folder / name).write_text("secret", "utf-8")
    return built(folder)


def test_the_base_is_what_the_api_takes() -> None:
    assert len(documents()) > 10
    validate(documents())


def test_the_schemas_notice_a_field_that_there_is_not() -> None:
    wrong = next(one for one in documents() if one["kind"] == "Deployment")
    wrong["spec"]["template"]["spec"]["containers"][0]["readOnly"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        validate([wrong])


def test_every_manifest_is_in_the_kustomization() -> None:
    assert set(kustomization(BASE)["resources"]) == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}


def test_kustomize_makes_manifests_that_the_api_takes(overlay: list[Document]) -> None:
    validate(overlay)
    kinds = [one["kind"] for one in overlay]
    assert (kinds.count("ConfigMap"), kinds.count("Secret"), kinds.count("Job")) == (4, 2, 2)


def test_the_example_names_what_it_generates(overlay: list[Document]) -> None:
    """Names get a digest of the content: pods must refer to these, in their own namespace."""
    there = {
        (one["kind"], one["metadata"]["namespace"], one["metadata"]["name"])
        for one in overlay
        if "namespace" in one["metadata"]
    }
    for pod in pods(overlay):
        for container in pod.spec["containers"]:
            for source in container["envFrom"]:
                assert ("ConfigMap", pod.namespace, source["configMapRef"]["name"]) in there
        for volume in pod.spec["volumes"]:
            if "secret" in volume:
                assert ("Secret", pod.namespace, volume["secret"]["secretName"]) in there
        assert ("ServiceAccount", pod.namespace, pod.spec["serviceAccountName"]) in there


def test_the_example_changes_what_it_says(overlay: list[Document]) -> None:
    found = {pod.name: pod for pod in pods(overlay)}
    assert all(pod.spec["containers"][0]["image"].startswith("registry.example/segwatch") for pod in found.values())
    assert found["segwatch-sensor"].spec["volumes"][0]["hostPath"]["path"] == "/var/lib/segwatch"
    brokers = [one["data"].get("SEGWATCH_KAFKA") for one in overlay if one["kind"] == "ConfigMap"]
    assert sorted(one.count(",") for one in brokers if one) == [2, 2]
    (processor,) = [
        one for one in overlay if one["kind"] == "Deployment" and one["metadata"]["name"].endswith("processor")
    ]
    assert processor["spec"]["replicas"] == 4


@pytest.mark.parametrize("pod", BASE_PODS, ids=lambda pod: pod.name)
def test_pods_have_no_more_rights_than_they_need(pod: Pod) -> None:
    spec = pod.spec
    assert spec["automountServiceAccountToken"] is False
    context = spec["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["seccompProfile"]["type"]) == (
        True,
        10001,
        "RuntimeDefault",
    )
    for container in spec["containers"]:
        own = container["securityContext"]
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"]["drop"] == ["ALL"]
        if pod.kind == "DaemonSet":  # a file capability is a new privilege, and there is no other to be had
            assert own["capabilities"]["add"] == ["NET_RAW"]
        else:
            assert own["allowPrivilegeEscalation"] is False
            assert "add" not in own["capabilities"]


@pytest.mark.parametrize("pod", [pod for pod in BASE_PODS if pod.kind != "DaemonSet"], ids=lambda pod: pod.name)
def test_all_but_sensors_keep_to_the_restricted_standard(pod: Pod) -> None:
    """As their namespace demands it (Pod Security Standards)."""
    assert pod.namespace == "segwatch"
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec)
    assert all(set(volume) - {"name"} <= RESTRICTED_VOLUMES for volume in pod.spec["volumes"])
    assert all("hostPort" not in port for one in pod.spec["containers"] for port in one.get("ports", ()))


@pytest.mark.parametrize("pod", BASE_PODS, ids=lambda pod: pod.name)
def test_pods_have_requests_limits_and_room_to_write(pod: Pod) -> None:
    for container in pod.spec["containers"]:
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]) & set(resources["limits"])
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert {"/tmp", "/var/cache/segwatch"} <= set(mounts)  # noqa: S108  # of the container
        assert set(mounts.values()) == {volume["name"] for volume in pod.spec["volumes"]}


@pytest.mark.parametrize("pod", [pod for pod in BASE_PODS if pod.kind != "Job"], ids=lambda pod: pod.name)
def test_what_runs_on_is_probed(pod: Pod) -> None:
    for container in pod.spec["containers"]:
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            assert container[probe]["httpGet"]["port"] == "metrics"
            assert ("host" in container[probe]["httpGet"]) == ("hostNetwork" in pod.spec)
        alive = container["livenessProbe"]["httpGet"]["path"]
        # Where the reason is elsewhere, another start would not help.
        assert alive == ("/health" if pod.name == "segwatch-processor" else "/metrics")


def test_deployments_have_budgets_and_selectors_match() -> None:
    manifests = documents()
    budgets = {
        one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        for one in manifests
        if one["kind"] == "PodDisruptionBudget"
    }
    running = [one for one in manifests if one["kind"] in {"Deployment", "DaemonSet"}]
    for one in running:
        wanted = one["spec"]["selector"]["matchLabels"]
        assert wanted.items() <= one["spec"]["template"]["metadata"]["labels"].items()
    assert budgets == {one["metadata"]["name"] for one in running if one["kind"] == "Deployment"}


def test_policies_select_pods_that_there_are() -> None:
    manifests = documents()
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in manifests if "template" in one.get("spec", {})]
    policies = [one for one in manifests if one["kind"] == "NetworkPolicy"]
    assert policies[0]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in policies:
        wanted = policy["spec"]["podSelector"].get("matchLabels", {}).items()
        assert any(wanted <= one.items() for one in labels)
