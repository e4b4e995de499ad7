"""`/api/alerts` (contract: monitors §6)."""

import uuid

import pytest

from alerts.incidents.models import Alert
from monitors.runs.models import Run
from tests.alerts.conftest import fire_alert, make_monitor

URL = "/api/alerts"


def test_the_object(api, runs):
    monitor = make_monitor(name="Checkout")
    alert = runs(monitor, "be")
    first, second = Run.objects.order_by("completed_at")
    answer = api("VIEWER").get(f"{URL}/{alert.uuid}")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(alert.uuid),
        "monitorId": str(monitor.pk),
        "monitorName": "Checkout",
        "runId": str(first.pk),
        "lastRunId": str(second.pk),
        "type": "threshold",
        "severity": "critical",
        "status": "open",
        "message": "p95 1312.4 ms is over 900 ms",
        "breaches": first.breaches,
        "occurrences": 2,
        "createdAt": "2026-03-02T12:00:01Z",
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "note": None,
        "resolvedAt": None,
        "resolvedByRunId": None,
    }
    assert api("VIEWER").get(URL).json() == [answer.json()]


def test_errors_and_flapping_are_warnings(api, runs):
    runs(make_monitor(), "e")
    runs(make_monitor(alert_after=9), "gbgbgb")
    assert {(row["type"], row["severity"]) for row in api("VIEWER").get(URL).json()} == {
        ("error", "warning"),
        ("flapping", "warning"),
    }


def test_the_list_is_a_bare_array_with_filters(api, runs):
    client, one, two = api("VIEWER"), make_monitor(), make_monitor()
    runs(one, "bgb")
    runs(two, "b")
    fire_alert()  # of an instance: not an alert of this API
    Alert.objects.filter(monitor=two).update(status="ACKNOWLEDGED")
    answer = client.get(URL)
    assert answer["X-Total-Count"] == "3" and len(answer.json()) == 3
    assert [row["createdAt"] for row in answer.json()] == sorted(
        (row["createdAt"] for row in answer.json()), reverse=True
    )

    def count(query: str) -> int:
        return len(client.get(f"{URL}?{query}").json())

    assert (count(f"monitorId={one.pk}"), count("status=open"), count("status=acknowledged")) == (2, 1, 1)
    assert (count("status=resolved"), count(f"monitorId={two.pk}&status=open"), count("limit=2&offset=2")) == (1, 0, 1)
    assert count(f"monitorId={uuid.uuid4()}") == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1", "status=ACTIVE"])
def test_what_is_out_of_range(api, query):
    answer = api("VIEWER").get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request" and answer.json()["details"]


def test_acknowledge_keeps_the_first_time_and_renews_the_note(api, runs):
    monitor = make_monitor()
    alert = runs(monitor, "b")
    operator, address = api("OPERATOR"), f"{URL}/{alert.uuid}/acknowledge"
    first = operator.post(address, {"note": "looking"}).json()
    assert (first["status"], first["note"], first["acknowledgedBy"]) == ("acknowledged", "looking", operator.user.email)
    again = api("OPERATOR").post(address, {"note": "found it"}).json()
    assert again == first | {"note": "found it"}
    assert api("OPERATOR").post(address).json() == again, "without a body the note stays"
    runs(monitor, "g")
    late = operator.post(address, {"note": "it was the cache"})
    assert late.status_code == 200
    assert (late.json()["status"], late.json()["note"]) == ("resolved", "it was the cache")
    assert late.json()["acknowledgedAt"] == first["acknowledgedAt"]


def test_a_note_on_a_resolved_alert_that_nobody_took(api, runs):
    alert = runs(make_monitor(), "bg")
    body = api("OPERATOR").post(f"{URL}/{alert.uuid}/acknowledge", {"note": "seen"}).json()
    assert (body["status"], body["note"], body["acknowledgedAt"]) == ("resolved", "seen", None)


@pytest.mark.parametrize("note", [5, ["x"], {"a": 1}, True, "n" * 2001, "nul\x00"])
def test_a_note_is_text_up_to_2000_characters(api, runs, note):
    alert = runs(make_monitor(), "b")
    answer = api("OPERATOR").post(f"{URL}/{alert.uuid}/acknowledge", {"note": note})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request" and "note" in answer.json()["details"]
    alert.refresh_from_db()
    assert alert.status == "ACTIVE"


@pytest.mark.parametrize("body", ["[]", "5", "{", "null"])
def test_bodies_that_are_no_object(api, runs, body):
    alert = runs(make_monitor(), "b")
    path = f"{URL}/{alert.uuid}/acknowledge"
    answer = api("OPERATOR").generic("POST", path, body, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_request"


def test_ids_that_are_none_and_roles(api, runs):
    alert, viewer = runs(make_monitor(), "b"), api("VIEWER")
    for key in ("5", "not-a-uuid", alert.pk, str(uuid.uuid4())):
        answer = viewer.get(f"{URL}/{key}")
        assert answer.status_code == 404 and answer.json()["error"] == "not_found"
    assert viewer.get(f"{URL}?monitorId=5").status_code == 404
    assert viewer.post(f"{URL}/{alert.uuid}/acknowledge").status_code == 403
    assert viewer.put(f"{URL}/{alert.uuid}").status_code == 405
    assert viewer.get(f"{URL}/{alert.uuid}/").status_code == 200
    assert api(role=None).get(URL).status_code == 401


def test_the_same_alert_is_in_the_fleets_store(api, runs):
    alert = runs(make_monitor(name="Checkout"), "b")
    row = api("VIEWER").get(f"/api/v1/alerts/{alert.pk}").json()
    assert (row["source"], row["ruleId"], row["instanceId"], row["severity"]) == ("monitor", None, None, "CRITICAL")
    assert row["monitorId"] == str(alert.monitor_id) and row["runId"] == str(alert.run_id)
