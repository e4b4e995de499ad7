"""Reminders of alerts that stay open (contract: monitors §6)."""

from datetime import timedelta

import pytest

from alerts.channels.models import Notification
from alerts.channels.transports.composing import message_of
from alerts.incidents.models import Alert, AlertEvent, Status
from alerts.monitors.reminders import remind
from monitors.monitors.models import Monitor
from tests.alerts.conftest import NOW, make_channel, make_monitor

pytestmark = pytest.mark.django_db


def minutes(count: float):
    return NOW + timedelta(minutes=count)


def told() -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("kind", "state"))


@pytest.fixture
def opened(runs):
    """An alert that opened at NOW and is reminded of every 10 minutes."""
    make_channel()
    alert = runs(make_monitor(name="Checkout", reminder_minutes=10), "b")
    Alert.objects.filter(pk=alert.pk).update(fired_at=NOW)
    return alert


def test_off_by_default(runs):
    make_channel()
    runs(make_monitor(), "b")
    assert remind(now=minutes(100_000)) == 0 and told() == [("fired", "PENDING")]


def test_every_so_many_minutes_while_it_is_open(opened):
    assert remind(now=minutes(9.9)) == 0
    for count, at in ((1, 10), (0, 10), (0, 19.9), (1, 20), (1, 500), (0, 509)):
        assert remind(now=minutes(at)) == count, at
    assert told() == [("fired", "PENDING")] + 3 * [("reminder", "PENDING")]
    texts = AlertEvent.objects.filter(kind="reminded").order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["Still open after 10 min", "Still open after 20 min", "Still open after 8 h 20 min"]
    opened.refresh_from_db()
    message = message_of(Notification.objects.filter(kind="reminder").last())
    assert message.title.startswith("Still open: Checkout") and message.status == "ACTIVE"


@pytest.mark.parametrize(
    "change", [{"status": Status.ACKNOWLEDGED}, {"status": Status.RESOLVED, "resolved_at": NOW}, {"type": "flapping"}]
)
def test_nobody_is_reminded_of_what_is_known_over_or_flapping(opened, change):
    Alert.objects.filter(pk=opened.pk).update(**change)
    assert remind(now=minutes(60)) == 0


def test_switched_on_and_off_while_open(opened):
    Monitor.objects.update(reminder_minutes=None)
    assert remind(now=minutes(60)) == 0
    Monitor.objects.update(reminder_minutes=30)
    assert remind(now=minutes(60)) == 1


def test_through_the_api(api):
    operator = api("OPERATOR")
    body = {"name": "M", "schedule": "* * * * *", "tool": "http", "request": {"url": "http://127.0.0.1:9/"}}
    made = operator.post("/api/monitors", body | {"reminderMinutes": 15}).json()
    assert made["reminderMinutes"] == 15
    path = f"/api/monitors/{made['id']}"
    assert operator.patch(path, {"reminderMinutes": None}).json()["reminderMinutes"] is None
    for bad in (0, 10_081, "x", 1.5, True):
        answer = operator.patch(path, {"reminderMinutes": bad})
        assert (answer.status_code, list(answer.json()["details"])) == (400, ["reminderMinutes"]), bad


def test_each_reminder_is_news_to_the_receiver_and_goes_out_once(opened, local_server):
    from alerts.channels.models import Channel
    from alerts.channels.outbox import drain

    local_server.answer("/hook", status=204)
    channel = Channel.objects.get()
    channel.config = {"url": f"{local_server.url}/hook"}
    channel.save()
    for at in (10, 20):
        assert remind(now=minutes(at)) == 1
        drain(channel.pk, now=minutes(at))
    titles = [b"Still open" in request.body for request in local_server.requests]
    assert titles == [False, True, True]
    keys = {str(sorted(request.headers.items())) for request in local_server.requests}
    assert len(keys) == 3
