"""Demo data: loaded through its page and command, moving, removed without a trace."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from alerts.channels.models import Channel
from alerts.demo import checks, fleet, services
from alerts.demo.models import DemoData
from alerts.demo.names import AGENT, HOT, SILENT, of_seed
from alerts.evaluation.services import evaluate
from alerts.incidents.models import Alert
from alerts.notices.models import Notice
from alerts.notices.services import write
from alerts.rules.models import Rule
from config.timeseries import Query, rows_of
from costs.budgets.models import Budget
from costs.ledger.models import CostEntry
from fleet.instances.models import Event, Instance
from fleet.metrics.models import Rollup, StoredSample
from loadtest.runs.models import Run as LoadRun
from loadtest.workspace.models import Collection
from monitors.agents.models import Agent
from monitors.monitors.models import Monitor
from monitors.runs.models import Run
from security.audit.models import AuditEntry
from security.bom.models import Component, Installed
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities.models import Advisory, Affected, Finding
from security.vulnerabilities.services import scan
from tests.fleet.pages.conftest import reporting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_history(monkeypatch):
    """Minutes instead of a day: the same code, less of it."""
    monkeypatch.setattr(fleet, "DAY", timedelta(minutes=12))
    monkeypatch.setattr(checks, "DAY", timedelta(minutes=30))


def counted() -> dict[str, int]:
    lines = rows_of(Query("SELECT count(*) FROM log_entry"))[0][0]
    models = (
        Instance, Event, Monitor, Run, Rule, Alert, LoadRun, Collection, Agent, StoredSample, CostEntry, Budget,
        Advisory, Affected, Component, Finding, Installed, Rotation, Secret, SecretVersion, SshKey,
    )  # fmt: skip
    return {model.__name__: model.objects.count() for model in models} | {"lines": lines}


def fleet_samples() -> list[tuple]:
    fleet_rows = Rollup.objects.filter(subject_kind=Rollup.Subject.FLEET, resolution=5)
    return list(fleet_rows.order_by("ts").values_list("ts", "n"))


class TestLoaded:
    def test_all_that_is_promised_is_there_and_one_rule_fires(self):
        channel = Channel.objects.create(name="chat", type="IN_APP", sealed_config="")
        call_command("demo", "load", "--seed", "3")
        names = of_seed(3)
        assert Instance.objects.count() == 24
        assert len({(one.geo_lat, one.geo_lon) for one in Instance.objects.all()}) == 6
        assert set(Monitor.objects.values_list("pk", flat=True)) == set(names.monitors)
        newest = dict(Monitor.objects.values_list("name", "last_status"))
        assert newest["Front page"] == "pass" and newest["Checkout"] == "fail"
        assert (
            Run.objects.filter(status="pass").count() > 30 and Run.objects.filter(agent=AGENT, counted_at=None).exists()
        )
        assert [run.pinned for run in LoadRun.objects.order_by("started_at")] == [True, False]
        risks = [set(model.objects.values_list("pk", flat=True)) for model in (Finding, Secret, Rotation, SshKey)]
        assert [len(ids) for ids in risks] == [12, 5, 5, 6] and set().union(*risks) == set(names.risks)
        told = sorted(Finding.objects.values_list("cve_id", "instance", "status", "detected_at"))
        for instance in Instance.objects.filter(findings__isnull=False).distinct()[:3]:
            scan(instance=instance, now=timezone.now())
        again = Finding.objects.values_list("cve_id", "instance", "status", "detected_at")
        assert sorted(again) == told, "a match finds the same"
        assert Instance.objects.get(name=SILENT).status == "ERROR"
        assert StoredSample.objects.filter(instance_id=names.instances[0]).count() > 10
        assert Rollup.objects.filter(subject_kind=Rollup.Subject.FLEET).exists()
        evaluate(now=timezone.now())
        assert [(alert.rule_id, alert.instance.name) for alert in Alert.objects.all()] == [(names.rules[0], HOT)]
        alert = Alert.objects.get()
        assert not write(alert=alert, channels=[channel], kind="fired", now=timezone.now())
        assert set(CostEntry.objects.values_list("instance_id", flat=True)) == set(names.instances)
        assert set(Budget.objects.values_list("pk", flat=True)) == set(names.budgets)
        alert.instance_id = alert.rule_id = None
        alert.dedupe_key = f"budget:{names.budgets[0]}"
        assert not write(alert=alert, channels=[channel], kind="fired", now=timezone.now()), "nor of its budgets"
        assert not Notice.objects.exists()

    def test_it_moves(self):
        call_command("demo", "load")
        before = Instance.objects.get(name=HOT).last_sample["at"]
        assert services.tend(now=timezone.now() + timedelta(seconds=30)) == "moved"
        assert Instance.objects.get(name=HOT).last_sample["at"] > before
        assert Instance.objects.get(name=SILENT).status == "ERROR"

    def test_the_same_seed_gives_the_same(self):
        now = timezone.now()
        first = [checks.measured(5, check, now, failing=False).metrics for check in checks.CHECKS]
        assert first == [checks.measured(5, check, now, failing=False).metrics for check in checks.CHECKS]
        assert of_seed(5).every == of_seed(5).every and not (of_seed(5).every & of_seed(6).every) - {AGENT}

    def test_twice_is_refused(self):
        services.ask(actor=None)
        with pytest.raises(CommandError, match="There is demo data already"):
            call_command("demo", "load")


class TestRemoved:
    def test_nothing_is_left_and_nothing_else_is_touched(self):
        own = reporting("own-1")
        Monitor.objects.create(
            name="own", tool="http", schedule="* * * * *", shortest_gap_s=60, enabled=False,
            agent=Agent.objects.create(pk="own", name="Own"),
        )  # fmt: skip
        before, summed = counted(), fleet_samples()
        call_command("demo", "load")
        assert counted() != before
        call_command("demo", "remove")
        assert counted() == before and fleet_samples() == summed
        assert Instance.objects.get() == own and not DemoData.objects.exists()
        assert services.tend() == ""
        acts = AuditEntry.objects.filter(resource="demo_data").order_by("at").values_list("action", flat=True)
        assert list(acts) == ["CREATE", "DELETE"]

    def test_removed_while_it_is_being_made(self, monkeypatch):
        before = counted()
        row = services.ask(actor=None)
        monkeypatch.setattr(fleet, "make_history", lambda *_: services.remove(actor=None))
        assert services.load(row, now=timezone.now()) is False
        assert counted() == before


class TestPages:
    def test_only_administrators_load_and_remove(self, browser, eager_tasks):
        assert browser("OPERATOR").post("/settings/demo/load/").status_code == 403
        admin = browser("ADMIN")
        assert "Load demo data" in admin.get("/").text
        page = admin.post("/settings/demo/load/", follow=True).text
        assert "Demo data is loaded." in page and HOT in page
        assert admin.get("/instances/").text.count("</span> demo</span>") == 24
        assert "Demo data removed" in admin.post("/settings/demo/remove/", follow=True).text
        assert "Demo data is loaded." not in admin.get("/").text
