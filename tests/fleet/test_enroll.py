"""Enrolling a machine, its key, and leaving again."""

import pytest

from config.api.errors import Conflict, Invalid, Unauthorized
from fleet.instances import services
from fleet.instances.models import Instance, Status
from security.audit.models import AuditEntry
from security.keys.services import authenticate_key
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = pytest.mark.django_db


def test_enrolled_instance_waits_and_its_key_opens_nothing_else(api):
    team = make_team()
    instance, raw = services.enroll(name="web-9", labels={"role": "web"}, team=team)
    assert instance.awaiting_first_contact
    assert (instance.status, instance.tags, instance.team) == (Status.UNKNOWN, {"role": "web"}, team)
    other = make_instance()
    client = api(role=None)
    headers = {"Authorization": f"Bearer {raw}"}
    assert client.get(f"/api/v1/instances/{instance.pk}", headers=headers).status_code == 200
    assert client.get(f"/api/v1/instances/{other.pk}", headers=headers).status_code == 404
    assert client.get("/api/v1/instances", headers=headers).json()["total"] == 1
    assert raw not in str(list(AuditEntry.objects.values_list("metadata", flat=True)))


def test_agents_registration_meets_the_enrolled_record(api):
    instance, raw = services.enroll(name="web-9")
    body = {"instance_id": "its-hostname", "hostname": "its-hostname", "provider": "ssh", "os": "linux"}
    answer = api(role=None).post("/api/v1/instances", body, headers={"Authorization": f"Bearer {raw}"})
    assert answer.status_code == 201
    assert (answer.json()["id"], answer.json()["name"], answer.json()["status"]) == (instance.pk, "web-9", "RUNNING")
    instance.refresh_from_db()
    assert (instance.external_id, instance.os, instance.online) == ("its-hostname", "linux", True)


def test_taken_and_impossible_names():
    make_instance()
    with pytest.raises(Conflict):
        services.enroll(name="web-1")
    for name in ("", "x" * 129, "a\x00b"):
        with pytest.raises(Invalid):
            services.enroll(name=name)
    assert Instance.objects.count() == 1


def test_who_never_came_is_removed_and_its_key_ends(api):
    instance, raw = services.enroll(name="web-9")
    answer = api("OPERATOR").delete(f"/api/v1/instances/{instance.pk}")
    assert (answer.status_code, answer.json()["status"]) == (200, "DESTROYED")
    with pytest.raises(Unauthorized):
        authenticate_key(raw)
    assert services.enroll(name="web-9")[0].pk != instance.pk


def test_another_key_for_the_same_instance():
    instance, first = services.enroll(name="web-9")
    _, second = services.new_agent_key(instance=instance)
    assert {authenticate_key(raw).instance_id for raw in (first, second)} == {instance.pk}
