"""Rules judged in passes (contract: fleet console §10)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.channels.models import Notification
from alerts.evaluation.models import EvaluationPass
from alerts.evaluation.services import evaluate, evaluate_if_due
from alerts.incidents.models import Alert
from alerts.incidents.services import resolve
from fleet.instances.models import Instance, Status
from tests.alerts.conftest import NOW, fire_alert, make_channel, make_instance, make_rule, report

pytestmark = pytest.mark.django_db


def later(seconds: float):
    return NOW + timedelta(seconds=seconds)


def busy(instance: Instance, values: dict[int, float]) -> None:
    """CPU in percent by seconds after NOW."""
    for second, value in values.items():
        report(instance, at=later(second), cpu_pct=value)


def opened() -> list[Alert]:
    return list(Alert.objects.open().order_by("title"))


def test_a_breach_opens_one_alert_that_says_what_is_wrong():
    channel = make_channel()
    rule, instance = make_rule(channels=[channel]), make_instance(name="web-7")
    report(instance, cpu_pct=94.25)
    evaluate(now=NOW)
    (alert,) = opened()
    assert (alert.rule, alert.instance, alert.severity, alert.status) == (rule, instance, "HIGH", "ACTIVE")
    assert alert.dedupe_key == f"{rule.pk}:{instance.pk}" and alert.fired_at == NOW
    assert alert.title == "CPU above 90 % on web-7"
    assert "94.2 %" in alert.message and "> 90 %" in alert.message
    assert alert.metadata == {"metric": "cpu_percent", "value": 94.25, "threshold": 90, "operator": "gt"}
    assert Notification.objects.get().channel == channel
    evaluate(now=later(15))
    assert len(opened()) == 1 and Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("metric", "figures", "text"),
    [
        ("mem_percent", {"mem": 91}, "Memory above 50 %"),
        ("disk_percent", {"disk": 51}, "Disk above 50 %"),
        ("load_avg_1", {"load1": 60.0}, "Load (1 min) above 50 on"),
        ("load_avg_5", {"load5": 51.0}, "Load (5 min) above 50 on"),
    ],
)
def test_every_metric_is_read_and_only_percentages_have_a_percent_sign(metric, figures, text):
    make_rule(conditions={"metric": metric, "threshold": 50})
    report(make_instance(), **figures)
    evaluate(now=NOW)
    assert opened()[0].title.startswith(text)
    assert ("%" in opened()[0].message) == ("percent" in metric)


@pytest.mark.parametrize(
    ("operator", "value", "fires"),
    [
        ("gt", 90, False), ("gt", 90.1, True), ("gte", 90, True), ("gte", 89.9, False),
        ("lt", 90, False), ("lt", 89.9, True), ("lte", 90, True), ("lte", 90.1, False),
    ],
)  # fmt: skip
def test_operators(operator, value, fires):
    make_rule(conditions={"operator": operator})
    report(make_instance(), cpu_pct=value)
    evaluate(now=NOW)
    assert bool(opened()) is fires


def test_it_ends_by_itself_and_tells_the_channels_that_were_told():
    told, quiet, off = make_channel(), make_channel(notify_resolved=False), make_channel(enabled=False)
    instance = make_instance()
    rule = make_rule(channels=[told, quiet, off])
    fire_alert(instance, rule=rule)
    late = make_channel()
    rule.channels.add(late)
    report(instance, at=later(15), cpu_pct=20)
    evaluate(now=later(20))
    alert = Alert.objects.get()
    assert (alert.status, alert.resolved_by) == ("RESOLVED", "system:auto-resolution")
    assert alert.resolved_at == later(20)
    sent = set(Notification.objects.values_list("channel", "kind"))
    assert sent == {(told.pk, "fired"), (quiet.pk, "fired"), (told.pk, "resolved")}


def test_an_acknowledged_alert_ends_too():
    instance = make_instance()
    alert = fire_alert(instance)
    Alert.objects.filter(pk=alert.pk).update(status="ACKNOWLEDGED")
    report(instance, at=later(15), cpu_pct=20)
    evaluate(now=later(20))
    assert not opened()


def test_after_a_cooldown_it_fires_again():
    instance, rule = make_instance(), make_rule(cooldown_s=300)
    alert = fire_alert(instance, rule=rule)
    resolve(alert=alert, now=later(10))
    busy(instance, {60: 99, 290: 99})
    evaluate(now=later(299))
    assert not opened()
    evaluate(now=later(300))
    assert len(opened()) == 1


def test_an_old_sample_is_no_verdict():
    instance = make_instance()
    fire_alert(instance)
    Instance.objects.filter(pk=instance.pk).update(last_seen_at=later(900))
    evaluate(now=later(301))
    assert len(opened()) == 1, "unknown does not resolve"
    Alert.objects.all().delete()
    evaluate(now=later(301))
    assert not opened(), "unknown does not fire"
    evaluate(now=later(300))
    assert len(opened()) == 1


def test_an_instance_without_the_figure_is_no_verdict():
    make_rule(conditions={"metric": "load_avg_1", "threshold": 1})
    report(make_instance(), cpu_pct=99)
    make_instance()
    evaluate(now=NOW)
    assert not opened()


LASTING = {"duration_sec": 60}


@pytest.mark.parametrize(
    ("values", "at", "fires"),
    [
        ({0: 99, 15: 99, 30: 99, 45: 99, 60: 99}, 60, True),
        ({0: 99, 15: 99, 30: 99, 45: 99}, 45, False),  # 45 of 60 seconds
        ({12: 99, 30: 99, 60: 99}, 60, True),  # 48 seconds are 80 %
        ({0: 99, 15: 20, 30: 99, 45: 99, 60: 99}, 60, False),
        ({0: 99, 30: 99, 60: 20}, 60, False),
        ({-1: 20, 0: 99, 30: 99, 60: 99}, 60, True),  # calm before the window
        ({-20: 99, 10: 99, 40: 99}, 60, True),  # an agent that speaks each 30 s
        ({-20: 20, 10: 99, 40: 99}, 60, False),
        ({60: 99}, 60, False),
    ],
)
def test_a_duration_wants_every_sample_over_most_of_the_time(values, at, fires):
    make_rule(conditions=LASTING)
    busy(make_instance(), values)
    evaluate(now=later(at))
    assert bool(opened()) is fires
    if fires:
        assert "for 1 min" in opened()[0].message and opened()[0].metadata["durationSec"] == 60


def test_a_duration_for_values_below():
    make_rule(conditions=LASTING | {"operator": "lt", "threshold": 10})
    idle, mixed = make_instance(), make_instance()
    busy(idle, {0: 1, 30: 2, 60: 3})
    busy(mixed, {0: 1, 30: 20, 60: 3})
    evaluate(now=later(60))
    assert [alert.instance for alert in opened()] == [idle]


def test_while_it_breaches_a_lasting_alert_stays_open():
    instance = make_instance()
    make_rule(conditions=LASTING)
    busy(instance, {0: 99, 30: 99, 60: 99})
    evaluate(now=later(60))
    busy(instance, {240: 99})  # silent for a while, then still too busy
    evaluate(now=later(240))
    assert len(opened()) == 1
    busy(instance, {250: 20})
    evaluate(now=later(250))
    assert not opened()


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
    real = services.fire

    def fire(**fields):
        if fields["instance_id"] == broken.pk:
            raise RuntimeError("disk full")
        return real(**fields)

    monkeypatch.setattr(services, "fire", fire)
    evaluate(now=NOW)
    assert [alert.instance for alert in opened()] == [fine]
