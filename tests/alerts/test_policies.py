"""Policies, rotations, groupings and dependencies over HTTP and on their page."""

from datetime import UTC, date, datetime, time

import pytest

from alerts.dependencies.models import Dependency
from alerts.policies.models import Policy, Rotation
from alerts.policies.oncall import on_call, turn_at
from tests.alerts.conftest import browser, make_channel, make_instance, make_monitor, text
from tests.factories import make_user

pytestmark = pytest.mark.django_db
BASE = "/api/v1/alerts"


def test_a_policy_with_steps_and_a_rotation(api):
    operator, person = api("OPERATOR"), make_user(email="night@example.org")
    order = {"name": "Ops", "startsOn": "2026-01-05", "handsOverAt": "09:00", "members": [person.pk]}
    rotation = operator.post(f"{BASE}/rotations", order).json()
    assert rotation["onCall"]["id"] == person.pk and rotation["turnDays"] == 7
    mail = make_channel(type="EMAIL", config={"recipients": ["ops@example.org"]})
    steps = [{"afterS": 0, "channelIds": [mail.pk], "rotationId": rotation["id"]}]
    made = operator.post(f"{BASE}/policies", {"name": "Nights", "steps": steps})
    assert made.status_code == 201 and made.json()["steps"] == steps
    path = f"{BASE}/policies/{made.json()['id']}"
    changed = operator.put(path, {"repeats": 2}).json()
    assert changed["repeats"] == 2 and changed["steps"] == steps
    assert operator.delete(f"{BASE}/rotations/{rotation['id']}").status_code == 409
    assert operator.post(f"{BASE}/policies", {"name": "Nights", "steps": steps}).status_code == 409
    unknown = [{"afterS": 0, "channelIds": ["none"]}]
    assert operator.post(f"{BASE}/policies", {"name": "Other", "steps": unknown}).status_code == 404
    for bad in ([], [{"afterS": -1, "channelIds": [mail.pk]}], [{"afterS": 0, "channelIds": []}], "x", None):
        assert operator.post(f"{BASE}/policies", {"name": "Bad", "steps": bad}).status_code == 400, bad
    assert Policy.objects.count() == 1
    shown = text(browser().get("/alerts/policies/"))
    assert "Nights" in shown and person.email in shown
    assert operator.delete(path).status_code == 200
    assert api("VIEWER").post(f"{BASE}/policies", {"name": "V", "steps": steps}).status_code == 403


def test_turns_change_by_the_wall_clock_also_over_the_change_of_clocks():
    people = [make_user(), make_user(), make_user()]
    made = Rotation.objects.create(
        name="Ops", time_zone="Europe/Berlin", starts_on=date(2026, 3, 23), hands_over_at=time(9), turn_days=7,
        members=[person.pk for person in people],
    )  # fmt: skip
    assert on_call(made, datetime(2026, 3, 23, 7, 59, tzinfo=UTC)) is None
    assert on_call(made, datetime(2026, 3, 23, 8, tzinfo=UTC)) == people[0]
    assert on_call(made, datetime(2026, 3, 30, 6, 59, tzinfo=UTC)) == people[0]
    assert on_call(made, datetime(2026, 3, 30, 7, tzinfo=UTC)) == people[1], "summer time has begun"
    assert turn_at(made, datetime(2026, 3, 30, 7, tzinfo=UTC)).ends_at == datetime(2026, 4, 6, 7, tzinfo=UTC)
    people[1].is_active = False
    people[1].save()
    assert on_call(made, datetime(2026, 4, 1, tzinfo=UTC)) == people[2], "who has left is passed over"


def test_groupings(api):
    operator = api("OPERATOR")
    made = operator.post(f"{BASE}/groupings", {"name": "Sites", "labels": ["region"], "waitS": 5})
    assert made.status_code == 201 and (made.json()["intervalS"], made.json()["repeatS"]) == (300, 14400)
    path = f"{BASE}/groupings/{made.json()['id']}"
    assert operator.put(path, {"repeatS": 0}).json()["repeatS"] == 0
    for bad in ({"labels": ["a b"]}, {"waitS": -1}, {"repeatS": 5}, {"waitS": "5"}):
        assert operator.put(path, bad).status_code == 400, bad
    assert operator.get(f"{BASE}/groupings").json()["total"] == 1
    assert operator.delete(path).json()["message"] == "Grouping deleted"


def test_dependencies_make_no_circle(api):
    operator = api("OPERATOR")
    switch, web, check = make_instance(), make_instance(), make_monitor()
    url = f"{BASE}/dependencies"
    assert operator.post(url, {"parentInstanceId": switch.pk, "childInstanceId": web.pk}).status_code == 201
    assert operator.post(url, {"parentInstanceId": web.pk, "childMonitorId": str(check.pk)}).status_code == 201
    for bad in (
        {"parentMonitorId": str(check.pk), "childInstanceId": switch.pk},
        {"parentInstanceId": web.pk, "childInstanceId": web.pk},
        {"parentInstanceId": web.pk},
        {},
    ):
        assert operator.post(url, bad).status_code == 400, bad
    assert operator.post(url, {"parentInstanceId": "none", "childInstanceId": web.pk}).status_code == 404
    assert operator.post(url, {"parentInstanceId": switch.pk, "childInstanceId": web.pk}).status_code == 409
    assert operator.put(f"{url}/{Dependency.objects.first().pk}", {}).status_code == 405


def test_the_forms_store_what_the_api_would(api):
    client, channel = browser("OPERATOR"), make_channel()
    make_user(email="night@example.org")
    turn = {"name": "Ops", "members": "night@example.org", "turn_days": 7, "starts_on": "2026-01-05"}
    client.post("/alerts/rotations/new/", turn | {"hands_over_at": "09:00", "time_zone": "UTC"})
    rotation = Rotation.objects.get()
    policy = {"name": "Nights", "position": 1, "repeats": 0, "enabled": "on", "after0": 5, "channels0": [channel.pk]}
    client.post("/alerts/policies/new/", policy | {"rotation0": rotation.pk})
    stored = Policy.objects.get()
    assert [(step.after_s, step.rotation) for step in stored.steps.all()] == [(300, rotation)]
    refused = client.post("/alerts/policies/new/", {"name": "Empty", "position": 1, "repeats": 0})
    assert refused.status_code == 422
    for path in (f"policies/{stored.pk}/edit", f"rotations/{rotation.pk}/edit", "groupings/new", "dependencies/new"):
        assert client.get(f"/alerts/{path}/").status_code == 200, path
    client.post(f"/alerts/policies/{stored.pk}/delete/")
    assert not Policy.objects.exists()
    assert client.get("/alerts/policies/none/edit/").status_code == 404
