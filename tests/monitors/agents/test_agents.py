"""The default agent, its workers and their figures (contract: monitors §7)."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitors.agents import beats
from monitors.agents.models import AgentSample, Worker
from monitors.runs import services as runs
from monitors.runs.models import Status

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_the_default_agent_always_exists(api: Any) -> None:
    viewer = api("VIEWER")
    answer = viewer.get("/api/agents")
    assert answer["X-Total-Count"] == "1"
    [agent] = answer.json()
    assert (agent["id"], agent["status"], agent["lastHeartbeat"], agent["activeRuns"]) == (
        "default",
        "offline",
        None,
        0,
    )
    metrics = viewer.get("/api/agents/default/metrics").json()
    assert metrics["cpuPercent"] is metrics["uptimeSeconds"] is metrics["avgRunSeconds"] is None
    assert metrics["history"] == []


def test_a_beat_makes_it_online_with_real_figures(api: Any, create: Any, sent: list[str]) -> None:
    viewer, now = api("VIEWER"), timezone.now()
    beats.beat(worker_id=uuid.uuid4(), started_at=now - timedelta(minutes=5), now=now)
    [agent] = viewer.get("/api/agents").json()
    assert agent["status"] == "online" and agent["lastHeartbeat"].endswith("Z")
    assert agent["tools"]["k6"].startswith("1.") and agent["capacity"] >= 1

    waiting, failed = (runs.add(monitor=create(), trigger="manual", now=now) for _ in range(2))
    failed = runs.claim(run_id=failed.pk, now=now)
    runs.finish(run=failed, status=Status.FAIL, now=now + timedelta(seconds=3))
    beats.sample(now=now)
    beats.sample(now=now + timedelta(seconds=1))
    metrics = viewer.get("/api/agents/default/metrics").json()
    assert 0 < metrics["memoryPercent"] < 100 and metrics["memoryUsedMb"] > 10 and len(metrics["loadAverage"]) == 3
    assert (metrics["activeRuns"], metrics["queuedRuns"]) == (0, 1)
    assert (metrics["runsLast24h"], metrics["failedLast24h"], metrics["avgRunSeconds"]) == (1, 1, 3)
    assert metrics["uptimeSeconds"] >= 300
    assert len(metrics["history"]) in (1, 2) and metrics["history"][0]["activeRuns"] == 0
    assert waiting.status == Status.QUEUED


def test_three_missed_beats_make_it_offline(api: Any) -> None:
    now = timezone.now()
    beats.beat(worker_id=uuid.uuid4(), started_at=now, now=now - timedelta(seconds=46))
    [agent] = api("VIEWER").get("/api/agents").json()
    assert agent["status"] == "offline" and agent["lastHeartbeat"] is not None


def test_old_samples_and_workers_go() -> None:
    now = timezone.now()
    beats.beat(worker_id=uuid.uuid4(), started_at=now, now=now)
    beats.sample(now=now)
    beats.sample(now=now + timedelta(days=3))
    assert AgentSample.objects.count() == 1 and not Worker.objects.exists()


@pytest.mark.parametrize("path", ["/api/agents/nobody/metrics", "/api/agents/%00/metrics"])
def test_unknown_agents(api: Any, path: str) -> None:
    answer = api("VIEWER").get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("minutes", ["0", "1441", "x"])
def test_bad_minutes(api: Any, minutes: str) -> None:
    assert api("VIEWER").get(f"/api/agents/default/metrics?minutes={minutes}").status_code == 400
