"""A rule tried over the last 7 days, before it is saved."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.backtest import services
from alerts.backtest.playing import play
from alerts.backtest.series import Point, course, read
from alerts.backtest.services import backtest
from alerts.evaluation.readings import Subject
from fleet.metrics.services import roll_up
from tests.alerts.conftest import NOW, busy, later, make_instance, make_rule, report
from tests.alerts.rules.test_api import BODY, URL

pytestmark = pytest.mark.django_db
MACHINE = Subject("one", "web-7", "RUNNING", None, NOW, None, None)


def fired(rule, values, *, every_s=30, step_s=0, until=None):
    """Seconds after NOW at which the rule fires and ends, over values that come evenly; None is a missing one."""
    points = [Point(later(place * every_s), value, 1) for place, value in enumerate(values) if value is not None]
    end = until or later(len(values) * every_s)
    found = play(rule, MACHINE, points, step_s=step_s, until=end)
    return [
        (round((one.fired_at - NOW).total_seconds()), one.ended_at and round((one.ended_at - NOW).total_seconds()))
        for one in found
    ]


@pytest.mark.parametrize(
    ("fields", "values", "expected"),
    [
        ({}, [10, 95, 95, 10, 95], [(30, 90), (120, None)]),
        ({"cooldown_s": 300}, [95, 10, 95, 10] + [10] * 6 + [95], [(0, 30), (300, None)]),
        ({"conditions": {"duration_sec": 60}}, [10, 95, 95, 95, 10, 95, 95], [(90, 120)]),
        ({"clear_threshold": 80}, [95, 85, 85, 79, 85], [(0, 90)]),
        ({"match_count": 2, "match_window": 3}, [95, 10, 95, 10, 10], [(60, 90)]),
        ({"keep_firing_s": 60}, [95, 10, 95, 10, 10, 10, 10], [(0, 150)]),
        ({"no_data": "ignore"}, [95] + [None] * 20 + [95], [(0, 300), (630, None)]),
        ({"no_data": "keep"}, [95] + [None] * 20 + [95], [(0, None)]),
        ({"no_data": "alert"}, [10] + [None] * 20 + [10], [(300, 630)]),
        ({"conditions": {"operator": "lt", "threshold": 5}}, [10, 4, 6], [(30, 60)]),
    ],
)
def test_the_past_is_judged_as_the_present_would_be(fields, values, expected):
    assert fired(make_rule(**fields), values) == expected


def test_unusual_values_and_silences():
    rule = make_rule(type="ANOMALY")
    rule.conditions = {"metric": "cpu_percent", "deviation_percent": 50, "window_sec": 600}
    assert fired(rule, [10, 10, 10, 10, 16, 10]) == [(120, 150)]
    rule.type, rule.conditions = "LIFECYCLE", {"event": "heartbeat_lost", "timeout_sec": 120}
    assert fired(rule, [1, 1, None, None, None, None, 1, 1]) == [(150, 180)]
    assert fired(rule, [1], until=later(600)) == [(120, None)]
    assert fired(rule, [], until=later(600)) == []


def test_samples_are_read_while_they_are_few_and_steps_beyond(monkeypatch):
    machine = make_instance()
    busy(machine, dict.fromkeys(range(0, 3600, 100), 10) | {610: 95})
    end = later(3600)
    rule = make_rule()
    from alerts.backtest import series

    def tried(most):
        monkeypatch.setattr(series, "MOST_ROWS", most)
        wanted = course([machine.pk], "cpu_pct", since=later(-3600), until=end, highest=True)
        ((_, points),) = read(wanted)
        return wanted.step_s, play(rule, MACHINE, points, step_s=wanted.step_s, until=end)

    step_s, raw = tried(200_000)
    assert step_s == 0 and [one.fired_at for one in raw] == [later(610)]
    roll_up()
    step_s, rolled = tried(10)
    assert step_s == 3600 and len(rolled) == 1 and rolled[0].value == 95
    step_s, rolled = tried(24)
    assert step_s == 300 and [one.fired_at for one in rolled] == [later(600)]


def test_over_the_api_before_saving(api):
    now, machine = timezone.now(), make_instance(name="web-7")
    for minutes, value in ((90, 10), (80, 95), (70, 10), (1, 95)):
        report(machine, at=now - timedelta(minutes=minutes), cpu_pct=value)
    make_instance()
    conditions = {"metric": "cpu_percent", "operator": "gt", "threshold": 90}
    answer = api("OPERATOR").post(f"{URL}/backtest", {"type": "THRESHOLD", "conditions": conditions})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["fired"], body["affected"], body["judged"], body["complete"]) == (2, 1, 2, True)
    assert (body["stepSec"], body["basis"], body["possible"]) == (0, "every sample", True)
    assert [one["instanceName"] for one in body["firings"]] == ["web-7"] * 2
    assert body["firings"][0]["resolvedAt"] is None and body["firings"][1]["resolvedAt"]
    assert body["now"] | {"notice": None} == {
        "firing": 1, "names": ["web-7"], "judged": 2, "pending": 0, "unknown": 1, "notice": None,
    }  # fmt: skip
    assert sum(hour["open"] for hour in body["openByHour"]) >= 2


def test_it_needs_a_whole_condition_and_the_role(api):
    for body in ({}, {"type": "THRESHOLD"}, {"type": "THRESHOLD", "conditions": {"metric": "x"}}, [], "x", 5):
        answer = api("OPERATOR").post(f"{URL}/backtest", body)
        assert answer.status_code == 400, answer.content
    assert api("VIEWER").post(f"{URL}/backtest", BODY).status_code == 403


@pytest.mark.parametrize(
    ("type", "conditions"),
    [
        ("LIFECYCLE", {"event": "unresponsive"}),
        ("SECURITY", {"check": "unauthorized_access"}),
        ("COST", {"budget_usd": 10, "period": "daily", "threshold_percent": 80}),
    ],
)
def test_what_no_history_tells_is_said(api, type, conditions):
    make_instance()
    body = api("OPERATOR").post(f"{URL}/backtest", {"type": type, "conditions": conditions}).json()
    assert not body["possible"] and "cannot be tried over" in body["reason"] and body["fired"] == 0


def test_time_is_bounded_and_what_is_left_out_is_told(api):
    for _ in range(3):
        busy(make_instance(), {0: 95})
    rule = make_rule()
    result = backtest(rule, api("ADMIN").user.principal(), now=later(60), most_s=-1)
    assert (result.judged, result.total, result.complete) == (0, 3, False)
    assert "3 of 3 instances were left out" in result.reason


def test_hours_count_every_alert_that_was_open_within():
    one = services.Firing(MACHINE, NOW + timedelta(minutes=30), 95, NOW + timedelta(minutes=90))
    counts = dict(services.by_hour([one], NOW - timedelta(hours=1), NOW + timedelta(hours=3)))
    start = int(NOW.timestamp())
    assert [counts[start + 3600 * hour] for hour in (-1, 0, 1, 2, 3)] == [0, 1, 1, 0, 0]
