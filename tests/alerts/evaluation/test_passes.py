"""Rules about what happens to instances, and the pass over all rules (contract: fleet console §10)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.evaluation.models import EvaluationPass
from alerts.evaluation.services import evaluate, evaluate_if_due
from alerts.incidents.models import Alert
from alerts.notices.models import Notice
from fleet.instances.models import Instance, Status
from tests.alerts.conftest import NOW, busy, later, make_channel, make_instance, make_rule, opened, report

pytestmark = pytest.mark.django_db
LASTING = {"duration_sec": 60}


def lifecycle(**conditions):
    return make_rule(type="LIFECYCLE", conditions=conditions)


def test_heartbeat_lost():
    lifecycle(event="heartbeat_lost", timeout_sec=120)
    make_instance(last_seen_at=later(-119))
    old = make_instance(last_seen_at=later(-120), name="db-1")
    silent = make_instance(last_seen_at=later(-500), status=Status.ERROR)
    never = make_instance(last_seen_at=None)
    Instance.objects.filter(pk=never.pk).update(created_at=later(-121))
    new = make_instance(last_seen_at=None)
    Instance.objects.filter(pk=new.pk).update(created_at=later(-20))
    for status in ("DESTROYED", "SUSPENDED", "STOPPED", "DEPLOYING", "UNKNOWN"):
        make_instance(last_seen_at=later(-500), status=status)
    evaluate(now=NOW)
    assert {alert.instance for alert in opened()} == {old, silent, never}
    alert = Alert.objects.get(instance=old)
    assert alert.title == "Heartbeat lost: db-1"
    assert alert.metadata["ageSeconds"] == 120 and alert.metadata["timeoutSec"] == 120
    assert alert.metadata["lastHeartbeatAt"] == "2026-03-02T11:58:00.000Z"
    Instance.objects.filter(pk=old.pk).update(last_seen_at=later(10))
    evaluate(now=later(15))
    assert not Alert.objects.open().filter(instance=old)


def test_unresponsive_and_status_changed():
    unresponsive = lifecycle(event="unresponsive")
    stopped = lifecycle(event="status_changed", target_statuses=["STOPPED", "SUSPENDED"])
    for status in Status.values:
        make_instance(name=status.lower(), status=status)
    evaluate(now=NOW)
    names = {
        rule: {alert.instance.name for alert in opened() if alert.rule == rule} for rule in (unresponsive, stopped)
    }
    assert names[unresponsive] == {"error", "unknown"}
    assert names[stopped] == {"stopped", "suspended"}
    alert = Alert.objects.get(rule=stopped, instance__name="stopped")
    assert alert.metadata == {"status": "STOPPED", "targetStatuses": ["STOPPED", "SUSPENDED"]}


def test_what_a_rule_does_not_look_at_any_more_ends():
    gone, other, rule = make_instance(), make_instance(), make_rule()
    for instance in (gone, other):
        report(instance, cpu_pct=99)
    evaluate(now=NOW)
    assert len(opened()) == 2
    Instance.objects.filter(pk=gone.pk).update(status=Status.DESTROYED)
    evaluate(now=later(15))
    assert [alert.instance for alert in opened()] == [other]
    rule.instance = make_instance()
    rule.save()
    evaluate(now=later(30))
    assert not opened()


def test_a_rule_of_one_instance_looks_at_that_one_only():
    watched, other = make_instance(), make_instance()
    make_rule(instance=watched)
    for instance in (watched, other):
        report(instance, cpu_pct=99)
    evaluate(now=NOW)
    assert [alert.instance for alert in opened()] == [watched]


def test_a_disabled_rule_is_not_looked_at():
    make_rule(enabled=False)
    report(make_instance(), cpu_pct=99)
    evaluate(now=NOW)
    assert not opened()


def test_the_number_of_reads_does_not_grow_with_the_fleet_or_the_rules():
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            evaluate(now=later(60))
        return len(seen)

    make_rule(conditions=LASTING)
    busy(make_instance(), {0: 99, 30: 99, 60: 99})
    evaluate(now=later(60))
    few = queries()
    for _ in range(5):
        make_rule(conditions=LASTING | {"threshold": 80})
        lifecycle(event="heartbeat_lost", timeout_sec=600)
        for _ in range(4):
            busy(make_instance(), {0: 99, 30: 99, 60: 99})
    evaluate(now=later(60))
    assert Alert.objects.open().count() == 21 * 6
    assert queries() == few


def test_the_number_of_statements_does_not_grow_with_the_alerts_that_open():
    make_rule(channels=[make_channel()])

    def statements(fresh: int) -> int:
        for _ in range(fresh):
            report(make_instance(), cpu_pct=99)
        with CaptureQueriesContext(connection) as seen:
            evaluate(now=NOW)
        return len(seen)

    statements(1)  # makes the group
    assert statements(20) == statements(2)
    assert Notice.objects.filter(kind="fired").count() == len(opened()) == 23


def test_passes_come_at_their_interval_and_the_first_at_once(settings):
    settings.ALERT_INTERVAL_S = 15
    assert evaluate_if_due(now=NOW)
    assert not evaluate_if_due(now=later(14))
    assert evaluate_if_due(now=later(15))
    row = EvaluationPass.objects.get()
    assert row.next_at == later(30) and row.finished_at >= later(15)


def test_a_pass_whose_worker_died_is_made_by_another():
    EvaluationPass.objects.create(next_at=later(300))
    assert not evaluate_if_due(now=later(299))
    assert evaluate_if_due(now=later(300))


def test_one_broken_alert_does_not_keep_the_others_from_coming(monkeypatch):
    from alerts.evaluation import services

    broken, fine = make_instance(name="a-broken"), make_instance(name="b-fine")
    make_rule()
    for instance in (broken, fine):
        report(instance, cpu_pct=99)
    real = services.fire_many

    def fire_many(openings, **more):
        if any(opening.fields["instance_id"] == broken.pk for opening in openings):
            raise RuntimeError("disk full")
        return real(openings, **more)

    monkeypatch.setattr(services, "fire_many", fire_many)
    evaluate(now=NOW)
    assert [alert.instance for alert in opened()] == [fine]
