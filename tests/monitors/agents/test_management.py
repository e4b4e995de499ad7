"""POST, GET and DELETE /api/agents, and what becomes of monitors and runs (contract: monitors §7.2)."""

from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from monitors.agents.models import Agent
from monitors.runs import services as runs
from monitors.runs.models import Run, Status
from security.audit.models import AuditEntry
from tests.monitors.conftest import http_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


def test_a_new_agent_has_a_token_that_is_shown_once(admin: Any, join: Any) -> None:
    remote = join("Rack 7, Oslo", location="Norway")
    assert (remote.id, remote.told["location"], remote.told["status"]) == ("rack-7-oslo", "Norway", "offline")
    assert remote.row.token_digest == sha256(remote.token.encode()).hexdigest()
    for path in ("/api/agents", f"/api/agents/{remote.id}", f"/api/agents/{remote.id}/metrics"):
        assert remote.token not in admin.get(path).content.decode()
    entry = AuditEntry.objects.get(resource="monitor_agent")
    assert (entry.action, entry.resource_id) == ("CREATE", "rack-7-oslo") and remote.token not in str(entry.metadata)
    assert remote.token in remote.told["command"] and "install.sh" in remote.told["command"]
    assert [agent["id"] for agent in admin.get("/api/agents").json()] == ["default", "rack-7-oslo"]


def test_ids(admin: Any, join: Any) -> None:
    assert join("Same").id == "same" and join("Same").id == "same-2"
    assert join("漢字").id == "agent" and join("Own", id="my-own").id == "my-own"
    for bad in ("default", "same", "Upper", "-x", "", "x" * 64, "a b"):
        answer = admin.post("/api/agents", {"name": "x", "id": bad})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), bad
        assert "id" in answer.json()["details"]
    assert admin.post("/api/agents", {"location": "x"}).status_code == 400
    assert admin.post("/api/agents", {"name": 5}).status_code == 400


def test_only_administrators_change_agents(api: Any, oslo: Any) -> None:
    operator = api("OPERATOR")
    assert operator.post("/api/agents", {"name": "x"}).status_code == 403
    assert operator.delete(f"/api/agents/{oslo.id}").status_code == 403
    assert operator.post(f"/api/agents/{oslo.id}/token").status_code == 403
    assert operator.get(f"/api/agents/{oslo.id}").json()["name"] == "Oslo"


def test_a_new_token_ends_the_old_one(admin: Any, oslo: Any) -> None:
    assert oslo.beat() == {"cancel": []}
    answer = admin.post(f"/api/agents/{oslo.id}/token").json()
    assert answer["token"] != oslo.token
    assert oslo.post(f"/api/agents/{oslo.id}/heartbeat").status_code == 401
    assert admin.post("/api/agents/default/token").status_code == 400


def test_an_agent_with_monitors_stays_unless_they_move(admin: Any, oslo: Any, pinned: Any, sent: list[str]) -> None:
    waiting = runs.add(monitor=pinned, trigger="manual", now=timezone.now())
    answer = admin.delete(f"/api/agents/{oslo.id}")
    assert (answer.status_code, answer.json()["monitors"]) == (409, 1)
    assert admin.delete(f"/api/agents/{oslo.id}?reassign=mars").status_code == 400
    assert admin.delete("/api/agents/default?reassign=default").status_code == 400
    assert admin.delete(f"/api/agents/{oslo.id}?reassign=default").status_code == 204
    pinned.refresh_from_db()
    waiting.refresh_from_db()
    assert (pinned.agent_id, waiting.agent_id) == ("default", "default")
    assert oslo.post(f"/api/agents/{oslo.id}/claim").status_code == 401
    assert admin.get(f"/api/agents/{oslo.id}").status_code == 404
    assert admin.delete(f"/api/agents/{oslo.id}").status_code == 404
    answer = admin.post("/api/monitors", http_monitor(agentId=oslo.id))
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["agentId"])


def test_a_removed_agent_stays_in_the_history(admin: Any, oslo: Any, pinned: Any, join: Any) -> None:
    run = runs.add(monitor=pinned, trigger="manual", now=timezone.now())
    job = oslo.claim()
    assert job["runId"] == str(run.pk)
    assert admin.delete(f"/api/agents/{oslo.id}?reassign=default").status_code == 204
    ended = admin.get(f"/api/runs/{run.pk}").json()
    assert (ended["status"], ended["error"]["code"], ended["agentId"]) == ("error", "worker_lost", oslo.id)
    assert "removed" in ended["error"]["message"]
    again = join("Oslo anew", id=oslo.id)
    assert Agent.objects.get(pk=oslo.id).name == "Oslo anew" and again.beat() == {"cancel": []}


def test_runs_of_another_agent_are_not_for_our_workers(oslo: Any, pinned: Any, sent: list[str]) -> None:
    from monitors.runs import dispatch
    from monitors.runs.tasks import execute

    now = timezone.now()
    run = runs.add(monitor=pinned, trigger="manual", now=now)
    execute(str(run.pk))
    dispatch.tick(now=now + timezone.timedelta(seconds=10))
    assert sent == [] and Run.objects.get(pk=run.pk).status == Status.QUEUED
