"""One action on many instances, over HTTP and from the list (contract: fleet console §5.3)."""

import pytest

from fleet.instances.models import Instance
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances/bulk-action"


def test_each_item_has_its_own_result(api, machine):
    one, two = make_instance(name="one", provider="docker"), make_instance(name="two", status="SUSPENDED")
    hidden = make_instance(name="hidden", team=make_team())
    ids = [two.pk, one.pk, "nobody", hidden.pk, one.pk]
    answer = api("OPERATOR").post(URL, {"instanceIds": ids, "action": "suspend"})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["summary"] == {"total": 4, "succeeded": 1, "failed": 3}
    assert body["action"] == "suspend"
    first, second, third, fourth = body["results"]
    assert (first["id"], first["success"], "cannot be suspended" in first["error"]) == (two.pk, False, True)
    assert second == {"id": one.pk, "name": "one", "success": True, "error": None, "newStatus": "SUSPENDED"}
    for missing in (third, fourth):
        assert (missing["name"], missing["error"], missing["newStatus"]) == (None, "Instance not found", None)
    assert machine.done == [("suspend", "one")]


@pytest.mark.django_db(transaction=True)
def test_machines_are_acted_upon_at_once_and_failures_stay_alone(api, machine):
    import threading

    both = threading.Barrier(2, timeout=4)
    instances = [make_instance(name=f"m-{number}", provider="docker") for number in range(2)]
    machine.during = lambda action: both.wait() and None
    body = api("OPERATOR").post(URL, {"instanceIds": [one.pk for one in instances], "action": "destroy"}).json()
    assert body["summary"]["succeeded"] == 2
    machine.during, machine.fails = (lambda action: None), {"suspend"}
    bad = make_instance(name="bad", provider="docker")
    good = make_instance(name="good")
    body = api("OPERATOR").post(URL, {"instanceIds": [bad.pk, good.pk], "action": "suspend"}).json()
    assert [one["newStatus"] for one in body["results"]] == [None, "SUSPENDED"]
    assert "refuses" in body["results"][0]["error"]


def test_the_role_counts_for_each_instance(api, machine):
    team = make_team()
    mine, free = make_instance(name="mine", team=team), make_instance(name="free")
    client = api("VIEWER", teams={team: "OPERATOR"})
    body = client.post(URL, {"instanceIds": [mine.pk, free.pk], "action": "suspend"}).json()
    assert [one["success"] for one in body["results"]] == [True, False]
    assert "OPERATOR" in body["results"][1]["error"]
    assert api("DEVELOPER").post(URL, {"instanceIds": [free.pk], "action": "suspend"}).status_code == 403
    assert api(None).post(URL, {"instanceIds": [free.pk], "action": "suspend"}).status_code == 401


def test_backup_before_destruction_is_left_to_a_worker(api, machine):
    can, cannot = make_instance(name="can", provider="docker"), make_instance(name="cannot")
    body = {"instanceIds": [can.pk, cannot.pk], "action": "destroy", "options": {"backupVolume": True}}
    results = api("OPERATOR").post(URL, body).json()["results"]
    assert [one["newStatus"] for one in results] == ["DESTROYING", None]
    assert Instance.objects.get(pk=cannot.pk).status == "RUNNING"
    assert machine.done == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"instanceIds": [], "action": "suspend"},
        {"instanceIds": ["x"], "action": "backup"},
        {"instanceIds": ["x"] * 51, "action": "suspend"},
        {"instanceIds": ["x" * 129], "action": "suspend"},
        {"instanceIds": ["x"], "action": "suspend", "options": 5},
    ],
)
def test_bad_bodies(api, body):
    assert api("OPERATOR").post(URL, body).status_code == 422


def test_the_page_names_five_and_does_what_was_agreed(browser, machine):
    instances = [make_instance(name=f"web-{number}", provider="docker") for number in range(7)]
    query = "&".join(f"instance={one.pk}" for one in instances)
    person = browser("OPERATOR")
    page = person.get(f"/instances/bulk/?action=destroy&{query}").content.decode()
    assert "Destroy 7 instances?" in page
    assert "and 2 more" in page
    ids = [one.pk for one in instances]
    wrong = person.post("/instances/bulk/", {"action": "destroy", "instance": ids, "count": 6})
    assert ("Type 7 to go on." in wrong.content.decode(), machine.done) == (True, [])
    done = person.post("/instances/bulk/", {"action": "suspend", "instance": ids[:1]}).content.decode()
    assert "1 of 1 succeeded" in done
    assert machine.done == [("suspend", "web-0")]
    assert person.get("/instances/bulk/?action=reboot").status_code == 404
    assert browser("DEVELOPER").get(f"/instances/bulk/?action=destroy&{query}").status_code == 403
