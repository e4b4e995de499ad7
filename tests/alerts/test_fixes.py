"""Fixes that are overdue: one alert an instance, over when nothing is overdue; vulnerabilities as rules see them."""

from datetime import timedelta

import pytest

from alerts.evaluation import vulnerabilities
from alerts.evaluation.services import evaluate
from alerts.fixes.services import look
from alerts.inbox.models import InboxEntry
from alerts.incidents.models import Alert, Status
from alerts.incidents.services import resolve_by_hand
from security.bom.models import Inventory
from security.keys.services import principal_of
from security.vulnerabilities.models import Archive
from tests.alerts.conftest import NOW, later, make_channel, make_instance, make_rule, send_all
from tests.factories import make_finding, make_team, make_user

pytestmark = pytest.mark.django_db
DAY = 86_400
PAST = NOW - timedelta(days=2)


def test_one_alert_an_instance_that_ends_when_nothing_is_overdue():
    make_user()
    make_channel(type="IN_APP", config={})
    web, db = make_instance(), make_instance()
    first = make_finding(web, severity="MEDIUM", due_at=PAST)
    make_finding(web, severity="LOW", due_at=PAST - timedelta(days=1))
    make_finding(db, severity="CRITICAL", due_at=later(1))
    make_finding(db, severity="CRITICAL", due_at=PAST, status="FALSE_POSITIVE")
    make_finding(make_instance(status="DESTROYED"), severity="CRITICAL", due_at=PAST)
    for second in range(3):
        look(now=later(second / 10))
    alert = Alert.objects.get()
    assert (alert.instance, alert.severity, alert.source) == (web, "MEDIUM", "security")
    assert alert.title == f"2 fixes are overdue on {web.name}"
    assert "the first since 2026-02-27 12:00 UTC" in alert.message and "severity medium" in alert.message
    send_all(later(1))
    assert InboxEntry.objects.count() == 1, "told once"

    look(now=later(60))
    assert Alert.objects.open().count() == 2, "another instance, another alert"

    first.severity, first.rank = "HIGH", 1
    first.save()
    look(now=later(120))
    worse = Alert.objects.open().get(instance=web)
    assert (worse.severity, worse.pk != alert.pk) == ("HIGH", True)

    web.findings.update(status="ACKNOWLEDGED")
    look(now=later(180))
    worse.refresh_from_db()
    assert (worse.status, worse.resolved_by) == (Status.RESOLVED, "system:auto-resolution")


def test_what_a_person_has_resolved_rests_for_a_day(api):
    make_finding(make_instance(), due_at=PAST)
    look(now=NOW)
    resolve_by_hand(alert=Alert.objects.get(), actor=principal_of(api().key))
    Alert.objects.update(resolved_at=NOW)
    look(now=later(DAY - 60))
    assert not Alert.objects.open().exists()
    look(now=later(DAY + 60))
    assert Alert.objects.open().count() == 1


def test_a_rule_finds_open_vulnerabilities_at_or_above_its_severity():
    conditions = {"check": "cve_detected", "severity_threshold": "HIGH"}
    rule = make_rule(type="SECURITY", conditions=conditions)
    hit, fine, unlisted = make_instance(), make_instance(), make_instance()
    make_finding(hit, severity="CRITICAL")
    bad = make_finding(hit, severity="HIGH")
    make_finding(hit, severity="HIGH", status="ACKNOWLEDGED")
    make_finding(fine, severity="MEDIUM")
    Inventory.objects.create(instance=fine, source="agent", received_at=NOW, digest="")
    evaluate(now=NOW)
    alert = Alert.objects.get()
    assert (alert.rule, alert.instance) == (rule, hit)
    assert "1 critical and 1 high vulnerabilities are open" in alert.message
    asked = [conditions, {"check": "cve_detected"}, conditions | {"severity_threshold": "MEDIUM"}]
    high, default, medium = vulnerabilities.facts(asked, [hit.pk, fine.pk, unlisted.pk], NOW)
    assert high == default and [high[fine.pk].holds, medium[fine.pk].holds] == [False, True]
    assert unlisted.pk not in high, "nobody knows what is installed there"
    hit.findings.exclude(pk=bad.pk).update(status="FIXED")
    hit.findings.filter(pk=bad.pk).update(status="FALSE_POSITIVE")
    assert hit.pk not in vulnerabilities.facts(asked, [hit.pk], NOW)[0], "nothing was held against advisories"
    Inventory.objects.create(instance=hit, source="agent", received_at=NOW, digest="")
    Archive.objects.create(name="Debian", digest="", imported_at=NOW)
    evaluate(now=later(60))
    alert.refresh_from_db()
    assert alert.status == Status.RESOLVED


def test_the_overview_tells_the_score_and_what_is_overdue(browser):
    team = make_team()
    client = browser("VIEWER", teams={team: "VIEWER"})
    assert "no advisories were imported yet" in client.get("/overview/outlook/").content.decode()
    web = make_instance(team=team)
    make_finding(web, severity="HIGH", due_at=PAST)
    make_finding(make_instance(team=make_team()), severity="CRITICAL", due_at=PAST)
    page = client.get("/overview/outlook/").content.decode()
    assert ">90</a> <small>of 100, grade A</small>" in page and "1 open finding," in page
    needs = client.get("/overview/needs/").content.decode()
    assert needs.count("1 fix is overdue on") == needs.count(f"1 fix is overdue on {web.name}") > 0
    assert f"/security/?instance={web.pk}&amp;overdue=yes" in needs
    look(now=NOW)
    told = client.get("/overview/needs/").content.decode()
    assert f"/alerts/{Alert.objects.get(instance=web).pk}/" in told and "overdue=yes" not in told
