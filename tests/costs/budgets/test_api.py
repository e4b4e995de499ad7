"""Budgets over HTTP (contract: fleet console §15 alerts, §16)."""

from datetime import date

import pytest
import time_machine

from security.audit.models import AuditEntry
from tests.costs.spending import NOW, TODAY, ago, make_instance, spend
from tests.factories import make_team

pytestmark = pytest.mark.django_db
URL, ALERTS = "/api/v1/costs/budgets", "/api/v1/costs/alerts"
ORDER = {"name": "Production", "amountUsd": 100, "period": "MONTHLY"}
FIELDS = {
    "id", "name", "amountUsd", "period", "instanceId", "provider", "alertThreshold", "alertSent", "createdBy",
    "createdAt", "updatedAt", "spentUsd", "spentPercent", "currentSpendUsd", "percentUsed", "remainingUsd", "status",
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


def test_from_making_to_deleting(api):
    operator = api("OPERATOR")
    made = operator.post(URL, ORDER)
    assert made.status_code == 201 and set(made.json()) >= FIELDS
    body = made.json()
    assert body | {"amountUsd": 100, "alertThreshold": 0.8, "alertSent": False, "status": "ok"} == body
    assert body["createdBy"] == operator.user.pk and body["createdAt"] == "2026-03-20T12:00:00.000Z"
    path = f"{URL}/{body['id']}"
    for method, change in ((operator.put, {"amountUsd": 12.345}), (operator.patch, {"alertThreshold": 0.5})):
        assert method(path, change).status_code == 200
    shown = api("VIEWER").get(path).json()
    assert (shown["amountUsd"], shown["alertThreshold"], shown["name"]) == (12.35, 0.5, "Production")
    assert operator.delete(path).json() == {"message": "Budget deleted", "id": body["id"], "name": "Production"}
    assert operator.get(path).status_code == 404
    acts = AuditEntry.objects.filter(resource="budget", resource_id=body["id"]).values_list("action", flat=True)
    assert sorted(acts) == ["CREATE", "DELETE", "UPDATE", "UPDATE"]


def test_what_is_spent_in_the_period_of_the_subject(api):
    web, job = make_instance(provider="fly"), make_instance(provider="aws")
    spend(web, {date(2026, 2, 28): 500, date(2026, 3, 1): 10, ago(5): 20, TODAY: 2.34})
    spend(job, {date(2026, 3, 14): 7, date(2026, 3, 15): 40, TODAY: 1})
    operator = api("OPERATOR")
    wanted = {
        "all of the month": ({}, 80.34),
        "fly of the month": ({"provider": "fly"}, 32.34),
        "web today": ({"period": "DAILY", "instanceId": web.pk}, 2.34),
        "this week": ({"period": "WEEKLY"}, 63.34),
        "web at aws": ({"instanceId": web.pk, "provider": "aws"}, 0),
    }
    for name, (more, spent) in wanted.items():
        made = operator.post(URL, ORDER | {"name": name} | more).json()
        assert (made["spentUsd"], made["currentSpendUsd"]) == (spent, spent), name
    month = next(one for one in operator.get(URL).json()["budgets"] if one["name"] == "all of the month")
    assert (month["spentPercent"], month["percentUsed"], month["remainingUsd"]) == (80.34, 80.34, 19.66)
    assert month["status"] == "warning"
    found = operator.get(URL, {"instanceId": web.pk}).json()
    assert {one["name"] for one in found["budgets"]} == {"web today", "web at aws"} and found["total"] == 2
    (alert,) = operator.get(ALERTS).json()["alerts"]
    assert alert == {
        "id": f"alert-{month['id']}", "budgetId": month["id"], "budgetName": "all of the month", "amountUsd": 100,
        "spentUsd": 80.34, "spentPercent": 80.34, "period": "MONTHLY", "firedAt": "2026-03-20T00:00:00.000Z",
    }  # fmt: skip


def test_the_day_on_which_it_will_be_used_up(api):
    web = make_instance()
    spend(web, {ago(back): 2 for back in range(1, 20)})
    body = api("OPERATOR").post(URL, ORDER | {"amountUsd": 45}).json()
    assert (body["spentUsd"], body["overOn"]) == (38, "2026-03-23")
    assert (
        body["forecast"] | {"expectedUsd": 62, "lowUsd": 62, "highUsd": 62, "until": "2026-03-31"} == body["forecast"]
    )


WRONG = [
    {"name": ""}, {"name": "x" * 129}, {"name": None}, {"name": 3}, {"name": "a\x00b"}, {"name": "\ud800"},
    {"amountUsd": 0}, {"amountUsd": -1}, {"amountUsd": "100"}, {"amountUsd": 1e300}, {"amountUsd": True},
    {"amountUsd": None}, {"amountUsd": 1e-9}, {"amountUsd": [5]},
    {"period": "YEARLY"}, {"period": "monthly"}, {"period": None}, {"provider": "mars"}, {"provider": ["aws"]},
    {"instanceId": "x" * 129}, {"instanceId": {}}, {"alertThreshold": 0}, {"alertThreshold": 1.01},
    {"alertThreshold": None}, {"alertThreshold": "0.8"},
]  # fmt: skip


def test_bad_input_is_named_and_stores_nothing(api):
    operator = api("OPERATOR")
    budget = operator.post(URL, ORDER).json()
    for wrong in WRONG:
        for answer in (operator.post(URL, ORDER | wrong), operator.patch(f"{URL}/{budget['id']}", wrong)):
            assert answer.status_code == 400, wrong
            assert answer.json()["details"]["fieldErrors"].keys() == wrong.keys(), answer.json()
    for number in (float("nan"), float("inf")):
        assert operator.post(URL, ORDER | {"amountUsd": number}).status_code == 400
    assert operator.get(URL).json()["budgets"] == [budget]


def test_what_is_missing_or_no_object(api):
    operator = api("OPERATOR")
    for name in ORDER:
        assert operator.post(URL, {key: value for key, value in ORDER.items() if key != name}).status_code == 400
    for body in ([], "x", None, 3):
        assert operator.post(URL, body).status_code == 400
    assert operator.get(f"{URL}/{'x' * 129}").status_code == 400
    assert operator.get(f"{URL}/none").status_code == 404
    assert operator.post(URL, ORDER | {"instanceId": "none"}).status_code == 404


def test_who_may(api):
    team = make_team()
    hidden = make_instance(team=team)
    inside, outside = api("VIEWER", teams={team: "OPERATOR"}), api("OPERATOR")
    made = inside.post(URL, ORDER | {"instanceId": hidden.pk})
    assert made.status_code == 201, "an operator of the team"
    assert inside.post(URL, ORDER).status_code == 403, "the whole fleet is not the team's"
    path = f"{URL}/{made.json()['id']}"
    assert inside.patch(path, {"instanceId": None}).status_code == 403
    assert outside.get(path).status_code == outside.delete(path).status_code == 404
    assert outside.post(URL, ORDER | {"instanceId": hidden.pk}).status_code == 404
    assert outside.get(URL).json()["total"] == 0 and inside.get(URL).json()["total"] == 1
    for role in ("VIEWER", "DEVELOPER"):
        assert api(role).post(URL, ORDER).status_code == 403
    assert api(None).get(URL).status_code == 401
