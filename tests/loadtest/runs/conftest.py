"""What tests of load runs share."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from loadtest.runs.models import Run
from tests.loadtest.engine.conftest import OK, Server, answer

BASE = "/api/loadtest"


def wait_for(condition: Callable[[], Any], timeout_s: float = 10) -> Any:
    """What the condition gives once it is true; fails after the time."""
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture
def operator(api: Callable) -> Any:
    return api("OPERATOR")


@pytest.fixture
def target() -> Iterator[Server]:
    """A server that answers `ok` at once."""
    server = Server(answer(OK))
    yield server
    server.close()


@pytest.fixture
def slow_target() -> Iterator[Server]:
    """A server that never answers."""

    def script(conn: Any, request: bytes, number: int) -> bool:
        time.sleep(0.05)
        return True

    server = Server(script)
    yield server
    server.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run ids that were sent to the workers, instead of sending them."""
    from loadtest.runs.tasks import execute

    ids: list[str] = []
    monkeypatch.setattr(execute, "apply_async", lambda args, **options: ids.append(args[0]))
    return ids


@pytest.fixture
def start(operator: Any, sent: list[str]) -> Callable[..., str]:
    """`start(url, iterations=10)` asks for a run; its id. No worker takes it by itself."""

    def ask(url: str, **fields: Any) -> str:
        answer = operator.post(f"{BASE}/run", {"method": "GET", "url": url, **fields})
        assert answer.status_code == 200, answer.content
        return answer.json()["runId"]

    return ask


@pytest.fixture
def make(start: Callable[..., str]) -> Callable[..., Run]:
    """`make(url, iterations=10)` asks for a run and makes it, as a worker would; the row when it is over."""
    from loadtest.runs.tasks import execute

    def done(url: str, **fields: Any) -> Run:
        run_id = start(url, **fields)
        execute(run_id)
        return Run.objects.get(pk=run_id)

    return done


def ticks_of(run: Run) -> list[dict[str, Any]]:
    return [json.loads(tick.data) for tick in run.ticks.order_by("n")]


@pytest.fixture
def begin(start: Callable[..., str]) -> Iterator[Callable[..., str]]:
    """`begin(url, duration="30s")` starts a run that goes on beside the test, in a thread like those of a worker."""
    threads: list[threading.Thread] = []

    def work(run_id: str) -> None:
        from loadtest.runs.tasks import execute

        try:
            execute(run_id)
        finally:
            connection.close()

    def ask(url: str, **fields: Any) -> str:
        run_id = start(url, **fields)
        threads.append(threading.Thread(target=work, args=(run_id,), daemon=True))
        threads[-1].start()
        wait_for(lambda: Run.objects.filter(pk=run_id, ticks__n__gte=1).exists())
        return run_id

    yield ask
    Run.objects.filter(ended_at=None).update(stop_requested_at=timezone.now())
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
