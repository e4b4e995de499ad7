"""What tests of monitors share."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from monitors.monitors.models import Monitor
from monitors.runs.models import Run

SCRIPT = "export default function () {}\n"


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def http_monitor(url: str = "http://127.0.0.1:9/", **fields: Any) -> dict[str, Any]:
    """The body of a request for an `http` monitor."""
    request = {"url": url, "samples": 1, **fields.pop("request", {})}
    return {"name": "Front page", "schedule": "*/5 * * * *", "tool": "http", "request": request} | fields


def k6_monitor(script: str = SCRIPT, **fields: Any) -> dict[str, Any]:
    """The body of a request for a `k6` monitor."""
    body = {"name": "Basket", "schedule": "*/5 * * * *", "tool": "k6", "scriptContent": encoded(script)}
    return body | fields


@pytest.fixture
def operator(api: Callable) -> Any:
    return api("OPERATOR")


@pytest.fixture
def create(operator: Any) -> Callable[..., Monitor]:
    """`create(body)` makes a monitor through the API."""

    def make(body: dict[str, Any] | None = None, **fields: Any) -> Monitor:
        answer = operator.post("/api/monitors", (body or http_monitor()) | fields)
        assert answer.status_code == 201, answer.content
        return Monitor.objects.get(pk=answer.json()["id"])

    return make


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run ids that were sent to the workers, instead of sending them."""
    from monitors.runs.tasks import execute

    ids: list[str] = []
    monkeypatch.setattr(execute, "apply_async", lambda args, **options: ids.append(args[0]))
    return ids


@pytest.fixture
def run_now(operator: Any, sent: list[str]) -> Callable[[Monitor], Run]:
    """`run_now(monitor)` asks for a run and makes it, as a worker would."""
    from monitors.runs.tasks import execute

    def make(monitor: Monitor) -> Run:
        answer = operator.post(f"/api/monitors/{monitor.pk}/run")
        assert answer.status_code == 202, answer.content
        execute(answer.json()["runId"])
        return Run.objects.get(pk=answer.json()["runId"])

    return make
