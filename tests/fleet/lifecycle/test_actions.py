"""Suspend, resume, destroy through drivers (contract: fleet console §5)."""

import pytest

from fleet.instances.models import Instance
from fleet.lifecycle.models import Operation
from security.audit.models import AuditEntry
from security.keys.models import ApiKey
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances"


def actions(client, instance):
    return client.get(f"{URL}/{instance.pk}/lifecycle").json()["availableActions"]


def test_the_machine_is_stopped_started_and_removed(api, machine):
    instance, client = make_instance(provider="docker"), api("OPERATOR")
    assert actions(client, instance) == ["suspend", "destroy", "backup"]
    assert client.post(f"{URL}/{instance.pk}/suspend").json()["status"] == "SUSPENDED"
    assert actions(client, instance) == ["resume", "destroy", "backup"]
    assert client.post(f"{URL}/{instance.pk}/resume").json()["status"] == "RUNNING"
    answer = client.post(f"{URL}/{instance.pk}/destroy")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "message": "Instance destroyed",
        "id": instance.pk,
        "name": "web-1",
        "status": "DESTROYED",
        "backupId": None,
    }
    assert machine.done == [("suspend", "web-1"), ("resume", "web-1"), ("destroy", "web-1")]
    assert actions(client, instance) == []
    last = instance.events.filter(type="DESTROY").get()
    assert last.metadata["infra_torn_down"] is True
    assert last.metadata["final_status"] == "DESTROYED"
    assert sorted(AuditEntry.objects.filter(resource="instance").values_list("action", flat=True)) == [
        "DESTROY",
        "RESUME",
        "SUSPEND",
    ]


@pytest.mark.parametrize(("action", "before"), [("suspend", "RUNNING"), ("resume", "SUSPENDED")])
def test_a_driver_that_fails_leaves_the_state_and_says_why(api, machine, action, before):
    instance = make_instance(provider="docker", status=before)
    machine.fails = {action}
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/{action}")
    assert answer.status_code == 500
    assert f"The machine refuses to {action}" in answer.json()["message"]
    instance.refresh_from_db()
    assert (instance.status, instance.events.count()) == (before, 0)
    assert Operation.objects.get().status == "failed"
    machine.fails = set()
    assert api("OPERATOR").post(f"{URL}/{instance.pk}/{action}").status_code == 200


def test_a_teardown_that_fails_is_an_error_that_can_be_tried_again(api, machine):
    instance, client = make_instance(provider="docker"), api("OPERATOR")
    machine.fails = {"destroy"}
    answer = client.delete(f"{URL}/{instance.pk}", {"backupVolume": False})
    assert (answer.status_code, answer.json()["error"]) == (502, "Teardown Failed")
    instance.refresh_from_db()
    assert instance.status == "ERROR"
    assert instance.events.get().metadata["infra_torn_down"] is False
    Instance.objects.filter(pk=instance.pk).update(status="DESTROYING")
    machine.fails = set()
    assert client.post(f"{URL}/{instance.pk}/destroy", {}).json()["status"] == "DESTROYED"


def test_nothing_is_done_twice_at_the_same_time(api, machine):
    instance, client, answers = make_instance(provider="docker"), api("OPERATOR"), []

    def meanwhile(action):
        machine.during = lambda action: None
        answers.extend(client.post(f"{URL}/{instance.pk}/{other}") for other in ("suspend", "destroy", "backup"))
        answers.append(client.delete(f"{URL}/{instance.pk}"))

    machine.during = meanwhile
    assert client.post(f"{URL}/{instance.pk}/suspend").status_code == 200
    assert [answer.status_code for answer in answers] == [409, 409, 409, 409]
    assert "it is being suspended already" in answers[0].json()["message"]
    assert machine.done == [("suspend", "web-1")]


def test_what_the_state_was_meanwhile_counts(api, machine):
    instance = make_instance(provider="docker")
    machine.during = lambda action: Instance.objects.filter(pk=instance.pk).update(status="ERROR")
    answer = api("OPERATOR").post(f"{URL}/{instance.pk}/suspend")
    assert (answer.status_code, "changed meanwhile" in answer.json()["message"]) == (500, True)
    instance.refresh_from_db()
    assert instance.status == "ERROR"


def test_what_a_driver_cannot_do_is_not_offered_and_refused(api, machine):
    instance, client = make_instance(provider="docker"), api("OPERATOR")
    machine.can = {"suspend"}
    assert actions(client, instance) == ["suspend"]
    refused = client.post(f"{URL}/{instance.pk}/destroy")
    assert (refused.status_code, refused.json()["error"]) == (503, "Service Unavailable")
    assert "Nothing was changed" in refused.json()["message"]
    instance.refresh_from_db()
    assert (instance.status, Operation.objects.count()) == ("RUNNING", 0)


def test_without_a_driver_only_the_record_changes(api, instance):
    client = api("OPERATOR")
    assert actions(client, instance) == ["suspend", "destroy"]
    refused = client.post(f"{URL}/{instance.pk}/destroy", {"backupVolume": True})
    assert (refused.status_code, "backed up" in refused.json()["message"]) == (503, True)
    assert client.post(f"{URL}/{instance.pk}/backup").status_code == 503
    instance.refresh_from_db()
    assert (instance.status, instance.events.count()) == ("RUNNING", 0)
    assert client.post(f"{URL}/{instance.pk}/destroy").json()["status"] == "DESTROYED"
    assert instance.events.get().metadata["infra_torn_down"] is False


def test_keys_of_a_destroyed_instance_end(api, instance):
    from fleet.instances.services import new_agent_key

    key, _ = new_agent_key(instance=instance)
    assert api("OPERATOR").post(f"{URL}/{instance.pk}/destroy").status_code == 200
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


def test_states_that_forbid(api, machine):
    client = api("OPERATOR")
    for status, action, text in (
        ("SUSPENDED", "suspend", "cannot be suspended while it is SUSPENDED"),
        ("RUNNING", "resume", "cannot be resumed"),
        ("DEPLOYING", "destroy", "cannot be destroyed"),
        ("STOPPED", "backup", "cannot be backed up"),
        ("DESTROYED", "destroy", "cannot be destroyed"),
    ):
        instance = make_instance(name=f"x-{status.lower()}-{action}", provider="docker", status=status)
        answer = client.post(f"{URL}/{instance.pk}/{action}")
        assert (answer.status_code, text in answer.json()["message"]) == (409, True), answer.content
    assert machine.done == []


def test_roles_and_teams(api, machine):
    team = make_team()
    instance = make_instance(provider="docker", team=team)
    for action in ("suspend", "resume", "destroy", "backup", "clone", "redeploy"):
        assert api("OPERATOR").post(f"{URL}/{instance.pk}/{action}", {}).status_code == 404, action
        developer = api("VIEWER", teams={team: "DEVELOPER"})
        assert developer.post(f"{URL}/{instance.pk}/{action}", {}).status_code == 403, action
    for part in ("lifecycle", "config", "backups"):
        assert api("OPERATOR").get(f"{URL}/{instance.pk}/{part}").status_code == 404, part
        assert api("VIEWER", teams={team: "VIEWER"}).get(f"{URL}/{instance.pk}/{part}").status_code == 200, part
    assert machine.done == []


def test_bad_bodies(api, machine):
    instance, client = make_instance(provider="docker"), api("OPERATOR")
    for action, body in (
        ("destroy", {"backupVolume": "perhaps"}),
        ("destroy", {"backupLabel": "x" * 129}),
        ("destroy", [1]),
        ("backup", {"compression": "rar"}),
        ("backup", {"label": 5.5, "compression": None}),
    ):
        assert client.post(f"{URL}/{instance.pk}/{action}", body).status_code == 422, body
    instance.refresh_from_db()
    assert (instance.status, machine.done) == ("RUNNING", [])


def test_patch_moves_the_machine_too(api, machine):
    instance = make_instance(provider="docker")
    machine.fails = {"suspend"}
    body = {"status": "SUSPENDED", "tags": {"a": "b"}}
    assert api("OPERATOR").patch(f"{URL}/{instance.pk}", body).status_code == 500
    instance.refresh_from_db()
    assert (instance.status, instance.tags) == ("RUNNING", {})
    machine.fails = set()
    answer = api("OPERATOR").patch(f"{URL}/{instance.pk}", body).json()
    assert (answer["status"], answer["tags"], machine.done) == ("SUSPENDED", {"a": "b"}, [("suspend", "web-1")])


def test_configuration_is_yaml(api):
    import yaml

    instance = make_instance(provider="fly", region="fra", distro="ubuntu", extensions=["docker"])
    body = api("VIEWER").get(f"{URL}/{instance.pk}/config").json()
    assert body["config"].startswith("#")
    assert yaml.safe_load(body["config"]) == {
        "version": "3.0",
        "name": "web-1",
        "deployment": {"provider": "fly", "distro": "ubuntu"},
        "extensions": {"active": ["docker"], "auto_install": True},
        "providers": {"fly": {"region": "fra"}},
    }
