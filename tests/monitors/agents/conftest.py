"""What tests of agents share."""

from collections.abc import Callable
from typing import Any

import pytest

from monitors.agents.models import Agent
from tests.monitors.conftest import http_monitor
from tests.support.client import ApiClient


class Remote(ApiClient):
    """The client of an agent: it carries the agent's token."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(headers={"Authorization": f"Bearer {answer['token']}"})
        self.told, self.token, self.id = answer, answer["token"], answer["id"]

    @property
    def row(self) -> Agent:
        return Agent.objects.get(pk=self.id)

    def beat(self, **fields: Any) -> dict[str, Any]:
        body = {"version": "0.1.0", "tools": {"http": "0.1.0"}, "capacity": 2, "activeRuns": []} | fields
        answer = self.post(f"/api/agents/{self.id}/heartbeat", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def claim(self) -> dict[str, Any] | None:
        answer = self.post(f"/api/agents/{self.id}/claim")
        assert answer.status_code in (200, 204), answer.content
        return answer.json() if answer.status_code == 200 else None

    def log(self, run_id: str, data: bytes, **params: Any) -> Any:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return self.generic("POST", f"/api/runs/{run_id}/log?{query}", data, content_type="text/plain")

    def complete(self, run_id: str, **body: Any) -> Any:
        return self.post(f"/api/runs/{run_id}/complete", body)


@pytest.fixture
def admin(api: Any) -> Any:
    return api("ADMIN")


@pytest.fixture
def join(admin: Any) -> Callable[..., Remote]:
    """`join("Oslo")` is a new agent's client."""

    def make(name: str = "Oslo", **fields: Any) -> Remote:
        answer = admin.post("/api/agents", {"name": name, **fields})
        assert answer.status_code == 201, answer.content
        return Remote(answer.json())

    return make


@pytest.fixture
def oslo(join: Any) -> Remote:
    return join("Oslo", location="Norway")


@pytest.fixture
def pinned(create: Any, oslo: Remote) -> Any:
    """A monitor that runs on the agent."""
    return create(http_monitor(agentId=oslo.id))


FIGURES = {"p50": 10.0, "p95": 20.12345, "avg": 12.0, "errorRate": 0.0, "throughput": 5.0, "samples": 5, "apdex": 1.0}
