"""What tests of the tools share."""

from collections.abc import Callable
from typing import Any

import pytest

from monitors.monitors.models import Monitor
from tests.monitors.conftest import encoded


@pytest.fixture
def admin(api: Callable, settings: Any) -> Any:
    """An administrator of an installation that allows tools whose scripts run any code."""
    settings.MONITOR_ALLOW_UNSANDBOXED = True
    return api("ADMIN")


@pytest.fixture
def tool_run(admin: Any, run_now: Any, local_server: Any) -> Callable[..., Any]:
    """`tool_run(tool, script, **monitor)`: the finished run of a new monitor, and its log. BASE is the local server."""

    def make(tool: str, script: str, *, timeout_s: int | None = None, **fields: Any) -> tuple[Any, str]:
        body = {"name": "Tool", "schedule": "*/5 * * * *", "tool": tool, "scriptContent": encoded(script)} | fields
        body["parameters"] = {"BASE": local_server.url} | fields.get("parameters", {})
        answer = admin.post("/api/monitors", body)
        assert answer.status_code == 201, answer.content
        monitor = Monitor.objects.get(pk=answer.json()["id"])
        if timeout_s:  # shorter than the API allows
            Monitor.objects.filter(pk=monitor.pk).update(timeout_s=timeout_s)
            monitor.refresh_from_db()
        run = run_now(monitor)
        return run, admin.get(f"/api/runs/{run.pk}/logs").content.decode()

    return make
