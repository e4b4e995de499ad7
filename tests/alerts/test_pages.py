"""The pages of alerts, rules and channels, as a browser without scripts uses them."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.channels.models import Channel
from alerts.incidents.models import Alert
from alerts.incidents.services import acknowledge, resolve
from alerts.rules.models import Rule
from config.api.authentication import Principal
from tests.alerts.conftest import (
    NOW,
    fire_alert,
    make_channel,
    make_instance,
    make_monitor,
    make_rule,
    report,
    send_all,
)
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


def browser(role: str = "OPERATOR", user: Any = None) -> Client:
    client = Client()
    client.user = user or make_user(role=role)
    client.force_login(client.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer: Any) -> str:
    assert answer.status_code in (200, 422), answer.status_code
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def told(answer: Any) -> str:
    """The message on the page that follows."""
    assert answer.status_code == 200
    return " ".join(re.findall(r'<div class="message[^>]*>([^<]*)', answer.content.decode()))


def test_nothing_is_wrong():
    assert "Nothing is wrong, and nothing has been" in text(browser().get("/alerts/"))
    resolve(alert=fire_alert(), now=NOW)
    page = text(browser().get("/alerts/"))
    assert "Nothing is wrong. The last alert was over" in page


def test_the_list_has_tabs_with_counts_and_filters():
    rule = make_rule(severity="CRITICAL")
    open_one, taken, over = (fire_alert(make_instance(name=name), rule=rule) for name in ("web-a", "web-b", "web-c"))
    person = make_user(role="OPERATOR")
    acknowledge(alert=taken, actor=Principal(user=person, role="OPERATOR"))
    resolve(alert=over, now=NOW)
    client = browser("VIEWER")
    page = text(client.get("/alerts/"))
    assert re.search(r"Open 1 Acknowledged 1 Resolved 1 All 3", page)
    assert open_one.title in page and taken.title not in page and over.title not in page
    assert person.email in text(client.get("/alerts/?tab=acknowledged"))
    assert over.title in text(client.get("/alerts/?tab=resolved"))
    everything = text(client.get("/alerts/?tab=all&q=web-c"))
    assert over.title in everything and open_one.title not in everything
    assert "No alert in this list matches these filters" in text(client.get("/alerts/?severity=low"))
    assert "No alert in this list" in text(client.get("/alerts/?about=monitor"))
    assert client.get("/alerts/?tab=x&severity=x&page=99&about=x").status_code == 200
    assert "Acknowledge</button>" not in client.get("/alerts/").content.decode()


def test_rows_refresh_in_place_and_tell_of_new_ones():
    client, rule = browser(), make_rule()
    first = fire_alert(rule=rule)
    shown = re.search(r'data-live-src="(/alerts/rows/[^"]*)"', client.get("/alerts/").content.decode())[1]
    fire_alert(make_instance(name="fresh-one"), rule=rule)
    resolve(alert=first, now=NOW)
    fragment = text(client.get(shown.replace("&amp;", "&")))
    assert "1 new" in fragment and "fresh-one" not in fragment
    assert first.title in fragment and "Resolved" in fragment


def test_acknowledge_with_a_note_and_resolve():
    client, alert = browser(), fire_alert(make_instance(name="web-7"))
    assert "You have it" in told(client.post(f"/alerts/{alert.pk}/acknowledge/", {"note": "looking"}, follow=True))
    alert.refresh_from_db()
    assert (alert.status, alert.note, alert.acknowledged_by_name) == ("ACKNOWLEDGED", "looking", client.user.email)
    back = client.post(f"/alerts/{alert.pk}/acknowledge/", {"note": "n" * 2001}, follow=True)
    assert "at most 2000 characters" in told(back)
    elsewhere = client.post(f"/alerts/{alert.pk}/resolve/", {"next": "https://evil.example.org/"})
    assert elsewhere["Location"] == f"/alerts/{alert.pk}/"
    page = text(client.get(f"/alerts/{alert.pk}/"))
    assert "CPU on web-7 was above 90 % for" in page
    assert "looking" in page and "Resolved" in page and client.user.email in page
    assert client.get(f"/alerts/{alert.pk}/resolve/").status_code == 405


def test_an_alert_tells_its_story(local_server):
    channel = make_channel(local_server.url)
    instance = make_instance(name="web-7")
    rule = make_rule(name="Busy", channels=[channel])
    alert = fire_alert(instance, rule=rule)
    local_server.answer(status=500)
    send_all(NOW)
    client = browser()
    page = text(client.get(f"/alerts/{alert.pk}/"))
    assert "CPU on web-7 has been above 90 % for" in page and "the last known value is 97.5 %" in page
    assert f"Could not tell {channel.name} of the alert" in page and "HTTP 500" in page
    assert "Trying again" in page and "Last changes of web-7" in page
    data = client.get(f"/alerts/{alert.pk}/chart/").json()
    assert data["threshold"] == {"value": 90, "label": "limit 90 %"}
    assert data["marks"] == [{"at": NOW.timestamp(), "label": "Fired"}]
    assert len(data["series"]) == 1 and data["series"][0]["label"] == "CPU"


def test_a_monitors_alert_links_to_its_runs(runs):
    alert = runs(make_monitor(name="Checkout"), "bb")
    page = browser("VIEWER").get(f"/alerts/{alert.pk}/").content.decode()
    assert f"/runs/{alert.run_id}/" in page and f"/runs/{alert.last_run_id}/" in page
    assert f"/monitors/{alert.monitor_id}/" in page and "2 bad runs" in page
    assert "data-chart-src" not in page


def test_several_at_once():
    client, rule = browser(), make_rule()
    alerts = [fire_alert(rule=rule) for _ in range(3)]
    ids = [alert.pk for alert in alerts]
    assert "Nothing was acknowledged" in told(client.post("/alerts/bulk/", {"act": "acknowledge"}, follow=True))
    done = client.post("/alerts/bulk/", {"act": "acknowledge", "ids": ids[:2]}, follow=True)
    assert "2 alerts acknowledged" in told(done)
    question = client.post("/alerts/bulk/", {"act": "resolve", "ids": ids})
    assert "Resolve 3 alerts?" in text(question) and alerts[0].title in text(question)
    assert Alert.objects.open().count() == 3
    done = client.post("/alerts/bulk/", {"act": "resolve", "ids": ids, "confirmed": "yes"}, follow=True)
    assert "3 alerts resolved" in told(done) and not Alert.objects.open().exists()


def test_teams_and_roles():
    team = make_team()
    rule = make_rule()
    own, common = fire_alert(make_instance(team=team), rule=rule), fire_alert(rule=rule)
    stranger = browser("OPERATOR")
    assert own.title not in text(stranger.get("/alerts/"))
    assert stranger.get(f"/alerts/{own.pk}/").status_code == 404
    assert stranger.post(f"/alerts/{own.pk}/resolve/").status_code == 404
    raised = make_user(role="VIEWER")
    team.memberships.create(user=raised, role="OPERATOR")
    member = browser(user=raised)
    assert member.post(f"/alerts/{common.pk}/acknowledge/").status_code == 403
    left = member.post("/alerts/bulk/", {"act": "acknowledge", "ids": [own.pk, common.pk]}, follow=True)
    assert "1 alert acknowledged" in told(left) and "1 left alone" in told(left)
    viewer = browser("VIEWER")
    for path in ("/alerts/rules/new/", "/alerts/channels/new/", f"/alerts/rules/{rule.pk}/edit/"):
        assert viewer.get(path).status_code == 403
    assert viewer.post(f"/alerts/{common.pk}/acknowledge/").status_code == 403
    assert Client().get("/alerts/").status_code == 302
    assert viewer.get(f"/alerts/{'x' * 200}/").status_code == 404


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


def test_pages_do_not_ask_more_with_more_rows(runs):
    client, rule, channel = browser(), make_rule(), make_channel()

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    paths = ("/alerts/?tab=all", "/alerts/rules/", "/alerts/channels/", "/api/v1/alerts", "/api/alerts")
    few = {}
    for path in paths:
        fire_alert(rule=rule)
        runs(make_monitor(), "b")
        queries(path)
        few[path] = queries(path)
    for _ in range(10):
        fire_alert(rule=rule)
        make_rule(channels=[channel, make_channel()])
        runs(make_monitor(), "b")
    for path in paths:
        assert queries(path) <= few[path] + 1 <= 25, path


def test_parts_of_an_alert_are_fetched_by_themselves():
    client, alert = browser(), fire_alert(make_instance(name="web-7"))
    assert "has been above 90 %" in text(client.get(f"/alerts/{alert.pk}/parts/now/"))
    assert "What happened" in text(client.get(f"/alerts/{alert.pk}/parts/story/"))
    assert client.get(f"/alerts/{alert.pk}/parts/other/").status_code == 404


def test_support_staff_look_at_everything_but_secrets():
    staff = browser(user=make_user(role="ADMIN"))
    channel = make_channel(config={"url": "https://example.org/", "secret": "hush"})
    alert = fire_alert(rule=make_rule(channels=[channel]))
    for model in (
        "alert",
        "alertevent",
        "rule",
        "channel",
        "notification",
        "attempt",
        "evaluationpass",
        "monitorstate",
    ):
        assert staff.get(f"/admin/alerts/{model}/?q=x").status_code == 200, model
    assert alert.title in text(staff.get("/admin/alerts/alert/"))
    detail = staff.get(f"/admin/alerts/channel/{channel.pk}/change/").content.decode()
    assert "hush" not in detail and channel.sealed_config not in detail
    assert staff.post(f"/admin/alerts/channel/{channel.pk}/delete/", {"post": "yes"}).status_code == 403
