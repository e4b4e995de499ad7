"""Heartbeat, claim, log and complete, as any agent calls them (contract: monitors §7.2)."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from monitors.runs import dispatch
from monitors.runs import services as runs
from monitors.runs.models import LogChunk, Run, Status
from monitors.runs.output import CHUNK_BYTES, HEAD_BYTES, TAIL_BYTES
from tests.monitors.agents.conftest import FIGURES
from tests.monitors.conftest import http_monitor, k6_monitor

pytestmark = [pytest.mark.django_db, pytest.mark.contract]


@pytest.fixture
def run(pinned: Any) -> Run:
    return runs.add(monitor=pinned, trigger="manual", now=timezone.now())


@pytest.fixture
def claimed(run: Run, oslo: Any) -> str:
    return oslo.claim()["runId"]


def status_of(run_id: Any) -> tuple[str, str]:
    row = Run.objects.get(pk=run_id)
    return row.status, row.error_code


def test_the_figures_of_a_beat_are_shown(oslo: Any, admin: Any) -> None:
    metrics = {"cpuPercent": 12.5, "memoryPercent": 40, "memoryUsedMb": 2048, "loadAverage": [0.1, 0.2, 0.3]}
    oslo.beat(version="1.2", tools={"k6": "1.1.0"}, capacity=3, metrics=metrics | {"uptimeSeconds": 60})
    agent = admin.get(f"/api/agents/{oslo.id}").json()
    assert (agent["status"], agent["version"], agent["capacity"]) == ("online", "1.2", 3)
    assert agent["tools"] == {"k6": "1.1.0"} and agent["lastHeartbeat"].endswith("Z")
    about = admin.get(f"/api/agents/{oslo.id}/metrics").json()
    assert {name: about[name] for name in metrics} == metrics and about["uptimeSeconds"] >= 60
    oslo.beat(metrics=None)
    assert admin.get(f"/api/agents/{oslo.id}/metrics").json()["cpuPercent"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"capacity": -1}, {"capacity": "2"}, {"tools": {"k6": 1}}, {"tools": {"a b": "1"}}, {"activeRuns": ["x"]},
        {"activeRuns": -1}, {"activeRuns": {}}, {"metrics": {"cpuPercent": 101}}, {"metrics": {"loadAverage": [1]}},
        {"metrics": []}, {"version": "x" * 41}, {"activeRuns": [None]},
    ],
)  # fmt: skip
def test_a_bad_beat_is_refused(oslo: Any, body: dict) -> None:
    answer = oslo.post(f"/api/agents/{oslo.id}/heartbeat", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_run_is_claimed_once_with_all_that_it_needs(oslo: Any, join: Any, create: Any) -> None:
    script = "export default function () {} // §"
    monitor = create(k6_monitor(script, agentId=oslo.id, parameters={"API_TOKEN": "tiger-42", "N": "5"}))
    run = runs.add(monitor=monitor, trigger="manual", now=timezone.now())
    assert join("Bergen").claim() is None
    job = oslo.claim()
    assert oslo.claim() is None
    assert {"runId": str(run.pk), "tool": "k6", "script": script, "timeoutSeconds": 300}.items() <= job.items()
    assert job["parameters"] == {"API_TOKEN": "tiger-42", "N": "5"} and job["request"] is None
    assert status_of(run.pk) == ("running", "")


def test_thresholds_are_judged_by_the_server(oslo: Any, admin: Any, create: Any) -> None:
    monitor = create(http_monitor(agentId=oslo.id, thresholds={"latencyMs": 15}))
    run = runs.add(monitor=monitor, trigger="manual", now=timezone.now())
    oslo.claim()
    answer = oslo.complete(run.pk, exitCode=0, timedOut=False, result=FIGURES)
    assert answer.json() == {"runId": str(run.pk), "status": "fail", "accepted": True}
    ended = admin.get(f"/api/runs/{run.pk}").json()
    assert ended["metrics"]["p95"] == 20.123 and ended["thresholdBreaches"][0]["threshold"] == "latencyMs"
    again = oslo.complete(run.pk, exitCode=0, result=FIGURES | {"p95": 1})
    assert again.json() == {"runId": str(run.pk), "status": "fail", "accepted": False}
    assert admin.get(f"/api/monitors/{monitor.pk}").json()["lastStatus"] == "fail"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"result": FIGURES}, "pass", ""),
        ({"result": FIGURES, "timedOut": True}, "timeout", ""),
        ({"timedOut": True}, "timeout", ""),
        ({"result": FIGURES, "breaches": [{"message": "p(95)<5", "metric": "x"}]}, "fail", ""),
        ({"result": FIGURES | {"errorRate": 1.0}}, "fail", ""),
        ({"error": {"code": "script_error", "message": "line 1"}}, "error", "script_error"),
        ({}, "error", "no_samples"),
        ({"cancelled": True, "result": FIGURES}, "cancelled", ""),
    ],
)
def test_ends(oslo: Any, claimed: str, body: dict, status: str, code: str) -> None:
    assert oslo.complete(claimed, exitCode=0, **body).json()["status"] == status
    assert status_of(claimed) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        {"result": []}, {"result": {"p50": 1}}, {"result": FIGURES | {"p95": "x"}}, {"result": FIGURES | {"p95": True}},
        {"result": FIGURES | {"errorRate": 2}}, {"result": FIGURES | {"a b": 1}}, {"exitCode": "0"}, {"timedOut": 1},
        {"breaches": [1]}, {"breaches": [{"message": 1}]}, {"error": {"code": "nonsense", "message": "x"}},
        {"error": "x"}, {"screenshot": "%"}, {"breaches": [{"message": "x", "metric": {"deep": 1}}]},
    ],
)  # fmt: skip
def test_a_bad_end_is_refused_and_the_run_goes_on(oslo: Any, claimed: str, body: dict) -> None:
    answer = oslo.complete(claimed, **body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), answer.content
    assert status_of(claimed) == ("running", "")


def test_the_log_comes_in_pieces(oslo: Any, claimed: str, admin: Any) -> None:
    path = f"/api/runs/{claimed}/logs"
    assert oslo.log(claimed, b"one\n").json() == {"cancel": False}
    assert oslo.log(claimed, "zwö\x00\n".encode(), offset=4).status_code == 200
    assert oslo.log(claimed, b"twice\n", offset=4).status_code == 200
    assert admin.get(path).content.decode() == "one\nzwö\ufffd\n"
    assert oslo.log(claimed, b"x" * (CHUNK_BYTES + 1)).status_code == 413
    assert oslo.log(claimed, b"x", offset="-1").status_code == 400
    oslo.complete(claimed, result=FIGURES)
    assert oslo.log(claimed, b"late\n").json() == {"cancel": True}
    assert "late" not in admin.get(path).content.decode()


def test_a_log_without_end_keeps_its_first_and_last_part(oslo: Any, claimed: str, admin: Any) -> None:
    for number in range(40):
        assert oslo.log(claimed, f"{number:04d} ".encode() + b"x" * (CHUNK_BYTES - 6) + b"\n").status_code == 200
    text = admin.get(f"/api/runs/{claimed}/logs").content.decode()
    assert text.startswith("0000 ") and "\n0039 " in text and "bytes left out" in text
    assert len(text) <= HEAD_BYTES + TAIL_BYTES + 100
    assert sum(LogChunk.objects.values_list("size", flat=True)) <= HEAD_BYTES + TAIL_BYTES + 2 * CHUNK_BYTES


def test_secrets_are_masked_even_across_two_pieces(oslo: Any, create: Any, admin: Any) -> None:
    monitor = create(k6_monitor(agentId=oslo.id, parameters={"API_TOKEN": "tiger-42"}))
    run_id = str(runs.add(monitor=monitor, trigger="manual", now=timezone.now()).pk)
    oslo.claim()
    for piece in (b"a tiger-42 b\nand ti", b"ger-42 again, tig", b"er-4 is none\n"):
        oslo.log(run_id, piece)
    text = admin.get(f"/api/runs/{run_id}/logs").content.decode()
    assert text == "a ******** b\nand ******** again, tiger-4 is none\n"
    error = {"code": "script_error", "message": "bad key tiger-42"}
    oslo.complete(run_id, error=error)
    assert admin.get(f"/api/runs/{run_id}").json()["error"]["message"] == "bad key ********"


def test_a_cancelled_run_is_told_by_beat_and_by_log(oslo: Any, claimed: str, operator: Any) -> None:
    assert oslo.beat(activeRuns=[claimed]) == {"cancel": []}
    assert operator.post(f"/api/runs/{claimed}/cancel").status_code == 202
    assert oslo.beat(activeRuns=[claimed]) == {"cancel": [claimed]} == oslo.beat(activeRuns=1)
    assert oslo.log(claimed, b"x\n").json() == {"cancel": True}
    assert oslo.complete(claimed, result=FIGURES).json()["status"] == "cancelled"


def test_a_run_that_is_not_the_agents_shall_be_stopped(oslo: Any, claimed: str, join: Any) -> None:
    bergen = join("Bergen")
    assert bergen.beat(activeRuns=[claimed]) == {"cancel": [claimed]}
    assert bergen.log(claimed, b"x").status_code == 404 == bergen.complete(claimed, result=FIGURES).status_code
    assert status_of(claimed) == ("running", "")


@pytest.mark.parametrize("says", ["id", "number", "log"])
def test_what_names_the_run_keeps_its_lease(oslo: Any, claimed: str, says: str) -> None:
    began = timezone.now()
    for seconds in range(50, 351, 50):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            if says == "log":
                oslo.log(claimed, b"x")
            else:
                oslo.beat(activeRuns=[claimed] if says == "id" else 1)
            assert dispatch.settle_abandoned(now=timezone.now()) == 0
    late = began + timedelta(seconds=411)
    assert dispatch.settle_abandoned(now=late) == 1
    assert status_of(claimed) == ("error", "worker_lost")


def test_an_agent_that_began_anew_does_not_keep_its_old_runs(oslo: Any, claimed: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert oslo.beat(activeRuns=[]) == {"cancel": []} == oslo.beat(activeRuns=0)
        assert dispatch.settle_abandoned(now=timezone.now()) == 1
        assert oslo.complete(claimed, result=FIGURES).json() == {
            "runId": claimed, "status": "error", "accepted": False,
        }  # fmt: skip


def test_a_number_keeps_no_run_beyond_its_time(oslo: Any, claimed: str) -> None:
    limit = Run.objects.get(pk=claimed).timeout_s
    with time_machine.travel(timezone.now() + timedelta(seconds=limit + 61), tick=False):
        oslo.beat(activeRuns=1)
        assert dispatch.settle_abandoned(now=timezone.now()) == 1


def test_a_run_waits_for_an_agent_that_is_away_and_says_why(oslo: Any, run: Run, admin: Any) -> None:
    now = run.queued_at
    assert dispatch.settle_untaken(now=now + timedelta(seconds=299)) == 0
    assert dispatch.settle_untaken(now=now + timedelta(seconds=301)) == 1
    error = admin.get(f"/api/runs/{run.pk}").json()["error"]
    assert error["code"] == "agent_unavailable"
    assert error["message"] == "The agent 'oslo' took no run within 300 s: it has never been in touch."
    assert oslo.claim() is None


def test_an_agent_that_was_there_or_is_busy_is_told_apart(oslo: Any, create: Any) -> None:
    oslo.beat(capacity=1)
    said = []
    for later in (301, 10):
        run = runs.add(monitor=create(http_monitor(agentId=oslo.id)), trigger="manual", now=timezone.now())
        if later == 10:
            Run.objects.filter(pk=run.pk).update(take_until=timezone.now())
        dispatch.settle_untaken(now=timezone.now() + timedelta(seconds=later))
        said.append(Run.objects.get(pk=run.pk).error_message)
    assert "it is offline, last heard of at 20" in said[0] and "it is online and makes 0 of 1 runs" in said[1]


def test_tokens_open_nothing_else(oslo: Any, join: Any, operator: Any) -> None:
    bergen = join("Bergen")
    for action in ("heartbeat", "claim"):
        assert oslo.post(f"/api/agents/{bergen.id}/{action}").status_code == 401
        assert operator.post(f"/api/agents/{bergen.id}/{action}").status_code == 401
        assert oslo.post(f"/api/agents/nobody/{action}").status_code == 401
    for path in ("/api/monitors", "/api/agents", "/api/v1/me"):
        assert oslo.get(path).status_code == 401
    assert oslo.log("not-a-uuid", b"x").status_code == 404


def test_the_history_is_every_agents_own(oslo: Any, claimed: str, admin: Any) -> None:
    from monitors.agents import beats

    oslo.beat(metrics={"cpuPercent": 30})
    beats.sample(now=timezone.now())
    [point] = admin.get(f"/api/agents/{oslo.id}/metrics").json()["history"]
    assert (point["cpuPercent"], point["activeRuns"]) == (30, 1)
    assert admin.get("/api/agents/default/metrics").json()["history"][0]["activeRuns"] == 0
    assert status_of(claimed)[0] == Status.RUNNING
