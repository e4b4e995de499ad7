"""Instances that nobody uses (contract: fleet console §15)."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine

from costs.idle.queries import idle
from fleet.commands.models import Batch, Execution
from fleet.deployments.models import Deployment
from fleet.instances.models import Event
from fleet.metrics.recording import record
from fleet.metrics.samples import Beat, Sample
from fleet.terminals.models import TerminalSession
from tests.costs.spending import NOW, TODAY, ago, make_instance, spend
from tests.factories import make_team

pytestmark = pytest.mark.django_db
IDLE, PAGES = "/api/v1/costs/idle", "/api/v1/costs/idle-instances"
SYSTEM = SimpleNamespace(instance_id=None, sees_all=True)
HOUR = timedelta(hours=1)


def used(instance, *, cpu: float, hours_ago: float = 1) -> None:
    at = NOW - hours_ago * HOUR
    record([Beat(instance_id=instance.pk, at=at, sample=Sample(cpu_pct=cpu, mem_pct=30))], now=at)


def found(hours: int = 48) -> list[str]:
    return [one.instance.name for one in idle(SYSTEM, hours=hours, now=NOW)]


def ran(instance, at: datetime) -> None:
    batch = Batch.objects.create(asked_by="x", command="ls", timeout_ms=1000, created_at=at)
    Execution.objects.create(batch=batch, instance=instance, created_at=at)


def opened(instance, at: datetime) -> None:
    TerminalSession.objects.create(
        instance=instance, user_name="x", status="CLOSED", created_at=at, last_input_at=at, seen_at=at, ended_at=at
    )


def deployed(instance, at: datetime) -> None:
    Deployment.objects.create(
        instance=instance, event="REDEPLOY", config_hash="", yaml_content="", provider="fly", status="SUCCEEDED",
        started_at=at,
    )  # fmt: skip


def registered(instance, at: datetime) -> None:
    Event.objects.create(instance=instance, type="DEPLOY", timestamp=at, metadata={"triggered_by": "api"})


@pytest.mark.parametrize("act", [ran, opened, deployed])
def test_who_is_used_is_not_idle(act):
    instance = make_instance(name="web")
    act(instance, NOW - 47 * HOUR)
    assert not found()
    assert found(46) == ["web"]
    (one,) = idle(SYSTEM, hours=46, now=NOW)
    assert (one.last_activity_at, round(one.hours(NOW))) == (NOW - 47 * HOUR, 47)


def test_a_registration_is_no_use_and_a_new_machine_is_not_idle():
    registered(make_instance(name="old"), NOW - HOUR)
    make_instance(name="new", created_at=NOW - 47 * HOUR)
    make_instance(name="gone", status="DESTROYED")
    make_instance(name="stopped", status="STOPPED", created_at=NOW - 50 * HOUR)
    assert found() == ["old", "stopped"], "longest idle first"


def test_a_processor_at_work_is_use():
    calm, busy, silent = make_instance(name="calm"), make_instance(name="busy"), make_instance(name="silent")
    used(calm, cpu=4.9)
    used(busy, cpu=5)
    used(silent, cpu=90, hours_ago=60)
    assert set(found()) == {"calm", "silent"}
    assert set(found(72)) == {"calm"}


@time_machine.travel(NOW, tick=False)
def test_over_http(api):
    web, dark = make_instance(region="fra"), make_instance(team=make_team(), created_at=NOW - 60 * HOUR)
    used(web, cpu=2.345)
    ran(web, NOW - 100 * HOUR)
    spend(web, {ago(2): 9, ago(1): 2.33, TODAY: 1})
    viewer, admin = api("VIEWER"), api("ADMIN")
    (one,) = viewer.get(IDLE).json()["instances"]
    assert one == {
        "instanceId": web.pk, "instanceName": web.name, "provider": "fly", "status": "RUNNING",
        "lastActivityAt": "2026-03-16T08:00:00.000Z", "idleSinceHours": 100, "estimatedMonthlyCost": 69.9,
        "costKnown": True,
    }  # fmt: skip
    body = admin.get(PAGES).json()
    assert [row["instanceId"] for row in body["instances"]] == [web.pk, dark.pk] and body["totalWastedUsdMo"] == 69.9
    first, second = body["instances"]
    assert (first["avgCpuPercent"], first["avgMemPercent"], first["idleSinceDays"]) == (2.35, 30, 4)
    assert (second["measured"], second["costKnown"], second["wastedUsdMo"]) == (False, False, 0)
    assert viewer.get(IDLE, {"thresholdHours": 8760}).json() == {"instances": [], "thresholdHours": 8760}
    for wrong in ("0", "8761", "x", "1.5", "-1", "\x00"):
        assert viewer.get(IDLE, {"thresholdHours": wrong}).status_code == 400, wrong
