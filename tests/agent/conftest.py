import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pharos_agent.config import Config
from pharos_agent.main import run

from tests.agent.console import Console
from tests.agent.relay import Relay

KEY = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"


class RunningAgent:
    """An agent in a thread of its own, started through the door that embedding programs use."""

    def __init__(self, config: Config) -> None:
        self._stop = threading.Event()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(config,), daemon=True)
        self._thread.start()

    def _run(self, config: Config) -> None:
        try:
            run(config, self._stop)
        except Exception as exc:  # noqa: BLE001 - `stop` raises it in the test
            self.error = exc

    def stop(self, within_s: float = 2) -> None:
        self._stop.set()
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "the agent did not stop in time"
        if self.error:
            raise self.error


@pytest.fixture
def console() -> Iterator[Console]:
    server = Console()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def relay(console: Console) -> Iterator[Relay]:
    between = Relay(console.port)
    yield between
    between.close()


@pytest.fixture
def config(console: Console, tmp_path: Path) -> Config:
    """A configuration with short intervals."""
    return Config(
        url=console.url,
        key=KEY,
        instance_id="web-1",
        heartbeat_s=0.2,
        metrics_s=0.1,
        first_sample_s=0.1,
        state_dir=tmp_path,
        registration_pauses_s=(0.05, 0.1),
        backoff_min_s=0.1,
        backoff_max_s=0.3,
        refused_backoff_s=0.3,
    )


@pytest.fixture
def start(config: Config) -> Iterator[Callable[..., RunningAgent]]:
    """`start(metrics_s=1.0)` runs an agent with the short configuration and these changes."""
    agents: list[RunningAgent] = []

    def begin(**changes: Any) -> RunningAgent:
        agents.append(RunningAgent(replace(config, **changes)))
        return agents[-1]

    yield begin
    for agent in agents:
        agent.stop()
