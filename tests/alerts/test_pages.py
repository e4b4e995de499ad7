"""The pages of alerts, rules and channels, as a browser without scripts uses them."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from alerts.incidents.models import Alert
from alerts.incidents.services import acknowledge, resolve
from config.api.authentication import Principal
from tests.alerts.conftest import (
    NOW,
    browser,
    fire_alert,
    make_channel,
    make_instance,
    make_monitor,
    make_rule,
    send_all,
    text,
    told,
)
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


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
    assert re.search(r"Open 1 Acknowledged 1 Silenced 0 Resolved 1 All 3", page)
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
