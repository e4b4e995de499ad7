"""Clone, redeploy and what came of it (contract: fleet console §5.3, §13, §32.4)."""

import hashlib
import stat
from datetime import timedelta

import pytest
import yaml
from asgiref.sync import sync_to_async
from django.utils import timezone

from alerts.evaluation.deployments import outcome
from fleet.deployments import tasks
from fleet.deployments.models import Deployment
from fleet.instances.models import Instance
from security.audit.models import AuditEntry
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances"
CLONED = [
    "id",
    "name",
    "provider",
    "region",
    "extensions",
    "configHash",
    "status",
    "clonedFrom",
    "createdAt",
    "updatedAt",
]


@pytest.fixture
def program(settings, tmp_path):
    """A program in the place of `sindri` that writes down what it was given, and fails on demand."""
    file = tmp_path / "sindri"
    file.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/words\nfor last; do :; done\ncp "$last" {tmp_path}/given\n'
        f"[ ! -e {tmp_path}/broken ] || {{ echo 'no place left. token=abc' >&2; exit 3; }}\n"
    )
    file.chmod(stat.S_IRWXU)
    settings.SINDRI_CLI, settings.PROVIDER_DRIVERS = str(file), {"fly": "sindri-cli", "docker": "docker"}
    return tmp_path


@pytest.fixture
def after(eager_tasks, django_capture_on_commit_callbacks):
    """`with after():` lets the workers do what was asked for within."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_a_clone_is_deployed(api, program, after):
    source, client = make_instance(provider="fly", region="fra", extensions=["docker"]), api("OPERATOR")
    with after():
        answer = client.post(f"{URL}/{source.pk}/clone", {"name": "web-2", "region": "ams"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert list(body) == CLONED
    assert (body["status"], body["clonedFrom"], body["region"]) == ("DEPLOYING", source.pk, "ams")
    clone = Instance.objects.get(pk=body["id"])
    assert (clone.status, clone.extensions, clone.events.get().metadata["status"]) == (
        "RUNNING",
        ["docker"],
        "SUCCEEDED",
    )
    deployed = Deployment.objects.get(instance=clone)
    told = yaml.safe_load((program / "given").read_text())
    assert (told["name"], told["providers"]["fly"]["region"]) == ("web-2", "ams")
    assert deployed.config_hash == body["configHash"] == hashlib.sha256((program / "given").read_bytes()).hexdigest()
    assert client.get(f"{URL}/{clone.pk}/config").json()["config"] == deployed.yaml_content
    assert client.post(f"{URL}/{source.pk}/clone", {"name": "web-2"}).status_code == 409
    assert client.post(f"{URL}/{source.pk}/clone", {"name": "Web"}).status_code == 422


def test_a_redeployment_and_how_it_is_read(api, program, after):
    instance, client = make_instance(provider="fly"), api("OPERATOR")
    config = "name: web-1\nenv:\n  MODE: quick\n"
    with after():
        answer = client.post(f"{URL}/{instance.pk}/redeploy", {"config": config, "force": True})
    assert answer.status_code == 200, answer.content
    assert list(answer.json()) == ["id", "name", "status", "deploymentId", "message", "updatedAt"]
    assert answer.json()["status"] == "DEPLOYING"
    assert "deploy --force --config" in (program / "words").read_text()
    path = f"/api/v1/deployments/{answer.json()['deploymentId']}"
    told = client.get(path).json()
    inner = told.pop("deployment")
    assert told == inner
    assert (told["status"], told["yaml_content"], told["error"]) == ("SUCCEEDED", config, None)
    listed = client.get("/api/v1/deployments", {"instanceId": instance.pk, "status": "SUCCEEDED"}).json()
    assert listed["deployments"] == [inner]
    assert client.get("/api/v1/deployments", {"status": "DONE"}).status_code == 422
    day = api("VIEWER").get("/api/v1/fleet/deployments").json()
    assert (day["activity"][-1]["deployments"], day["total_24h"], day["success_rate"]) == (1, 1, 1)


def test_a_failure_is_told(api, program, after):
    (program / "broken").touch()
    instance = make_instance(provider="fly")
    with after():
        pk = api("OPERATOR").post(f"{URL}/{instance.pk}/redeploy").json()["deploymentId"]
    instance.refresh_from_db()
    assert instance.status == "ERROR"
    event = instance.events.get()
    assert event.type == "REDEPLOY" and outcome(event.metadata) is True
    full = api("ADMIN").get(f"/api/v1/deployments/{pk}").json()
    assert (full["status"], "token=abc" in full["error"]) == ("FAILED", True)
    assert "token" not in api("VIEWER").get(f"/api/v1/deployments/{pk}").json()["error"]
    day = api("VIEWER").get("/api/v1/fleet/deployments").json()
    assert (day["activity"][-1]["failures"], day["success_rate"]) == (1, 0)


def test_where_nobody_can_deploy_nothing_is_pretended(api, program, after):
    """Without a driver a machine stays as it is; a driver that cannot deploy says so at once."""
    own, client = make_instance(provider="ssh"), api("OPERATOR")
    with after():
        assert client.post(f"{URL}/{own.pk}/redeploy").status_code == 200
        clone = client.post(f"{URL}/{own.pk}/clone", {"name": "web-2"}).json()["id"]
    own.refresh_from_db()
    assert (own.status, Instance.objects.get(pk=clone).status) == ("RUNNING", "ERROR")
    ended = Deployment.objects.values_list("status", "error")
    assert all(status == "FAILED" and "Nothing was changed" in error for status, error in ended)
    container = make_instance(name="box", provider="docker")
    refused = client.post(f"{URL}/{container.pk}/redeploy")
    assert (refused.status_code, "Nothing was changed" in refused.json()["message"]) == (503, True)
    assert client.post(f"{URL}/{container.pk}/clone", {"name": "box-2"}).status_code == 503
    container.refresh_from_db()
    assert (container.status, Instance.objects.filter(name="box-2").exists()) == ("RUNNING", False)


@pytest.mark.parametrize(
    ("config", "reserved"),
    [
        ("- a", None), ("a: [", None), ("env: {SINDRI_X: 1, MODE: a}", ["SINDRI_X"]),
        ("secrets: [{name: jwt_secret}, DATABASE_URL]", ["DATABASE_URL", "jwt_secret"]),
    ],
)  # fmt: skip
def test_configurations_that_cannot_be(api, program, config, reserved):
    instance = make_instance(provider="fly")
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/redeploy", {"config": config})
    assert answer.status_code == 422, answer.content
    assert answer.json()["details"].get("reservedKeys") == reserved
    tried = AuditEntry.objects.filter(metadata__event="reserved_key_violation_yaml")
    assert tried.count() == (1 if reserved else 0)
    instance.refresh_from_db()
    assert (instance.status, Deployment.objects.count()) == ("RUNNING", 0)


def test_on_the_way_only_with_force(api, program, after):
    instance, client = make_instance(provider="fly"), api("OPERATOR")
    first = client.post(f"{URL}/{instance.pk}/redeploy").json()["deploymentId"]
    refused = client.post(f"{URL}/{instance.pk}/redeploy")
    assert (refused.status_code, "is currently in DEPLOYING" in refused.json()["message"]) == (409, True)
    with after():
        assert client.post(f"{URL}/{instance.pk}/redeploy", {"force": True}).status_code == 200
    tasks.carry_out(first)  # its message comes late
    assert sorted(Deployment.objects.values_list("status", flat=True)) == ["CANCELLED", "SUCCEEDED"]
    instance.refresh_from_db()
    assert instance.status == "RUNNING"


def test_a_dead_worker_leaves_the_truth(api, program):
    instance = make_instance(provider="fly")
    pk = api("OPERATOR").post(f"{URL}/{instance.pk}/redeploy").json()["deploymentId"]
    gone = timezone.now() - timedelta(seconds=1)
    Deployment.objects.filter(pk=pk).update(status="IN_PROGRESS", lease_until=gone)
    tasks.tend()
    assert "not known" in api("ADMIN").get(f"/api/v1/deployments/{pk}").json()["error"]
    instance.refresh_from_db()
    assert instance.status == "ERROR"


def test_other_teams_see_nothing(api, program):
    team = make_team()
    instance = make_instance(provider="fly", team=team)
    pk = api("OPERATOR", teams={team: "OPERATOR"}).post(f"{URL}/{instance.pk}/redeploy").json()["deploymentId"]
    outsider = api("OPERATOR")
    assert outsider.get(f"/api/v1/deployments/{pk}").status_code == 404
    assert outsider.get("/api/v1/deployments").json()["deployments"] == []
    assert outsider.post(f"{URL}/{instance.pk}/redeploy").status_code == 404
    assert api("VIEWER").post(f"{URL}/{instance.pk}/redeploy").status_code in (403, 404)


@pytest.mark.django_db(transaction=True)
async def test_the_socket_tells_each_step(connect, api, program):
    viewer = (await sync_to_async(api)("VIEWER")).raw_key
    instance = await sync_to_async(make_instance)(provider="fly")
    deployment = await sync_to_async(Deployment.objects.create)(
        instance=instance, event="DEPLOY", yaml_content="name: web-1", config_hash="0" * 64, provider="fly"
    )
    await sync_to_async(Instance.objects.filter(pk=instance.pk).update)(status="DEPLOYING")
    async with connect(f"/ws/deployments/{deployment.pk}", viewer) as page:
        await sync_to_async(tasks.carry_out)(deployment.pk)
        heard = [await page.heard() for _ in range(5)]
    assert [one["progress_percent"] for one in heard] == [10, 20, 40, 85, 100]
    assert heard[-1] == {
        "type": "complete", "deployment_id": deployment.pk, "message": "Deployed", "status": "SUCCEEDED",
        "progress_percent": 100, "instance_id": instance.pk,
    }  # fmt: skip
    async with connect(f"/ws/deployments/{deployment.pk}", viewer) as page:
        assert (await page.heard())["type"] == "complete"
