"""`/api/v1/alerts` (contract: fleet console §9)."""

from datetime import timedelta

import pytest

from alerts.incidents.models import Alert
from security.audit.models import AuditEntry
from tests.alerts.conftest import NOW, fire_alert, make_channel, make_instance, make_rule, send_all
from tests.factories import make_team

URL = "/api/v1/alerts"


def test_a_detail_shows_all_and_the_last_tries_to_tell(api, local_server):
    channel = make_channel(local_server.url)
    rule = make_rule(name="Busy", channels=[channel])
    alert = fire_alert(make_instance(name="web-7"), rule=rule)
    local_server.answer(status=500)
    send_all(NOW)
    body = api("VIEWER").get(f"{URL}/{alert.pk}").json()
    (notification,) = body.pop("notifications")
    assert body == {
        "id": alert.pk,
        "ruleId": rule.pk,
        "instanceId": alert.instance_id,
        "status": "ACTIVE",
        "severity": "HIGH",
        "title": "CPU above 90 % on web-7",
        "message": alert.message,
        "metadata": alert.metadata,
        "firedAt": "2026-03-02T12:00:00.000Z",
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "resolvedAt": None,
        "resolvedBy": None,
        "dedupeKey": f"{rule.pk}:{alert.instance_id}",
        "rule": {"id": rule.pk, "name": "Busy", "type": "THRESHOLD", "severity": "HIGH"},
        "notificationCount": None,
        "source": "rule",
        "monitorId": None,
        "runId": None,
        "occurrences": 1,
        "note": "",
    }
    assert notification["success"] is False and notification["error"].startswith("HTTP 500")
    assert notification["channel"] == {"id": channel.pk, "name": channel.name, "type": "WEBHOOK"}
    (row,) = api("VIEWER").get(URL).json()["alerts"]
    assert row["notificationCount"] == 1 and row["notifications"] is None


def test_lists_filter(api):
    client, web, db = api("VIEWER"), make_instance(), make_instance()
    cpu = make_rule(severity="CRITICAL")
    first = fire_alert(web, rule=cpu)
    second = fire_alert(db, rule=cpu, now=NOW + timedelta(minutes=1))
    Alert.objects.filter(pk=second.pk).update(severity="LOW", status="ACKNOWLEDGED")

    def found(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"{URL}?{query}").json()["alerts"]]

    assert found("") == [second.pk, first.pk], "newest first"
    assert found(f"instanceId={web.pk}") == [first.pk]
    assert found(f"ruleId={cpu.pk}&severity=LOW") == [second.pk]
    assert found("status=ACTIVE") == [first.pk]
    assert found("from=2026-03-02T12:00:30Z") == [second.pk]
    assert found("to=2026-03-02T13:00:30%2B01:00") == [first.pk]
    assert found("ruleId=nothing") == []
    page = client.get(f"{URL}?pageSize=1").json()
    assert (page["total"], page["totalPages"], len(page["alerts"])) == (2, 2, 1)


@pytest.mark.parametrize(
    "query",
    [
        "status=open", "severity=BAD", "from=yesterday", "to=2026-02-30T00:00:00Z", "from=0001-01-01T00:00:00%2B23:00",
        "page=x", "limit=0", "limit=101", "ruleId=" + "x" * 129,
    ],
)  # fmt: skip
def test_filters_that_cannot_be(api, query):
    answer = api("VIEWER").get(f"{URL}?{query}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"] == "Bad Request"


def test_summary_counts_open_by_severity_and_all_by_status(api):
    rule = make_rule(severity="CRITICAL")
    alerts = [fire_alert(rule=rule) for _ in range(3)]
    Alert.objects.filter(pk=alerts[0].pk).update(status="ACKNOWLEDGED")
    assert api("VIEWER").get(f"{URL}/summary").json() == {
        "bySeverity": {"CRITICAL": 2},
        "byStatus": {"ACTIVE": 2, "ACKNOWLEDGED": 1},
    }


def test_acknowledge_and_resolve(api):
    operator, alert = api("OPERATOR"), fire_alert()
    taken = operator.post(f"{URL}/{alert.pk}/acknowledge")
    assert taken.status_code == 200
    body = taken.json()
    assert (body["status"], body["acknowledgedBy"]) == ("ACKNOWLEDGED", operator.user.pk)
    again = api("OPERATOR").post(f"{URL}/{alert.pk}/acknowledge").json()
    assert again["acknowledgedAt"] == body["acknowledgedAt"]
    assert again["acknowledgedBy"] == operator.user.pk, "the first one keeps it"
    ended = operator.post(f"{URL}/{alert.pk}/resolve").json()
    assert (ended["status"], ended["resolvedBy"]) == ("RESOLVED", operator.user.pk)
    later = api("ADMIN").post(f"{URL}/{alert.pk}/resolve").json()
    assert later["resolvedAt"] == ended["resolvedAt"] and later["resolvedBy"] == operator.user.pk
    refused = operator.post(f"{URL}/{alert.pk}/acknowledge")
    assert refused.status_code == 404
    assert refused.json()["message"] == "Alert not found or already resolved"
    acts = AuditEntry.objects.filter(resource="alert", resource_id=alert.pk).order_by("pk")
    assert [entry.metadata["act"] for entry in acts] == ["acknowledge", "resolve"]


def test_bulk(api):
    operator = api("OPERATOR")
    rule = make_rule()
    one, two, three = (fire_alert(rule=rule) for _ in range(3))
    ids = [one.pk, two.pk, "nothing"]
    assert operator.post(f"{URL}/bulk-acknowledge", {"ids": ids}).json() == {"acknowledged": 2}
    assert operator.post(f"{URL}/bulk-acknowledge", {"ids": ids}).json() == {"acknowledged": 0}
    everything = {"ids": [one.pk, two.pk, three.pk]}
    assert operator.post(f"{URL}/bulk-resolve", everything).json() == {"resolved": 3}
    assert operator.post(f"{URL}/bulk-resolve", everything).json() == {"resolved": 0}


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"] * 101}, {"ids": "x"}, {"ids": ["x" * 129]}, [], None])
def test_bulk_without_sensible_ids(api, body):
    for act in ("bulk-acknowledge", "bulk-resolve"):
        answer = api("OPERATOR").post(f"{URL}/{act}", body)
        assert answer.status_code == 400 and answer.json()["error"] == "Bad Request"


def test_teams_see_their_own_and_act_with_their_role_there(api):
    team, strangers = make_team(), make_team()
    rule = make_rule()
    own, foreign = (fire_alert(make_instance(team=one), rule=rule) for one in (team, strangers))
    common = fire_alert(rule=rule)
    member = api("VIEWER", teams={team: "OPERATOR"})
    assert {row["id"] for row in member.get(URL).json()["alerts"]} == {own.pk, common.pk}
    assert member.get(f"{URL}/summary").json()["byStatus"] == {"ACTIVE": 2}
    for path in ("", "/acknowledge", "/resolve"):
        answer = (member.post if path else member.get)(f"{URL}/{foreign.pk}{path}")
        assert answer.status_code == 404
    assert member.post(f"{URL}/{common.pk}/resolve").status_code == 403
    everything = {"ids": [own.pk, foreign.pk, common.pk]}
    assert member.post(f"{URL}/bulk-acknowledge", everything).json() == {"acknowledged": 1}
    assert member.post(f"{URL}/{own.pk}/acknowledge").status_code == 200
    assert api("OPERATOR").post(f"{URL}/bulk-resolve", everything).json() == {"resolved": 1}
    bound = api("OPERATOR", instance_id=own.instance_id)
    assert {row["id"] for row in bound.get(URL).json()["alerts"]} == {own.pk}


def test_roles_and_unknown_ids(api):
    alert, viewer = fire_alert(), api("VIEWER")
    for path in (f"/{alert.pk}/acknowledge", f"/{alert.pk}/resolve", "/bulk-resolve", "/bulk-acknowledge"):
        assert viewer.post(URL + path).status_code == 403
    assert viewer.get(f"{URL}/nothing").json()["message"] == "Alert 'nothing' not found"
    assert viewer.get(f"{URL}/{'x' * 129}").status_code == 400
    assert viewer.delete(f"{URL}/{alert.pk}").status_code == 405
    assert api(role=None).get(URL).status_code == 401


def test_a_change_is_told_live_with_the_whole_alert(api, monkeypatch, django_capture_on_commit_callbacks):
    from config import live

    told = []
    monkeypatch.setattr(live, "publish_all", lambda events: told.extend(events))
    with django_capture_on_commit_callbacks(execute=True):
        alert = fire_alert()
        assert not [event for topic, event in told if topic == "alerts"], "only after the commit"
    (event,) = [event for topic, event in told if topic == "alerts"]
    assert (event["kind"], event["alertId"], event["instanceId"]) == ("fired", alert.pk, alert.instance_id)
    detail = api("VIEWER").get(f"{URL}/{alert.pk}").json()
    assert event["payload"] == detail | {"notifications": None}
    with django_capture_on_commit_callbacks(execute=True):
        api("OPERATOR").post(f"{URL}/{alert.pk}/acknowledge")
    assert [event["kind"] for topic, event in told if topic == f"alert:{alert.pk}"] == ["fired", "acknowledged"]
