"""What tests of the service of synthetic signals share."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadtest.signals.hosting.child import Child
from loadtest.signals.hosting.host import Host
from loadtest.signals.running.models import Scenario

BASE = "/api/signals"
FLAT: dict[str, Any] = {
    "name": "lift_speed",
    "rate": 50,
    "generator": {"type": "sine", "amplitude": 1, "period_secs": 9, "offset": 3},
    "labels": {"car": "2"},
    "sink": {"type": "memory"},
}


def entry(**fields: Any) -> dict[str, Any]:
    """A flat body with other fields; None leaves one out."""
    return {name: value for name, value in (FLAT | fields).items() if value is not None}


class Worker:
    """A worker in the test's own thread: it takes what waits, and turns until a condition holds."""

    def __init__(self, child: Child) -> None:
        self.child, self.host = child, Host()

    def until(self, condition: Callable[[], Any], timeout_s: float = 10) -> Any:
        end = time.monotonic() + timeout_s
        while not (found := condition()):
            assert time.monotonic() < end and self.child.alive, "waited in vain"
            self.host.turn(self.child)
        return found

    def until_finished(self, scenario_id: str) -> Scenario:
        self.until(lambda: Scenario.objects.get(pk=scenario_id).is_over)
        return Scenario.objects.get(pk=scenario_id)


@pytest.fixture
def operator(api: Callable) -> Any:
    return api("OPERATOR")


@pytest.fixture
def start(operator: Any) -> Callable[..., str]:
    """`start(rate=5)` posts a flat body with other fields; the id of the scenario."""

    def post(**fields: Any) -> str:
        answer = operator.post(f"{BASE}/scenarios", entry(**fields))
        assert answer.status_code == 201, answer.content
        return answer.json()["id"]

    return post


@contextmanager
def working() -> Iterator[Worker]:
    with Child() as child:
        yield Worker(child)


@pytest.fixture
def worker(db: None) -> Iterator[Worker]:
    with working() as made:
        yield made
