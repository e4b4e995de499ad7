"""POST /api/v1/instances (contract: fleet console §4)."""

import threading

import pytest
from django.db import connection

from fleet.instances.models import Event, Instance, Status
from security.audit.models import AuditEntry
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances"
AGENT = {"instance_id": "host-7", "provider": "ssh", "region": "", "agent_version": "1.1.0", "os": "linux"}


def test_new_instance_has_the_whole_shape(api):
    body = {
        "name": "web-1",
        "provider": "fly",
        "region": "fra",
        "distro": "ubuntu",
        "extensions": ["docker"],
        "configHash": "a" * 64,
        "sshEndpoint": "web-1.example.org:22",
        "tags": {"role": "web"},
    }
    answer = api("VIEWER").post(URL, body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    assert made["status"] == "RUNNING"
    assert len(made["id"]) == 25
    assert made["online"] is False
    assert made["lastSeenAt"] is made["lastHeartbeat"] is made["teamId"] is made["agentVersion"] is None
    assert made["createdAt"].endswith("Z")
    event = Event.objects.get(instance_id=made["id"])
    assert (event.type, event.metadata) == ("DEPLOY", {"triggered_by": "api", "provider": "fly"})
    entry = AuditEntry.objects.get(resource="instance")
    assert (entry.action, entry.resource_id) == ("CREATE", made["id"])


def test_same_name_refreshes_and_keeps_what_is_not_sent(api):
    client = api("VIEWER")
    first = client.post(URL, {"name": "web-1", "provider": "fly", "region": "fra", "tags": {"a": "b"}}).json()
    answer = client.post(URL, {"name": "web-1", "provider": "aws"})
    assert answer.status_code == 201
    assert answer.json()["id"] == first["id"]
    assert (answer.json()["provider"], answer.json()["region"]) == ("aws", "fra")
    assert answer.json()["tags"] == {"a": "b"}
    assert Event.objects.filter(instance_id=first["id"], type="DEPLOY").count() == 2


@pytest.mark.parametrize("status", ["ERROR", "DESTROYED"])
def test_name_of_an_inactive_record_is_free(api, status):
    old = make_instance(status=status)
    new = api().post(URL, {"name": "web-1", "provider": "ssh"}).json()
    assert new["id"] != old.pk
    assert Instance.objects.filter(name="web-1").count() == 2


def test_agent_registration_is_found_again_by_what_it_calls_itself(api):
    client = api("OPERATOR")
    first = client.post(URL, AGENT | {"hostname": "alpha"}, headers={"X-Agent-Version": "1.1.0"}).json()
    assert (first["name"], first["region"], first["agentVersion"], first["online"]) == ("alpha", None, "1.1.0", True)
    Instance.objects.filter(pk=first["id"]).update(status=Status.ERROR)
    again = client.post(URL, AGENT).json()
    assert (again["id"], again["name"], again["status"]) == (first["id"], "alpha", "RUNNING")
    assert Instance.objects.get().external_id == "host-7"


def test_agent_that_gives_our_id_keeps_the_name(api, instance):
    answer = api("OPERATOR").post(URL, AGENT | {"instance_id": instance.pk, "provider": "k8s"})
    assert (answer.json()["id"], answer.json()["name"]) == (instance.pk, "web-1")
    assert answer.json()["provider"] == "kubernetes"


def test_without_hostname_the_agent_names_the_instance(api):
    assert api("OPERATOR").post(URL, AGENT).json()["name"] == "host-7"


def test_agent_does_not_wake_a_suspended_instance_but_an_operator_does(api):
    instance = make_instance(status=Status.SUSPENDED, external_id="host-7")
    assert api("OPERATOR").post(URL, AGENT).json()["status"] == "SUSPENDED"
    body = {"name": instance.name, "provider": "ssh"}
    assert api("VIEWER").post(URL, body).json()["status"] == "SUSPENDED"
    assert api("OPERATOR").post(URL, body).json()["status"] == "RUNNING"


def test_name_of_another_teams_instance_is_a_conflict(api):
    hidden = make_instance(team=make_team())
    answer = api("OPERATOR").post(URL, {"name": "web-1", "provider": "aws"})
    assert answer.status_code == 409
    assert answer.json()["error"] == "Conflict"
    hidden.refresh_from_db()
    assert hidden.provider == "ssh"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Web_1"}, "name"),
        ({"name": "-web"}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": 7.5}, "name"),
        ({"provider": "mars"}, "provider"),
        ({"region": "r" * 65}, "region"),
        ({"distro": "arch"}, "distro"),
        ({"extensions": ["x"] * 201}, "extensions"),
        ({"extensions": "docker"}, "extensions"),
        ({"configHash": "A" * 64}, "configHash"),
        ({"sshEndpoint": "e" * 257}, "sshEndpoint"),
        ({"tags": {"a": {"b": 1}}}, "tags.a"),
        ({"tags": {"a\x00": "b"}}, "tags"),
        ({"tags": {"a": "b\x00"}}, "tags.a"),
        ({"geo": {"lat": 91, "lon": 0}}, "geo.lat"),
    ],
)
def test_bad_registration_names_the_field_and_stores_nothing(api, change, field):
    answer = api().post(URL, {"name": "web-1", "provider": "ssh"} | change)
    assert answer.status_code == 422, answer.content
    assert answer.json()["error"] == "Validation Error"
    assert field in answer.json()["details"]["fieldErrors"]
    assert not Instance.objects.exists()


def test_bad_agent_registration_is_judged_as_one(api):
    answer = api().post(URL, AGENT | {"provider": "mars"})
    assert answer.status_code == 422
    assert list(answer.json()["details"]["fieldErrors"]) == ["provider"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000])
def test_unreadable_body_is_refused(api, body):
    answer = api().post(URL, body)
    assert answer.status_code in (400, 422)
    assert not Instance.objects.exists()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"provider": "fly", "region": "fra"}, (50.11, 8.68, "Frankfurt", "region_registry")),
        (
            {"provider": "fly", "region": "fra", "geo": {"lat": 1, "lon": 2}},
            (50.11, 8.68, "Frankfurt", "region_registry"),
        ),
        ({"geo": {"lat": 1.5, "lon": 2.5, "city": "Somewhere"}}, (1.5, 2.5, "Somewhere", "cloud_metadata")),
        ({"tags": {"geo_lat": "3", "geo_lon": "4", "geo_label": "Desk"}}, (3.0, 4.0, "Desk", "user_tags")),
        ({"tags": {"geo_lat": "300", "geo_lon": "nan"}}, (None, None, None, None)),
        ({"region": "local"}, (None, None, None, None)),
        ({"geo": {"lat": 1.5}}, (None, None, None, None)),
    ],
)
def test_place_is_what_is_known_and_nothing_else(api, body, place):
    answer = api().post(URL, {"name": "web-1", "provider": "ssh"} | body)
    assert answer.json()["region"] == body.get("region")
    instance = Instance.objects.get()
    assert (instance.geo_lat, instance.geo_lon, instance.geo_label, instance.geo_source) == place


def test_registration_has_no_limit_by_count(api, settings):
    settings.RATE_WRITES = 1
    client = api()
    assert [client.post(URL, {"name": f"web-{n}", "provider": "ssh"}).status_code for n in range(4)] == [201] * 4


@pytest.mark.django_db(transaction=True)
def test_two_registrations_at_once_make_one_record(api):
    client, codes = api("OPERATOR"), []
    start = threading.Barrier(4)

    def register():
        start.wait(30)
        codes.append(client.post(URL, {"name": "web-1", "provider": "ssh"}).status_code)
        connection.close()

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == [201] * 4
    assert Instance.objects.count() == 1
