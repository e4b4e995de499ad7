"""SECURITY, COST and deploy_failed: verdicts from registered sources, and "no data" without one (fleet console §10)."""

from datetime import timedelta

import pytest

from alerts.evaluation import sources
from alerts.evaluation.services import evaluate
from alerts.evaluation.sources import Fact
from fleet.instances.changes import note
from security.keys import refusals
from tests.alerts.conftest import NOW, later, make_instance, make_rule, opened

pytestmark = pytest.mark.django_db
COST = {"budget_usd": 50, "period": "monthly", "threshold_percent": 80}


def rule_of(type, conditions, **fields):
    rule = make_rule(type=type, **fields)
    rule.conditions = conditions
    rule.save()
    return rule


@pytest.fixture
def source(monkeypatch):
    """`source(name, {instance id: Fact})` registers an answer for the length of a test."""
    asked = []

    def give(name, facts):
        def answer(conditions, ids, now):
            asked.append(conditions)
            return [facts] * len(conditions)

        monkeypatch.setitem(sources._sources, name, answer)
        return asked

    return give


@pytest.mark.parametrize("no_data", ["keep", "alert", "ignore"])
@pytest.mark.parametrize(
    ("type", "conditions"),
    [("SECURITY", {"check": "cve_detected", "severity_threshold": "HIGH"}), ("COST", COST)],
)
def test_without_a_source_there_is_no_data_and_nothing_fires(monkeypatch, type, conditions, no_data):
    monkeypatch.setattr(sources, "_sources", {})
    rule = rule_of(type, conditions, no_data=no_data)
    make_instance()
    evaluate(now=NOW)
    assert not opened()
    assert rule.states.get().verdict == "no_data"
    assert "Nothing reports" in sources.notice(rule)


def test_a_source_is_asked_once_for_all_rules_and_its_words_are_told(source):
    hit, fine, unknown = make_instance(name="hit"), make_instance(name="fine"), make_instance(name="unknown")
    facts = {
        hit.pk: Fact(True, 3, "3 open vulnerabilities, the worst CVE-2026-1", {"worst": "CVE-2026-1"}),
        fine.pk: Fact(False, 0),
    }
    asked = source("cve_detected", facts)
    rules = [
        rule_of("SECURITY", {"check": "cve_detected", "severity_threshold": level}) for level in ("HIGH", "MEDIUM")
    ]
    evaluate(now=NOW)
    assert len(asked) == 1 and len(asked[0]) == 2
    assert {alert.rule for alert in opened()} == set(rules)
    alert = opened()[0]
    assert alert.instance == hit and alert.title == "Known vulnerability: hit"
    assert alert.message.startswith("3 open vulnerabilities, the worst CVE-2026-1 (rule: ")
    assert alert.metadata == {"check": "cve_detected", "value": 3, "worst": "CVE-2026-1"}
    assert {state.subject_id: state.verdict for state in rules[0].states.all()} == {
        hit.pk: "true",
        unknown.pk: "no_data",
    }
    source("cve_detected", {hit.pk: Fact(False)})
    evaluate(now=later(15))
    assert not opened()


def test_cost_of_the_fleet_and_of_one_instance(source):
    one = make_instance(name="web-7")
    source("spend", {"fleet": Fact(True, 41.5), one.pk: Fact(False, 3)})
    fleet, single = rule_of("COST", COST), rule_of("COST", COST, instance=one)
    evaluate(now=NOW)
    (alert,) = opened()
    assert (alert.rule, alert.instance, alert.dedupe_key) == (fleet, None, f"{fleet.pk}:fleet")
    assert alert.message == "Cost of the fleet this month is 41.50 USD, at or above 40.00 USD (80 % of 50.00 USD)."
    assert alert.metadata["spentUsd"] == 41.5
    assert not single.alerts.exists()


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([], "no_data"),
        ([None], "no_data"),  # a registration
        ([{"status": "failed", "error": "image not found"}], "true"),
        ([{"status": "FAILED"}, {"status": "SUCCEEDED"}], None),
        ([{"success": True}, {"success": False}], "true"),
    ],
)
def test_a_failed_deployment_until_a_later_one_succeeds(outcomes, verdict):
    instance, rule = make_instance(name="web-7"), rule_of("LIFECYCLE", {"event": "deploy_failed"})
    for place, metadata in enumerate(outcomes):
        note(instance, "DEPLOY", now=later(place - 10), **(metadata or {"version": "1"}))
    evaluate(now=NOW)
    state = rule.states.first()
    assert (state.verdict if state else None) == verdict
    assert bool(opened()) is (verdict == "true")
    if "image" in str(outcomes):
        assert "The newest deployment failed: image not found" in opened()[0].message


def test_a_failure_of_yesterday_is_over():
    instance = make_instance()
    rule_of("LIFECYCLE", {"event": "deploy_failed"})
    note(instance, "DEPLOY", now=NOW - timedelta(hours=24), status="FAILED")
    evaluate(now=NOW)
    assert not opened()


def test_five_refused_authentications_within_ten_minutes():
    instance, other = make_instance(name="web-7"), make_instance()
    rule_of("SECURITY", {"check": "unauthorized_access"})
    for second in range(4):
        refusals.note(instance_id=instance.pk, now=later(second * 60))
    refusals.note(instance_id=other.pk, now=NOW)
    evaluate(now=later(300))
    assert not opened()
    refusals.note(instance_id=instance.pk, kind="terminal", now=later(301))
    evaluate(now=later(302))
    (alert,) = opened()
    assert alert.instance == instance and alert.metadata["value"] == 5
    evaluate(now=later(900))
    assert not opened()
