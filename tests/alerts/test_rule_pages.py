"""The pages of rules and channels, as a browser without scripts uses them."""

import pytest

from alerts.channels.models import Channel
from alerts.incidents.models import Alert
from alerts.rules.models import Rule
from tests.alerts.conftest import browser, fire_alert, make_channel, make_instance, make_rule, report, text, told

pytestmark = pytest.mark.django_db


FORM = {
    "name": "Disk nearly full",
    "metric": "disk_percent",
    "operator": "gt",
    "threshold": "90",
    "duration_s": "300",
    "severity": "CRITICAL",
    "cooldown_s": "60",
    "enabled": "on",
}


def test_a_rule_is_written_as_a_sentence():
    client, channel = browser(), make_channel()
    instance = make_instance(name="web-7")
    assert "A rule watches" in text(client.get("/alerts/rules/"))
    sent = FORM | {"channels": [channel.pk], "instance": "web-7"}
    assert "is saved" in told(client.post("/alerts/rules/new/", sent, follow=True))
    rule = Rule.objects.get()
    assert rule.conditions == {"metric": "disk_percent", "operator": "gt", "threshold": 90, "duration_sec": 300}
    assert (rule.instance, rule.severity, rule.cooldown_s) == (instance, "CRITICAL", 60)
    page = text(client.get("/alerts/rules/"))
    assert "Disk above 90 % for 5 min" in page and "web-7" in page and channel.name in page
    form = client.get(f"/alerts/rules/{rule.pk}/edit/").content.decode()
    assert 'value="web-7"' in form and 'value="300"' in form
    client.post(f"/alerts/rules/{rule.pk}/edit/", FORM | {"threshold": "95", "duration_s": "", "instance": ""})
    rule.refresh_from_db()
    assert rule.conditions == {"metric": "disk_percent", "operator": "gt", "threshold": 95}
    assert rule.instance is None and not rule.channels.exists()


def test_a_lifecycle_rule():
    client = browser()
    sent = {"name": "Gone", "event": "heartbeat_lost", "timeout_s": "60", "severity": "HIGH", "cooldown_s": "0"}
    client.post("/alerts/rules/new/?kind=lifecycle", sent)
    assert Rule.objects.get().conditions == {"event": "heartbeat_lost", "timeout_sec": 60}
    assert "No heartbeat for 1 min" in text(client.get("/alerts/rules/"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"threshold": "101"}, "A percentage is at most 100"),
        ({"threshold": "nan"}, "Enter a number"),
        ({"threshold": ""}, "required"),
        ({"duration_s": "3601"}, "3600"),
        ({"name": ""}, "required"),
        ({"instance": "nothing"}, "no instance of that name"),
        ({"channels": ["nothing"]}, "not one of the available choices"),
        ({"cooldown_s": ""}, "required"),
    ],
)
def test_a_rule_with_faults_keeps_what_was_typed(change, said):
    answer = browser().post("/alerts/rules/new/", FORM | change)
    assert answer.status_code == 422
    assert said in text(answer) and "Not saved" in text(answer)
    assert 'value="CRITICAL" selected' in answer.content.decode()
    assert not Rule.objects.exists()


def test_the_preview_says_where_it_would_fire_now(settings):
    from django.utils import timezone

    busy, calm = make_instance(name="busy-1"), make_instance(name="calm-1")
    make_instance(name="unknown-1")
    report(busy, at=timezone.now(), cpu_pct=99)
    report(calm, at=timezone.now(), cpu_pct=5)
    client = browser()
    part = text(client.get("/alerts/rules/preview/", FORM | {"metric": "cpu_percent"}))
    assert "busy-1" in part and "calm-1" not in part and "1 of 3" in part and "Nothing recent is known of 1" in part
    assert "As soon as the condition is complete" in text(client.get("/alerts/rules/preview/", {"metric": "x"}))


def test_switching_and_deleting_a_rule():
    client, alert = browser(), fire_alert()
    client.post(f"/alerts/rules/{alert.rule_id}/disable/")
    alert.refresh_from_db()
    assert alert.status == "RESOLVED" and not alert.rule.enabled
    client.post(f"/alerts/rules/{alert.rule_id}/enable/")
    assert "with its 1 alert" in text(client.get(f"/alerts/rules/{alert.rule_id}/delete/"))
    client.post(f"/alerts/rules/{alert.rule_id}/delete/")
    assert not Rule.objects.exists() and not Alert.objects.exists()


def test_a_channel_is_made_changed_tested_and_deleted(local_server):
    client = browser()
    assert "A channel tells people" in text(client.get("/alerts/channels/"))
    sent = {"name": "Operations", "url": f"{local_server.url}/in", "method": "POST", "secret": "hush",
            "headers": "X-Team: ops\nX-Token: abc", "enabled": "on"}  # fmt: skip
    client.post("/alerts/channels/new/", sent)
    channel = Channel.objects.get()
    config = {"url": f"{local_server.url}/in", "method": "POST", "secret": "hush"}
    assert channel.config == config | {"headers": {"X-Team": "ops", "X-Token": "abc"}}
    assert (channel.monitor_alerts, channel.notify_resolved) == (False, False)
    form = client.get(f"/alerts/channels/{channel.pk}/edit/").content.decode()
    assert "hush" not in form and "abc" not in form and "X-Token: ***" in form
    change = sent | {"name": "Ops", "secret": "***", "headers": "X-Token: ***", "monitor_alerts": "on"}
    client.post(f"/alerts/channels/{channel.pk}/edit/", change)
    channel.refresh_from_db()
    assert channel.config == config | {"headers": {"X-Token": "abc"}} and channel.monitor_alerts
    assert "was delivered: HTTP 200" in told(client.post(f"/alerts/channels/{channel.pk}/test/", follow=True))
    local_server.answer(status=404)
    assert "not delivered: HTTP 404" in told(client.post(f"/alerts/channels/{channel.pk}/test/", follow=True))
    rule = make_rule(name="Watcher", channels=[channel])
    assert "Watcher" in text(client.get(f"/alerts/channels/{channel.pk}/delete/"))
    client.post(f"/alerts/channels/{channel.pk}/delete/")
    assert not Channel.objects.exists() and Rule.objects.get() == rule


def test_channels_with_faults_and_mail_without_a_server(settings):
    client = browser()
    settings.EMAIL_URL = None
    assert "No mail server is configured" in text(client.get("/alerts/channels/new/?kind=email"))
    answer = client.post("/alerts/channels/new/?kind=email", {"name": "Mail", "recipients": "ops@example.org, nobody"})
    assert answer.status_code == 422 and "Not an e-mail address" in text(answer)
    answer = client.post("/alerts/channels/new/", {"name": "Hook", "url": "http://169.254.169.254/", "method": "POST"})
    assert answer.status_code == 422 and "not allowed as a target" in text(answer)
    answer = client.post(
        "/alerts/channels/new/", {"name": "H", "url": "http://x.example/", "method": "POST", "headers": "a"}
    )
    assert "Each line is a name" in text(answer)
    client.post("/alerts/channels/new/?kind=email", {"name": "Mail", "recipients": "a@example.org, b@example.org"})
    assert Channel.objects.get().config == {"recipients": ["a@example.org", "b@example.org"]}
    assert "a@example.org and 1 more" in text(client.get("/alerts/channels/"))
