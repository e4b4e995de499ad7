"""The product's main job from outside, in both shapes: report, chart, check, breach, alert, notify, recover, audit."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from tests.support.console import Console, figures, frame, now, wait_for

pytestmark = [pytest.mark.journey]

SCRIPT = """
import http from 'k6/http';
export const options = { vus: 1, iterations: 3 };
export default function () { http.get(__ENV.TARGET); }
"""
SECRET = "a secret that both sides know"


@pytest.fixture(params=[pytest.param("embedded"), pytest.param("production", marks=pytest.mark.production)])
def product(request):
    return request.getfixturevalue(f"{request.param}_product")


def test_main_job(product, local_server):
    console = Console(product.url, product.new_key("ADMIN"), live_url=product.live_url)

    # An instance registers, its agent connects, a page hears its figures, the chart holds them.
    name = f"web-{int(time.time() * 1000) % 10**9}"
    registered = console.post("/api/v1/instances", {"name": name, "provider": "ssh"}, expect=201)
    instance = registered["id"]
    with console.browser_socket(f"/ws/metrics/stream?instanceId={instance}") as page, console.agent_socket() as agent:
        agent.send(frame("heartbeat", {"instance_id": instance, "timestamp": now(), "uptime_seconds": 60}))
        pong = json.loads(agent.recv(timeout=30))
        assert (pong["channel"], pong["type"], pong["data"]) == ("heartbeat", "heartbeat:pong", {"ok": True})
        agent.send(frame("metrics", figures(instance, 37.5)))
        snapshot = json.loads(page.recv(timeout=30))
    assert (snapshot["type"], snapshot["instance_id"], snapshot["cpu_percent"]) == ("metrics:snapshot", instance, 37.5)
    latest = wait_for(
        "the newest sample",
        lambda: console.get(f"/api/v1/metrics/latest?instanceIds={instance}")["metrics"],
        timeout_s=30,
    )
    assert latest[0]["cpuPercent"] == 37.5
    console.beat(instance, cpu=62.5)
    points = console.get(f"/api/v1/metrics/timeseries?instanceId={instance}")["datapoints"]
    assert [point["cpuPercent"] for point in points] == [37.5, 62.5]

    # A channel that signs, a monitor with a real k6 script, a target that is slow.
    local_server.answer("/hook", status=204)
    channel = console.post(
        "/api/v1/alerts/channels",
        {"name": "hook", "type": "WEBHOOK", "config": {"url": f"{local_server.url}/hook", "secret": SECRET}},
        expect=201,
    )
    local_server.answer("/shop", delay_s=0.4)
    monitor = console.post(
        "/api/monitors",
        {
            "name": f"Shop {name}",
            "schedule": "*/5 * * * *",
            "tool": "k6",
            "scriptContent": base64.b64encode(SCRIPT.encode()).decode(),
            "parameters": {"TARGET": f"{local_server.url}/shop"},
            "thresholds": {"latencyMs": 200},
        },
        expect=201,
    )
    run = finished(console, console.post(f"/api/monitors/{monitor['id']}/run", expect=202)["runId"])
    assert (run["status"], run["metrics"]["samples"]) == ("fail", 3)
    [breach] = run["thresholdBreaches"]
    assert (breach["threshold"], breach["limit"], breach["unit"]) == ("latencyMs", 200, "ms")
    assert breach["actual"] == run["metrics"]["p95"] > 400
    assert "[runner]" in console.get(f"/api/runs/{run['id']}/logs")

    # The breach is an alert, and the alert reaches the receiver once, signed.
    alerts = f"/api/alerts?monitorId={monitor['id']}"
    [alert] = wait_for("the alert", lambda: console.get(alerts))
    assert (alert["type"], alert["status"], alert["runId"]) == ("threshold", "open", run["id"])
    fired = delivered(local_server, 1)[0]
    assert fired.json()["status"] == "ACTIVE"
    expected = hmac.new(SECRET.encode(), fired.body, hashlib.sha256).hexdigest()
    assert fired.headers["x-sindri-signature"] == f"sha256={expected}"

    # A person takes it on; the target recovers; the next good run resolves the alert and says so.
    taken = console.post(f"/api/alerts/{alert['id']}/acknowledge", {"note": "restarting it"})
    assert (taken["status"], taken["note"]) == ("acknowledged", "restarting it")
    local_server.answer("/shop", delay_s=0)
    good = finished(console, console.post(f"/api/monitors/{monitor['id']}/run", expect=202)["runId"])
    assert (good["status"], good["thresholdBreaches"]) == ("pass", [])
    over = wait_for("the end of the alert", lambda: console.get(f"{alerts}&status=resolved"))
    assert (over[0]["id"], over[0]["resolvedByRunId"]) == (alert["id"], good["id"])
    notices = delivered(local_server, 2)
    assert [notice.json()["status"] for notice in notices] == ["ACTIVE", "RESOLVED"]

    # A rule over the instance's own figures fires and resolves by itself.
    rule = console.post(
        "/api/v1/alerts/rules",
        {
            "name": "Busy",
            "type": "THRESHOLD",
            "severity": "HIGH",
            "instanceId": instance,
            "conditions": {"metric": "cpu_percent", "operator": "gt", "threshold": 90},
            "channelIds": [channel["id"]],
            "cooldownSec": 0,
        },
        expect=201,
    )
    console.beat(instance, cpu=97)
    by_rule = f"/api/v1/alerts?ruleId={rule['id']}"
    [hot] = wait_for("the rule to fire", lambda: console.get(f"{by_rule}&status=ACTIVE")["alerts"])
    assert (hot["instanceId"], hot["metadata"]["value"], hot["metadata"]["threshold"]) == (instance, 97, 90)
    console.beat(instance, cpu=12)
    [cold] = wait_for("the rule to resolve", lambda: console.get(f"{by_rule}&status=RESOLVED")["alerts"])
    assert cold["resolvedBy"] == "system:auto-resolution"
    delivered(local_server, 4)
    time.sleep(1)
    assert len(hooks(local_server)) == 4, "each change is told once"

    # Every write is in the log, and the log is whole.
    written = {(entry["resource"], entry["action"]) for entry in console.get("/api/v1/audit?limit=200")["logs"]}
    expected = {("instance", "CREATE"), ("channel", "CREATE"), ("monitor", "CREATE"), ("alert_rule", "CREATE")}
    assert expected <= written
    assert ("alert", "UPDATE") in written
    assert "is whole" in product.pharos("audit", "verify")


def finished(console, run_id):
    """The run once it is over."""

    def look():
        run = console.get(f"/api/runs/{run_id}")
        return run if run["completedAt"] else None

    return wait_for("the run's end", look, timeout_s=60)


def hooks(server):
    return [request for request in server.requests if request.path == "/hook"]


def delivered(server, count):
    wait_for(f"{count} webhook calls", lambda: len(hooks(server)) >= count, timeout_s=30)
    return hooks(server)
