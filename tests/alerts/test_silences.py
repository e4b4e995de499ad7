"""Silences over HTTP and on their pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.incidents.models import Alert
from alerts.silences.models import Silence
from security.audit.models import AuditEntry
from tests.alerts.conftest import browser, fire_alert, make_instance, make_monitor, text, told

pytestmark = pytest.mark.django_db
URL = "/api/v1/alerts/silences"


def body(**change) -> dict:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    matchers = [{"label": "instance", "op": "=~", "value": "web-.*"}]
    return {"reason": "Kernel update", "matchers": matchers, "endsAt": soon} | change


def test_one_is_made_hides_and_is_ended(api):
    operator, alert = api("OPERATOR"), fire_alert(make_instance(name="web-7"), now=timezone.now())
    assert operator.post(f"{URL}/preview", {"matchers": body()["matchers"]}).json()["count"] == 1
    made = operator.post(URL, body())
    assert made.status_code == 201 and made.json()["state"] == "active"
    path = f"{URL}/{made.json()['id']}"
    alert.refresh_from_db()
    assert alert.status == "SILENCED"
    assert operator.get(URL).json()["silences"] == [made.json()]
    assert operator.get(f"{URL}?state=past").json()["total"] == 0
    changed = operator.put(path, {"reason": "Longer", "matchers": [{"label": "instance", "value": "db-1"}]})
    assert changed.json()["reason"] == "Longer"
    alert.refresh_from_db()
    assert alert.status == "ACTIVE"
    ended = operator.delete(path).json()
    assert ended["state"] == "past" and ended["endedAt"]
    assert operator.put(path, {"reason": "Again"}).status_code == 409
    acts = AuditEntry.objects.filter(resource="silence").order_by("at").values_list("action", flat=True)
    assert list(acts) == ["CREATE", "UPDATE", "DELETE"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": [{"label": "instance", "op": "=~", "value": "(a+)+"}]}, "matchers"),
        ({"matchers": [{"label": "in stance", "value": "x"}]}, "matchers"),
        ({"reason": ""}, "reason"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "endsAt"),
        ({"endsAt": None}, "endsAt"),
        ({"fromTime": "02:00"}, "minutes"),
        ({"fromTime": "02:00", "minutes": 60, "timeZone": "Mars/Base"}, "timeZone"),
        ({"days": [7]}, "days"),
        ({"days": [0]}, "days"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(api, change, field):
    answer = api("OPERATOR").post(URL, body(**change))
    assert answer.status_code == 400
    assert next(iter(answer.json()["details"]["fieldErrors"])).startswith(field)
    assert not Silence.objects.exists()


def test_reading_is_for_all_and_writing_for_operators(api):
    viewer = api("VIEWER")
    assert viewer.get(URL).status_code == 200 and viewer.post(URL, body()).status_code == 403
    assert viewer.get(f"{URL}/none").status_code == 404


def test_planned_work_from_the_alert_to_the_header(api):
    instance = make_instance(name="web-7")
    alert = fire_alert(instance, now=timezone.now())
    client = browser("OPERATOR")
    page = client.get(f"/alerts/{alert.pk}/")
    link = f"/alerts/silences/new/?alert={alert.pk}"
    assert link in page.content.decode()
    form = client.get(link).content.decode()
    assert "instance = web-7" in form and "alertname = Busy" in form
    sent = {"reason": "Update", "matchers": "instance = web-7", "length": "60", "time_zone": "UTC"}
    answer = client.post(link, sent, follow=True)
    assert "hides 1 alert now" in told(answer)
    assert "1 silence" in text(client.get("/monitors/")), "on every page"
    assert Alert.objects.get().status == "SILENCED"
    assert "Update" in text(client.get("/alerts/silences/"))
    wrong = client.post(link, sent | {"matchers": "nonsense"})
    assert wrong.status_code == 422 and "is not of the form" in text(wrong)
    silence = Silence.objects.get()
    assert "Update" in client.get(f"/alerts/silences/{silence.pk}/edit/").content.decode()
    client.post(f"/alerts/silences/{silence.pk}/end/")
    assert Alert.objects.get().status == "ACTIVE" and "1 silence" not in text(client.get("/monitors/"))


def test_each_week_shows_in_the_calendar(api):
    client = browser("OPERATOR")
    weekly = {"from_time": "02:00", "minutes": "120", "days": ["6"], "time_zone": "Europe/Berlin", "length": ""}
    client.post("/alerts/silences/new/", {"reason": "Backups", "matchers": "team = db"} | weekly)
    made = Silence.objects.get()
    assert made.repeats and made.ends_at is None and made.days == [6]
    shown = text(client.get("/alerts/silences/?tab=coming")) + text(client.get("/alerts/silences/"))
    assert "each Sunday 02:00 for 2 h, Europe/Berlin" in shown and "Next seven days" in shown


def test_pages_of_instances_and_monitors_lead_there(api):
    client, monitor, instance = browser("OPERATOR"), make_monitor(name="Checkout"), make_instance(name="web-3")
    assert "monitor = Checkout" in client.get("/alerts/silences/new/?monitor=Checkout").content.decode()
    assert (
        f"/alerts/silences/new/?monitor={monitor.name.replace(' ', '%20')}"
        in client.get(f"/monitors/{monitor.pk}/").content.decode()
    )
    assert (
        f"/alerts/silences/new/?instance={instance.name}" in client.get(f"/instances/{instance.pk}/").content.decode()
    )
