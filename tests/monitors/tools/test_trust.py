"""Who may use which tool, and what is checked before a script is stored (contract: monitors §8.4, §8.6)."""

from collections.abc import Callable
from typing import Any

import pytest

from monitors.monitors.models import Monitor
from monitors.runs.models import Run, Status
from monitors.tools import registry
from tests.monitors.conftest import encoded, k6_monitor

pytestmark = pytest.mark.django_db
SCRIPTS = {
    "jmeter": "<jmeterTestPlan/>",
    "locust": "from locust import HttpUser\nclass Visitor(HttpUser):\n    pass\n",
    "browser": "async def run(page, params):\n    pass\n",
}
UNSANDBOXED = tuple(SCRIPTS)


def body(tool: str, script: str = "", **fields: Any) -> dict[str, Any]:
    return k6_monitor(script or SCRIPTS[tool], tool=tool) | fields


@pytest.mark.parametrize("tool", UNSANDBOXED)
def test_switched_off_by_default(api: Callable, tool: str) -> None:
    answer = api("ADMIN").post("/api/monitors", body(tool))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "MONITOR_ALLOW_UNSANDBOXED" in answer.json()["details"]["tool"][0]
    assert not Monitor.objects.exists()
    assert tool not in registry.versions()


@pytest.mark.parametrize("tool", UNSANDBOXED)
def test_administrators_only(api: Callable, admin: Any, tool: str) -> None:
    operator = api("OPERATOR")
    refused = operator.post("/api/monitors", body(tool))
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    made = admin.post("/api/monitors", body(tool))
    assert made.status_code == 201, made.content
    path = f"/api/monitors/{made.json()['id']}"
    for change in ({"name": "x"}, {"scriptContent": encoded(SCRIPTS[tool])}, {"enabled": False}):
        assert operator.patch(path, change).status_code == 403
    assert admin.patch(path, {"name": "x"}).json()["name"] == "x"
    assert operator.get(path).json()["tool"] == tool
    assert operator.post(f"{path}/run").status_code == 202


def test_no_way_round_by_a_change_of_the_tool(api: Callable, admin: Any, create: Any) -> None:
    monitor = create(k6_monitor())
    change = {"tool": "locust", "scriptContent": encoded(SCRIPTS["locust"])}
    assert api("OPERATOR").patch(f"/api/monitors/{monitor.pk}", change).status_code == 403
    monitor.refresh_from_db()
    assert (monitor.tool, monitor.script_version) == ("k6", 1)


def test_a_script_of_another_tool_does_not_stay(admin: Any, create: Any) -> None:
    monitor = create(k6_monitor())
    answer = admin.patch(f"/api/monitors/{monitor.pk}", {"tool": "locust"})
    assert answer.status_code == 400 and "scriptContent" in answer.json()["details"]


def test_switched_off_later(admin: Any, run_now: Any, settings: Any) -> None:
    monitor = Monitor.objects.get(pk=admin.post("/api/monitors", body("locust")).json()["id"])
    settings.MONITOR_ALLOW_UNSANDBOXED = False
    run: Run = run_now(monitor)
    assert (run.status, run.error_code) == (Status.ERROR, "tool_unavailable")
    assert "switched off" in run.error_message


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("class Visitor(\n", "not Python"),
        ("class Visitor:\n    pass\n", "name ends in User"),
        ("print('HttpUser')\n", "name ends in User"),
        ("(" * 100_000, "not Python"),
        ("x = " + "-" * 200_000 + "1", "not Python"),
    ],
)
def test_what_is_no_locust_file_is_refused(admin: Any, script: str, says: str) -> None:
    answer = admin.post("/api/monitors", body("locust", script))
    assert answer.status_code == 400
    assert says in answer.json()["details"]["script"][0]


@pytest.mark.parametrize("base", ["User", "HttpUser", "FastHttpUser", "locust.HttpUser", "our.ShopUser"])
def test_what_is_a_locust_file(admin: Any, base: str) -> None:
    assert admin.post("/api/monitors", body("locust", f"class A({base}): pass\n")).status_code == 201


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("USERS", ("0", "-1", "1.5", "many", "10001", ""), ("1", "10000")),
        ("SPAWN_RATE", ("0", "x", "1e9", "-2"), ("0.5", "20")),
        ("RUN_TIME", ("0", "soon", "2h", "", "m"), ("45", "30s", "1m30s", "1h")),
    ],
)
def test_parameters_that_steer_locust(admin: Any, name: str, bad: tuple[str, ...], good: tuple[str, ...]) -> None:
    for value in bad:
        answer = admin.post("/api/monitors", body("locust", parameters={name: value}))
        assert answer.status_code == 400, value
        assert f"parameters.{name}" in answer.json()["details"]
    for value in good:
        assert admin.post("/api/monitors", body("locust", parameters={name: value})).status_code == 201, value


@pytest.mark.parametrize("tool", ["jmeter", "locust"])
def test_scripts_without_a_name_get_one(admin: Any, tool: str) -> None:
    made = admin.post("/api/monitors", body(tool)).json()
    assert made["scriptName"] == {"jmeter": "plan.jmx", "locust": "script.py"}[tool]
