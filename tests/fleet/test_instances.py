"""Reading, changing and leaving: /api/v1/instances/... (contract: fleet console §4, §5, §7)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from fleet.instances.models import Event, Instance, Inventory, Status
from security.audit.models import AuditEntry
from tests.factories import make_team
from tests.fleet.conftest import make_instance

pytestmark = [pytest.mark.django_db, pytest.mark.contract]
URL = "/api/v1/instances"
SAMPLE = {"cpu_pct": 12.5, "mem_used": 4, "mem_total": 8, "disk_used": 2**60, "disk_total": 2**61}


def names(answer):
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["instances"]]


def test_list_is_paged_newest_first(api):
    for number in range(3):
        make_instance(name=f"web-{number}")
    body = api("VIEWER").get(f"{URL}?limit=2").json()
    assert [row["name"] for row in body["instances"]] == ["web-2", "web-1"]
    assert body["data"] == body["instances"]
    assert body["pagination"] == {"page": 1, "limit": 2, "pageSize": 2, "total": 3, "totalPages": 2}
    assert names(api("VIEWER").get(f"{URL}?limit=2&page=2")) == ["web-0"]
    assert names(api("VIEWER").get(f"{URL}?page=9")) == []
    assert api("VIEWER").get(f"{URL}?limit=101").status_code == 422


def test_filters_and_search(api):
    make_instance(name="alpha", provider="fly", region="fra", distro="ubuntu", extensions=["docker-engine"])
    make_instance(name="beta", provider="aws", region="eu-west-1", status="STOPPED", ssh_endpoint="host.example.org")
    client = api("VIEWER")
    for query, found in {
        "provider=fly": ["alpha"],
        "status=STOPPED": ["beta"],
        "region=fra": ["alpha"],
        "distro=ubuntu": ["alpha"],
        "search=ALPH": ["alpha"],
        "search=EXAMPLE": ["beta"],
        "search=west": ["beta"],
        "search=Docker-E": ["alpha"],
        "search=%22": [],
        "search=%5B": [],
        "search=nothing": [],
        "provider=fly&status=STOPPED": [],
    }.items():
        assert names(client.get(f"{URL}?{query}")) == found, query
    for wrong in ("provider=mars", "status=running", "page=0", "search=%00"):
        assert client.get(f"{URL}?{wrong}").status_code == 422, wrong


def test_last_heartbeat_is_in_detail_and_list(api):
    seen = timezone.now()
    instance = make_instance(last_seen_at=seen, uptime_s=60, last_sample=SAMPLE)
    detail = api("VIEWER").get(f"{URL}/{instance.pk}").json()
    assert detail["online"] is True
    beat = detail["lastHeartbeat"]
    assert beat["cpuPercent"] == 12.5
    assert (beat["memoryUsedBytes"], beat["diskUsedBytes"], beat["uptimeSeconds"]) == ("4", str(2**60), "60")
    assert beat["timestamp"] == detail["lastSeenAt"]
    assert api("VIEWER").get(URL).json()["instances"][0]["lastHeartbeat"] == beat


def test_unknown_figures_are_null(api):
    instance = make_instance(last_seen_at=timezone.now() - timedelta(hours=1))
    detail = api("VIEWER").get(f"{URL}/{instance.pk}/").json()
    assert detail["online"] is False
    assert detail["lastHeartbeat"]["cpuPercent"] is detail["lastHeartbeat"]["uptimeSeconds"] is None


def test_other_teams_instances_are_missing_everywhere(api):
    team = make_team()
    instance = make_instance(team=team)
    stranger, member, admin = api("OPERATOR"), api("VIEWER", teams={team: "VIEWER"}), api("ADMIN")
    panels = ("", "/lifecycle", "/events", "/processes", "/extensions")
    for panel in panels:
        path = f"{URL}/{instance.pk}{panel}"
        assert [client.get(path).status_code for client in (stranger, member, admin)] == [404, 200, 200], panel
    for verb, path in (("post", "/suspend"), ("post", "/resume"), ("delete", ""), ("patch", "")):
        assert getattr(stranger, verb)(f"{URL}/{instance.pk}{path}", {}).status_code == 404
    assert names(stranger.get(URL)) == []
    assert names(member.get(URL)) == ["web-1"]


def test_impossible_ids(api):
    client = api()
    missing = client.get(f"{URL}/c123")
    assert (missing.status_code, missing.json()["message"]) == (404, "Instance 'c123' not found")
    too_long = client.get(f"{URL}/{'x' * 129}")
    assert (too_long.status_code, too_long.json()["message"]) == (400, "Invalid instance ID")
    assert client.get(f"{URL}/a%00b").status_code == 400


def test_suspend_and_resume(api, instance):
    client = api("OPERATOR")
    answer = client.post(f"{URL}/{instance.pk}/suspend")
    assert answer.status_code == 200
    assert {key: answer.json()[key] for key in ("id", "name", "status")} == {
        "id": instance.pk,
        "name": "web-1",
        "status": "SUSPENDED",
    }
    refused = client.post(f"{URL}/{instance.pk}/suspend")
    assert refused.status_code == 409
    assert "cannot be suspended" in refused.json()["message"]
    assert client.get(f"{URL}/{instance.pk}/lifecycle").json() == {
        "instanceId": instance.pk,
        "status": "SUSPENDED",
        "availableActions": ["resume", "destroy"],
    }
    assert client.post(f"{URL}/{instance.pk}/resume").json()["status"] == "RUNNING"
    refused = client.post(f"{URL}/{instance.pk}/resume")
    assert (refused.status_code, "cannot be resumed" in refused.json()["message"]) == (409, True)
    types = list(instance.events.order_by("timestamp").values_list("type", flat=True))
    assert types == ["SUSPEND", "RESUME"]
    actions = AuditEntry.objects.filter(resource="instance").values_list("action", flat=True)
    assert sorted(actions) == ["RESUME", "SUSPEND"]


def test_resume_into_a_name_that_is_taken_is_a_conflict(api):
    old = make_instance(status=Status.ERROR)
    make_instance()
    answer = api().post(f"{URL}/{old.pk}/resume")
    assert answer.status_code == 409
    old.refresh_from_db()
    assert (old.status, old.events.count()) == ("ERROR", 0)


def test_team_operator_may_what_a_viewer_may_not(api):
    team = make_team()
    instance = make_instance(team=team)
    for role, expected in (("DEVELOPER", 403), ("OPERATOR", 200)):
        client = api("VIEWER", teams={team: role})
        assert client.post(f"{URL}/{instance.pk}/suspend").status_code == expected
    assert api("VIEWER").post(f"{URL}/{make_instance(name='free').pk}/suspend").status_code == 403


def test_delete_without_body_deregisters(api, instance):
    answer = api("OPERATOR").delete(f"{URL}/{instance.pk}")
    assert answer.status_code == 200
    assert answer.json() == {
        "message": "Instance deregistered",
        "id": instance.pk,
        "name": "web-1",
        "status": "STOPPED",
        "backupId": None,
    }
    event = instance.events.get()
    assert (event.type, event.metadata["final_status"]) == ("DESTROY", "STOPPED")
    Instance.objects.filter(pk=instance.pk).update(status=Status.DEPLOYING)
    refused = api("OPERATOR").delete(f"{URL}/{instance.pk}")
    assert (refused.status_code, "cannot be destroyed" in refused.json()["message"]) == (409, True)


def test_patch_changes_tags_team_and_status_together(api, instance):
    team = make_team()
    answer = api("ADMIN").patch(
        f"{URL}/{instance.pk}", {"tags": {"role": "db"}, "teamId": team.pk, "status": "SUSPENDED"}
    )
    assert answer.status_code == 200, answer.content
    assert (answer.json()["tags"], answer.json()["teamId"]) == ({"role": "db"}, team.pk)
    assert answer.json()["status"] == "SUSPENDED"
    assert api("ADMIN").patch(f"{URL}/{instance.pk}", {"teamId": None}).json()["teamId"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tags": {"role": 1.5, "x": ["y"]}}, 422),
        ({"tags": "role"}, 422),
        ({"status": "DESTROYED"}, 422),
        ({"status": "STOPPED", "teamId": "unknown"}, 404),
        ([1], 422),
    ],
)
def test_bad_patch_changes_nothing(api, instance, body, status):
    assert api("ADMIN").patch(f"{URL}/{instance.pk}", body).status_code == status
    instance.refresh_from_db()
    assert (instance.status, instance.tags, instance.team) == ("RUNNING", {}, None)


def test_operator_moves_instances_only_into_teams_where_it_is_one(api, instance):
    mine, watched, foreign = make_team(), make_team(), make_team()
    client = api("VIEWER", teams={mine: "OPERATOR", watched: "VIEWER"})
    Instance.objects.filter(pk=instance.pk).update(team=mine)
    assert client.patch(f"{URL}/{instance.pk}", {"teamId": foreign.pk}).status_code == 404
    assert client.patch(f"{URL}/{instance.pk}", {"teamId": watched.pk}).status_code == 403
    assert client.patch(f"{URL}/{instance.pk}", {"teamId": mine.pk}).status_code == 200


def test_events_newest_first(api, instance):
    now = timezone.now()
    for number in range(3):
        Event.objects.create(instance=instance, type="CONNECT", timestamp=now + timedelta(seconds=number))
    body = api("VIEWER").get(f"{URL}/{instance.pk}/events?limit=2").json()
    assert body["instanceId"] == instance.pk
    times = [event["timestamp"] for event in body["events"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 2
    assert set(body["events"][0]) == {"id", "type", "timestamp", "metadata"}
    for limit in ("0", "101", "x"):
        assert api("VIEWER").get(f"{URL}/{instance.pk}/events?limit={limit}").status_code == 422


def test_processes_are_the_agents_or_none(api, instance):
    path = f"{URL}/{instance.pk}/processes"
    assert api("VIEWER").get(path).json() == {"instance_id": instance.pk, "timestamp": None, "processes": []}
    rows = [{"pid": pid, "name": f"p{pid}", "cpu_percent": float(pid)} for pid in range(12)]
    Inventory.objects.create(instance=instance, processes=rows, processes_at=timezone.now())
    found = api("VIEWER").get(path).json()["processes"]
    assert [row["pid"] for row in found] == list(range(11, 1, -1))
    assert set(found[0]) == {"pid", "name", "cpu_percent", "memory_bytes", "memory_percent", "status", "user"}


def test_extensions_panel(api):
    now = timezone.now()
    instance = make_instance(extensions=["docker", "node", "rust"])
    reported = [
        {"name": "docker", "version": "27.1", "status": "degraded", "since": now.isoformat()},
        {"name": "node", "version": None, "status": "installing", "since": (now - timedelta(minutes=16)).isoformat()},
    ]
    Inventory.objects.create(instance=instance, extensions=reported, extensions_at=now)
    body = api("VIEWER").get(f"{URL}/{instance.pk}/extensions").json()
    assert body["instanceStatus"] == "RUNNING"
    states = {row["name"]: (row["status"], row.get("version")) for row in body["extensions"]}
    assert states == {"docker": ("degraded", "27.1"), "node": ("stalled", None), "rust": ("healthy", None)}
    Instance.objects.filter(pk=instance.pk).update(status="ERROR")
    body = api("VIEWER").get(f"{URL}/{instance.pk}/extensions").json()
    assert {row["name"]: row["status"] for row in body["extensions"]}["rust"] == "unknown"
