"""Rules judged in passes (contract: fleet console §10)."""

import pytest

from alerts.channels.models import Notification
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.incidents.services import resolve
from fleet.instances.models import Instance
from tests.alerts.conftest import NOW, busy, fire_alert, later, make_channel, make_instance, make_rule, opened, report

pytestmark = pytest.mark.django_db


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
