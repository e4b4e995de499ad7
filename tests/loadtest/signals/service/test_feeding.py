"""Synthetic data in our own metrics and logs: marked, judged by rules, removed on request (contract: signals §9.2)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.rules.models import RuleType
from config.timeseries import Query, rows_of
from fleet.collectors import services as collectors
from fleet.collectors.models import Series
from fleet.instances.models import Instance, Provider, Status
from fleet.logs import services as logs
from fleet.metrics import services as metrics
from loadtest.signals.feeding.figures import sample_of
from loadtest.signals.running.models import Scenario
from tests.alerts.conftest import make_rule
from tests.loadtest.signals.service.conftest import BASE, entry, working


def body(**sink):
    shared = {"rate": 20, "duration": "600ms", "sink": {"type": "platform", **sink}}
    log = {"type": "template", "templates": [{"message": "belt stopped at {spot}", "field_pools": {"spot": ["A"]}}]}
    return {
        "version": 2, "kind": "runnable", "scenario_name": "night", "defaults": shared,
        "scenarios": [
            {"name": "cpu_percent" if not sink else "belts", "generator": {"type": "constant", "value": 97}},
            {"name": "belt", "signal_type": "logs", "log_generator": {**log, "severity_weights": {"error": 1}}},
        ],
    }  # fmt: skip


@pytest.fixture
def flushed():
    """The writers of this process have nothing left when a test ends and its tables are emptied."""
    yield
    for service in (collectors, logs, metrics):
        assert service.flush()


def count(sql, *params):
    return rows_of(Query(sql, params))[0][0]


@pytest.mark.django_db(transaction=True)
def test_rules_fire_on_a_synthetic_machine_and_a_purge_leaves_nothing(api, flushed):
    operator = api("OPERATOR")
    load = make_rule(conditions={"metric": "cpu_percent", "operator": "gt", "threshold": 90})
    silence = make_rule(type=RuleType.LIFECYCLE, conditions={"event": "heartbeat_lost", "timeout_sec": 30})
    made = operator.post(f"{BASE}/scenarios", body()).json()["scenarios"]
    machine = Instance.objects.get()
    assert machine.tags["synthetic"] == "signals" and machine.name.startswith("signals-night-")
    with working() as worker:
        worker.until(lambda: (Instance.objects.get().last_sample or {}).get("cpu_pct") == 97)
        now = timezone.now()
        evaluate(now=now)
        assert list(Alert.objects.values_list("rule", "instance")) == [(load.pk, machine.pk)]
        evaluate(now=now + timedelta(seconds=31))  # the log has a gap: its machine is silent
        assert Alert.objects.filter(rule=silence, instance=machine).count() == 1
        for one in made:
            row = worker.until_finished(one["id"])
            assert row.count("total_events") in (12, 13) and row.count("total_sink_failures") == 0, row.figures
            assert row.count("last_successful_write_at")
    series = Series.objects.get(name="cpu_percent")
    assert series.labels == {"source": "signals", "scenario": made[0]["id"]}
    assert count("SELECT count(*) FROM metric_point WHERE series_id = %s", series.pk) in (12, 13)
    assert count("SELECT count(*) FROM log_entry WHERE level = 40 AND message = %s", "belt stopped at A") in (12, 13)
    machine.refresh_from_db()
    assert machine.status == Status.STOPPED
    for one in made:
        assert operator.delete(f"{BASE}/scenarios/{one['id']}?purge=true").status_code == 200
    assert not Instance.objects.exists() and not Series.objects.exists() and not Scenario.objects.exists()
    for table in ("metric_point", "log_entry", "log_count", "metric_sample"):
        assert count(f"SELECT count(*) FROM {table}") == 0, table  # noqa: S608 - names from here


@pytest.mark.django_db(transaction=True)
def test_a_real_machine_keeps_what_is_its_own(api, flushed):
    operator = api("OPERATOR")
    real = Instance.objects.create(name="web-1", provider=Provider.SSH, status=Status.RUNNING)
    refused = operator.post(
        f"{BASE}/scenarios", entry(name="cpu_percent", sink={"type": "platform", "instance": real.pk})
    )
    assert refused.status_code == 422 and "real machine" in refused.json()["detail"]
    event = {
        "signal_type": "logs",
        "log": {"severity": "fatal", "message": "own {x}"},
        "sink": {"type": "platform", "instance": real.pk},
    }
    assert operator.post(f"{BASE}/events", event).json()["sent"] is True
    made = operator.post(f"{BASE}/scenarios", body(instance=real.pk)).json()["scenarios"]
    with working() as worker:
        for one in made:
            worker.until_finished(one["id"])
    assert count("SELECT count(*) FROM log_entry") > 10
    for one in made:
        assert operator.delete(f"{BASE}/scenarios/{one['id']}?purge=1").status_code == 200
    assert rows_of(Query("SELECT message, level FROM log_entry")) == [("own {x}", 40)]
    assert count("SELECT sum(n) FROM log_count") == 1 and not Series.objects.exists()
    real.refresh_from_db()
    assert real.last_seen_at is None and real.status == Status.RUNNING


def test_figures_of_a_machine():
    sample = sample_of({"cpu_percent": 120, "mem_percent": 50, "load_avg_5": -1, "net_bytes_recv": 7.9, "other": 1})
    assert (sample.cpu_pct, sample.mem_used * 2, sample.load5, sample.net_rx) == (100, sample.mem_total, 0, 7)
    assert sample_of({"other": 1, "cpu_percent": float("nan")}) is None
