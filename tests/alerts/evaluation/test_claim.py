"""One pass at a time; a pass that dies at any point loses and doubles nothing (contract: fleet console §10)."""

import contextlib

import pytest

from alerts.channels.models import Channel
from alerts.evaluation import claim, services, states
from alerts.evaluation.claim import Claim, Lost
from alerts.evaluation.models import EvaluationPass, RuleState
from alerts.evaluation.services import evaluate, evaluate_if_due
from alerts.incidents.models import Alert, AlertEvent
from alerts.notices.models import Notice
from fleet.instances.models import Instance, Status
from tests.alerts.conftest import NOW, later, make_channel, make_instance, make_rule, opened, report

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends here: nothing after it runs, nothing catches it."""


def dies_after(monkeypatch, place: object, name: str, calls: int) -> None:
    """Let the process die in the n-th call, after it has done its work."""
    real, left = getattr(place, name), [calls]

    def dying(*args, **kwargs):
        result = real(*args, **kwargs)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return result

    monkeypatch.setattr(place, name, dying)


@pytest.mark.parametrize("calls", [1, 2, 3])
@pytest.mark.parametrize(
    ("place", "name"), [(services, "fire_many"), (states, "write"), (services, "resolve"), (states, "forget")]
)
def test_a_pass_killed_anywhere_is_finished_by_the_next(monkeypatch, place, name, calls):
    monkeypatch.setattr(services, "CHUNK", 1)
    rule = make_rule(channels=[make_channel()])
    ends, starts = [make_instance() for _ in range(2)], [make_instance() for _ in range(2)]
    for instance in ends:
        report(instance, cpu_pct=99)
    evaluate(now=NOW)
    for instance, value in [(one, 5) for one in ends] + [(one, 99) for one in starts]:
        report(instance, at=later(30), cpu_pct=value)
    with monkeypatch.context() as patch:
        dies_after(patch, place, name, calls)
        with contextlib.suppress(Killed):
            evaluate(now=later(30))
    evaluate(now=later(35))
    evaluate(now=later(40))
    assert {alert.instance for alert in opened()} == set(starts)
    assert Alert.objects.count() == 4
    kinds = list(AlertEvent.objects.order_by("kind").values_list("kind", flat=True))
    assert kinds == ["fired"] * 4 + ["resolved"] * 2
    assert Notice.objects.filter(kind="fired", alert__status="ACTIVE").count() == 2
    assert {state.subject_id for state in rule.states.filter(verdict="true")} == {one.pk for one in starts}
    assert Channel.objects.count() == 1


def test_a_worker_that_was_away_longer_than_its_lease_stops():
    first = Claim.take(NOW)
    assert first and Claim.take(later(299)) is None
    second = Claim.take(later(301))
    with pytest.raises(Lost):
        first.renew()
    second.renew()
    first.finish(5)
    assert EvaluationPass.objects.get().finished_at is None
    second.finish(5)
    assert EvaluationPass.objects.get().finished_at is not None


def test_a_pass_whose_lease_is_lost_leaves_the_rest_to_the_other(monkeypatch):
    monkeypatch.setattr(services, "CHUNK", 1)
    make_rule()
    for _ in range(3):
        report(make_instance(), cpu_pct=99)

    def renew(self):
        raise Lost

    monkeypatch.setattr(Claim, "renew", renew)
    assert evaluate_if_due(now=NOW)
    assert len(opened()) == 1
    evaluate(now=later(5))
    assert len(opened()) == 3


def test_passes_that_take_long_come_less_often(monkeypatch):
    moments = iter([0.0, *[4.0] * 10])
    monkeypatch.setattr(claim.time, "perf_counter", lambda: next(moments))
    Claim.take(NOW).finish(5)
    row = EvaluationPass.objects.get()
    assert row.next_at == later(8) and row.duration_ms == 4000


def test_memories_of_machines_that_are_gone_are_pruned():
    gone, stays = make_instance(), make_instance()
    make_rule()
    for instance in (gone, stays):
        report(instance, cpu_pct=99)
    evaluate(now=NOW)
    Instance.objects.filter(pk=gone.pk).update(status=Status.DESTROYED)
    states.prune()
    assert RuleState.objects.get().subject_id == stays.pk


def test_a_changed_rule_starts_afresh_and_what_is_open_is_judged_anew(api):
    rule, instance = make_rule(), make_instance()
    report(instance, cpu_pct=95)
    evaluate(now=NOW)
    conditions = rule.conditions | {"threshold": 97}
    answer = api("OPERATOR").put(f"/api/v1/alerts/rules/{rule.pk}", {"conditions": conditions})
    assert answer.status_code == 200 and not RuleState.objects.exists() and len(opened()) == 1
    evaluate(now=later(5))
    assert not opened()
    api("OPERATOR").put(f"/api/v1/alerts/rules/{rule.pk}", {"name": "Other"})
    assert RuleState.objects.exists()  # a name asks nothing new


def test_states_over_the_api(api):
    rule, hot = make_rule(), make_instance(name="hot")
    make_instance(name="mute")
    report(hot, cpu_pct=95)
    evaluate(now=NOW)
    body = api("VIEWER").get(f"/api/v1/alerts/rules/{rule.pk}/states").json()
    assert body["total"] == 2 and body["states"] == body["data"]
    assert body["states"][0] == {
        "instanceId": hot.pk,
        "instanceName": "hot",
        "verdict": "true",
        "value": 95,
        "since": "2026-03-02T12:00:00.000Z",
        "history": "",
        "alertId": opened()[0].pk,
    }
    assert (body["states"][1]["instanceName"], body["states"][1]["verdict"]) == ("mute", "no_data")
