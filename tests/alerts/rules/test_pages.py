"""The pages of rules, as a browser without scripts uses them (user experience §4.2)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.evaluation import sources
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.rules.models import Rule
from tests.alerts.conftest import browser, fire_alert, make_channel, make_instance, make_rule, report, text, told
from tests.factories import make_team

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


def test_the_preview_says_where_it_would_fire_now_and_how_often_it_would_have():
    now, hot, calm = timezone.now(), make_instance(name="busy-1"), make_instance(name="calm-1")
    make_instance(name="unknown-1")
    for minutes, value in ((60, 99), (50, 5), (0, 99)):
        report(hot, at=now - timedelta(minutes=minutes), cpu_pct=value)
    report(calm, at=now, cpu_pct=5)
    client, typed = browser(), FORM | {"metric": "cpu_percent", "duration_s": ""}
    part = text(client.get("/alerts/rules/preview/", typed))
    assert "Would fire now for 1 of 3: busy-1" in part and "Nothing recent is known of 1" in part
    assert "it would have fired 2 times for 1 of 3 instances, judged by every sample" in part
    chart = client.get("/alerts/rules/preview/", typed, headers={"Accept": "application/json"}).json()
    assert max(value for _, value in chart["series"][0]["points"]) >= 1
    lasting = text(client.get("/alerts/rules/preview/", FORM | {"metric": "cpu_percent"}))
    assert "For 1 the limit is broken, but not long enough yet" in lasting
    assert "As soon as the condition is complete" in text(client.get("/alerts/rules/preview/", {"metric": "x"}))


def test_the_same_without_scripts_keeps_what_was_typed_and_saves_nothing():
    report(make_instance(name="busy-1"), at=timezone.now(), disk=99)
    typed = FORM | {"duration_s": "", "try": "1", "name": ""}
    page = browser().post("/alerts/rules/new/", typed)
    assert page.status_code == 200 and not Rule.objects.exists()
    assert "Would fire now for 1 of 1: busy-1" in text(page) and "Not saved" not in text(page)
    assert 'value="CRITICAL" selected' in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "typed", "conditions", "said"),
    [
        (
            "anomaly",
            {"metric": "net_bytes_recv", "deviation_percent": "80", "window_s": "3600"},
            {"metric": "net_bytes_recv", "deviation_percent": 80, "window_sec": 3600},
            "Network received 80 % or more off its mean of 1 h",
        ),
        (
            "lifecycle",
            {"event": "deploy_failed"},
            {"event": "deploy_failed"},
            "The newest deployment failed within 24 h",
        ),
        (
            "security",
            {"check": "cve_detected", "severity_threshold": "MEDIUM"},
            {"check": "cve_detected", "severity_threshold": "MEDIUM"},
            "An open vulnerability of severity medium or worse",
        ),
        (
            "cost",
            {"period": "daily", "threshold_percent": "80", "budget_usd": "20"},
            {"period": "daily", "threshold_percent": 80, "budget_usd": 20},
            "Cost today at or above 80 % of 20.00 USD",
        ),
    ],
)
def test_rules_of_every_kind_are_written_and_shown(kind, typed, conditions, said):
    client = browser()
    plain = {"name": "New", "severity": "LOW", "cooldown_s": "0", "enabled": "on"}
    made = client.post(f"/alerts/rules/new/?kind={kind}", plain | typed)
    assert made.status_code == 302, text(made)
    rule = Rule.objects.get()
    assert (rule.type, rule.conditions) == (kind.upper(), conditions)
    assert said in text(client.get("/alerts/rules/")) and said in text(client.get(f"/alerts/rules/{rule.pk}/"))
    assert client.get(f"/alerts/rules/{rule.pk}/edit/").status_code == 200
    assert "7 days" in text(client.get(f"/alerts/rules/{rule.pk}/trial/"))


def test_additions_against_noise():
    client, team = browser("ADMIN"), make_team(name="Web")
    more = {
        "team": team.pk, "clear_threshold": "80", "match_count": "2", "match_window": "3", "keep_firing_s": "60",
        "no_data": "alert", "labels": "service=web\ntier = 1",
    }  # fmt: skip
    assert client.post("/alerts/rules/new/", FORM | more).status_code == 302
    rule = Rule.objects.get()
    assert rule.labels == {"service": "web", "tier": "1"} and rule.team == team
    page = text(client.get(f"/alerts/rules/{rule.pk}/"))
    for said in (
        "2 of the last 3 samples",
        "at or below 80 %",
        "stays open for 1 min",
        "Missing data counts",
        "team Web",
    ):
        assert said in page
    form = client.get(f"/alerts/rules/{rule.pk}/edit/").content.decode()
    assert "service=web\ntier=1" in form and '<details class="card" open>' in form
    wrong = client.post("/alerts/rules/new/", FORM | {"clear_threshold": "95", "labels": "service"})
    assert wrong.status_code == 422 and "equals sign" in text(wrong)
    assert "the limit itself" in text(client.post("/alerts/rules/new/", FORM | {"clear_threshold": "95"}))


def test_the_page_of_a_rule_says_what_it_finds_for_each_instance():
    now, rule = timezone.now(), make_rule(name="Busy", match_count=2, match_window=3)
    hot, calm, old = (make_instance(name=name) for name in ("hot", "calm", "old"))
    make_instance(name="mute")
    report(old, at=now - timedelta(minutes=9), cpu_pct=50)
    report(calm, at=now - timedelta(seconds=40), cpu_pct=5)
    for second in (30, 0):
        report(hot, at=now - timedelta(seconds=second), cpu_pct=97)
        evaluate(now=now - timedelta(seconds=second))
    page = text(browser("VIEWER").get(f"/alerts/rules/{rule.pk}/"))
    for said in ("hot ▲ True 97 %", "calm ● Not true 5 %", "old ○ Stale 50 % old", "mute ○ No data none"):
        assert said in page, page
    assert page.index("hot") < page.index("calm") and "2 of 3 true" not in page and "2 of 2 true" in page
    assert "Edit rule" not in page


def test_a_rule_without_reports_says_so_and_never_that_all_is_fine(monkeypatch):
    monkeypatch.setattr(sources, "_sources", {})
    make_instance(name="web-7")
    rule = make_rule(type="COST")
    rule.conditions = {"budget_usd": 10, "period": "daily", "threshold_percent": 80}
    rule.save()
    page = text(browser().get(f"/alerts/rules/{rule.pk}/"))
    assert "Nothing reports costs yet" in page and "No data" in page and "Not true" not in page


def test_switching_and_deleting_a_rule():
    client, alert = browser(), fire_alert()
    client.post(f"/alerts/rules/{alert.rule_id}/disable/")
    alert.refresh_from_db()
    assert alert.status == "RESOLVED" and not alert.rule.enabled
    client.post(f"/alerts/rules/{alert.rule_id}/enable/")
    assert "with its 1 alert" in text(client.get(f"/alerts/rules/{alert.rule_id}/delete/"))
    client.post(f"/alerts/rules/{alert.rule_id}/delete/")
    assert not Rule.objects.exists() and not Alert.objects.exists()
