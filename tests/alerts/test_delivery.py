"""Messages on their way: what a webhook gets, retries, order, and that nobody is told twice."""

import hashlib
import hmac
from datetime import timedelta

import pytest

from alerts.channels import outbox
from alerts.channels.models import Attempt, Channel, Notification
from alerts.incidents.services import resolve
from tests.alerts.conftest import NOW, fire_alert, make_channel, make_instance, make_rule, send_all

pytestmark = pytest.mark.django_db
SECRET = "a shared secret"


def later(seconds: float):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def hook(local_server) -> Channel:
    config = {"url": f"{local_server.url}/in?team=ops", "secret": SECRET, "headers": {"X-Team": "ops"}}
    return make_channel(config=config)


def alert_for(*channels: Channel):
    instance = make_instance(name="web-7")
    return fire_alert(instance, rule=make_rule(name="Busy", channels=channels))


def test_a_webhook_gets_the_body_and_signatures_of_the_contract(hook, local_server):
    alert = alert_for(hook)
    assert send_all(NOW) == [True]
    (request,) = local_server.requests
    assert (request.method, request.path) == ("POST", "/in?team=ops")
    assert request.json() == {
        "alertId": alert.pk,
        "ruleId": alert.rule_id,
        "ruleName": "Busy",
        "ruleType": "THRESHOLD",
        "instanceId": alert.instance_id,
        "severity": "HIGH",
        "title": "CPU above 90 % on web-7",
        "message": alert.message,
        "status": "ACTIVE",
        "firedAt": "2026-03-02T12:00:00.000Z",
        "metadata": alert.metadata,
    }
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-team"] == "ops"
    assert request.headers["user-agent"].startswith("Pharos/")
    expected = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-sindri-signature"] == f"sha256={expected}"
    moment, signature = (part.split("=")[1] for part in request.headers["x-pharos-signature"].split(","))
    timed = hmac.new(SECRET.encode(), f"{moment}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert signature == timed and abs(int(moment) - request.at) < 5
    attempt = Attempt.objects.get()
    assert attempt.success and attempt.error is None
    assert send_all(later(3600)) == [], "nobody is told twice"


def test_without_a_secret_nothing_is_signed_and_put_is_possible(local_server):
    alert_for(make_channel(config={"url": local_server.url, "method": "PUT"}))
    send_all(NOW)
    (request,) = local_server.requests
    assert request.method == "PUT"
    assert not [name for name in request.headers if "signature" in name]


def test_own_headers_cannot_replace_the_signing_ones(local_server):
    headers = {"X-Sindri-Signature": "forged", "content-type": "text/plain", "Idempotency-Key": "x"}
    alert_for(make_channel(config={"url": local_server.url, "secret": SECRET, "headers": headers}))
    send_all(NOW)
    (request,) = local_server.requests
    assert request.headers["x-sindri-signature"].startswith("sha256=")
    assert request.headers["content-type"] == "application/json"


def test_the_end_is_told_after_the_beginning_with_a_key_of_its_own(hook, local_server):
    alert = alert_for(hook)
    resolve(alert=alert, now=later(1))
    assert send_all(later(1)) == [True, True]
    first, second = local_server.requests
    assert (first.json()["status"], second.json()["status"]) == ("ACTIVE", "RESOLVED")
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_it_is_tried_again_after_longer_and_longer_pauses_and_then_given_up(hook, local_server):
    local_server.answer(status=503, body="try later")
    alert_for(hook)
    moment, moments = 0.0, []
    while send_all(later(moment)):
        moments.append(moment)
        moment = (Notification.objects.get().due_at - NOW).total_seconds() + 0.001
    pauses = [round(after - before) for before, after in zip(moments, moments[1:], strict=False)]
    assert pauses == [5, 30, 120, 300, 600, 1800, 3600, 7200, 14_400]
    message = Notification.objects.get()
    assert (message.state, message.attempts) == ("FAILED", 10)
    assert len({request.headers["idempotency-key"] for request in local_server.requests}) == 1
    errors = set(Attempt.objects.values_list("success", "error"))
    assert len(errors) >= 1 and all(not success and "HTTP 503" in error for success, error in errors)


def test_a_later_try_may_succeed_and_only_then_the_end_is_told(hook, local_server):
    from tests.support.local_server import Answer

    local_server.answer("/in", Answer(status=500), Answer(status=204))
    alert = alert_for(hook)
    assert send_all(NOW) == [False]
    resolve(alert=alert, now=later(2))
    assert send_all(later(3)) == []
    assert send_all(later(10)) == [True, True]
    assert [request.json()["status"] for request in local_server.requests] == ["ACTIVE", "ACTIVE", "RESOLVED"]
    assert list(Attempt.objects.order_by("sent_at").values_list("success", flat=True)) == [False, True, True]


def test_a_message_whose_worker_died_is_sent_by_another(hook, local_server):
    alert_for(hook)
    assert outbox.take(hook.pk, now=NOW), "and then the worker is gone"
    assert send_all(later(59)) == []
    assert send_all(later(60)) == [True]
    assert len(local_server.requests) == 1


def test_a_channel_whose_alert_goes_while_it_is_told(hook, local_server):
    alert = alert_for(hook)
    message = outbox.take(hook.pk, now=NOW)
    alert.delete()
    assert outbox.deliver(message, began_at=NOW)
    assert not Attempt.objects.exists()


def test_a_task_that_the_broker_hands_out_twice_sends_once(hook, local_server):
    alert_for(hook)
    assert [outbox.drain(hook.pk, now=NOW), outbox.drain(hook.pk, now=NOW)] == [[True], []]
    assert len(local_server.requests) == 1


def test_hanging_channels_take_half_of_the_workers_threads_at_most(settings, monkeypatch):
    from alerts.channels import tasks

    settings.WORKER_THREADS = 4
    emptied = []

    def drain(channel_id):
        emptied.append(channel_id)
        if len(emptied) < 4:  # while it hangs, tasks for other channels and for itself come
            tasks.send(channel_id)
            tasks.send(f"{channel_id}+")

    monkeypatch.setattr(outbox, "drain", drain)
    tasks.send("a")
    assert emptied == ["a", "a+"]
    tasks.send("b")
    assert emptied == ["a", "a+", "b", "b+"], "all slots are free again"


def test_redirects_are_not_followed(hook, local_server):
    local_server.redirect("/in", f"{local_server.url}/elsewhere")
    alert_for(hook)
    assert send_all(NOW) == [False]
    assert [request.path.partition("?")[0] for request in local_server.requests] == ["/in"]
    assert "HTTP 302" in Attempt.objects.get().error


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/"])
def test_the_policy_is_asked_again_at_each_delivery(url, local_server, settings):
    """What was allowed when it was stored, or a name that answers otherwise now."""
    channel = make_channel(url.format(port=local_server.port))
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    alert_for(channel)
    assert send_all(NOW) == [False]
    assert not local_server.requests
    attempt = Attempt.objects.get()
    assert "not allowed as a target" in attempt.error
    assert Notification.objects.get().state == "FAILED", "another try would end the same way"


def test_a_channel_that_nobody_listens_on_fails_without_touching_the_alert(local_server):
    local_server.answer(drop=True)
    alert = alert_for(make_channel(f"{local_server.url}/"))
    assert send_all(NOW) == [False]
    alert.refresh_from_db()
    assert alert.status == "ACTIVE" and Attempt.objects.get().error


def test_a_channel_switched_off_meanwhile_gets_nothing(hook, local_server):
    alert_for(hook)
    Channel.objects.update(enabled=False)
    assert send_all(NOW) == [False]
    assert not local_server.requests and "switched off" in Attempt.objects.get().error


def test_one_slow_channel_does_not_hold_up_another(hook, local_server):
    bad = make_channel("http://192.0.2.1/")
    alert_for(bad, hook)
    assert sorted(send_all(NOW)) == [False, True]


def test_slack_gets_one_attachment(local_server):
    config = {"webhook_url": f"{local_server.url}/services/x", "channel": "#ops", "username": "watch"}
    alert = alert_for(make_channel(type="SLACK", config=config))
    assert send_all(NOW) == [True]
    (request,) = local_server.requests
    body = request.json()
    assert (body["channel"], body["username"]) == ("#ops", "watch") and "icon_emoji" not in body
    (attachment,) = body["attachments"]
    assert (attachment["color"], attachment["title"], attachment["text"]) == ("#FF6600", alert.title, alert.message)
    assert [(field["title"], field["value"]) for field in attachment["fields"]] == [
        ("Severity", "HIGH"),
        ("Rule", "Busy"),
        ("Instance", "web-7"),
        ("Fired At", "2026-03-02T12:00:00.000Z"),
    ]
    assert attachment["ts"] == int(NOW.timestamp())


def test_alerts_of_monitors_go_the_same_way(runs, hook, local_server):
    from tests.alerts.conftest import make_monitor

    monitor = make_monitor(name="Checkout")
    runs(monitor, "b")
    assert send_all(later(600)) == [True]
    body = local_server.requests[0].json()
    assert (body["ruleId"], body["ruleName"], body["ruleType"]) == (None, "Checkout", "MONITOR")
    assert body["instanceId"] is None and body["severity"] == "CRITICAL"
