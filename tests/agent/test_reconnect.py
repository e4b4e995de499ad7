"""Connections that break, and samples that arrive all the same."""

import socket
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pharos_agent.backlog import Backlog
from pharos_agent.frames import timestamp

from tests.agent.console import Console, until
from tests.agent.relay import Relay


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The times of all samples that the agent takes."""
    recorded: list[str] = []
    add = Backlog.add

    def record(self: Backlog, sample: dict[str, Any]) -> None:
        recorded.append(sample["timestamp"])
        add(self, sample)

    monkeypatch.setattr(Backlog, "add", record)
    return recorded


def times(console: Console) -> list[str]:
    return [sample["timestamp"] for sample in console.payloads("metrics")]


def test_samples_taken_while_the_server_is_away_arrive_oldest_first(
    console: Console, start: Callable, tmp_path: Path, taken: list[str]
) -> None:
    start()
    console.wait_for("metrics", 2)
    console.stop()
    until(lambda: len((tmp_path / "samples.jsonl").read_text().splitlines()) >= 5)
    console.start()
    back = timestamp()
    # A sample taken between the server's return and the agent's notice of it is a late one too.
    until(lambda: (last := console.payloads("metrics")[-1])["timestamp"] > back and not last.get("replayed"))
    samples = console.payloads("metrics")
    arrived = sorted({sample["timestamp"] for sample in samples})
    assert arrived == taken[: len(arrived)]  # nothing is missing
    late = [sample for sample in samples if sample.get("replayed")]
    assert len(late) >= 5
    assert all(sample["replayed"] is True for sample in late)
    assert [sample["timestamp"] for sample in late] == sorted(sample["timestamp"] for sample in late)
    assert not samples[-1].get("replayed")
    until(lambda: not (tmp_path / "samples.jsonl").exists())


def test_heartbeats_are_not_replayed(console: Console, start: Callable) -> None:
    start(heartbeat_s=0.1)
    console.wait_for("heartbeat")
    console.stop()
    away = timestamp()
    time.sleep(0.5)
    back = timestamp()
    count = len(console.payloads("heartbeat"))
    console.start()
    beats = console.wait_for("heartbeat", count + 2)
    assert not [beat for beat in beats if away < beat["timestamp"] < back]


def test_samples_lost_by_a_silent_network_are_sent_again(
    console: Console, relay: Relay, start: Callable, taken: list[str]
) -> None:
    start(url=f"http://127.0.0.1:{relay.port}", confirm_timeout_s=0.4)
    console.wait_for("metrics", 2)
    relay.freeze()
    time.sleep(0.8)
    relay.thaw()
    back = timestamp()
    until(lambda: times(console)[-1] > back)
    arrived = sorted(set(times(console)))
    assert arrived == taken[: len(arrived)]


def test_samples_survive_a_restart_of_the_agent(console: Console, start: Callable, tmp_path: Path) -> None:
    console.stop()
    agent = start()
    until(lambda: (tmp_path / "samples.jsonl").exists())
    time.sleep(0.3)
    agent.stop()
    kept = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert len(kept) >= 3
    assert (tmp_path / "samples.jsonl").stat().st_mode & 0o077 == 0
    console.start()
    start()
    samples = console.wait_for("metrics", len(kept) + 1)
    assert all(sample["replayed"] for sample in samples[: len(kept)])


def test_a_backlog_is_sent_at_a_bounded_rate(console: Console, start: Callable, tmp_path: Path) -> None:
    lines = [
        f'{{"instance_id":"web-1","timestamp":"2020-01-01T00:00:{n // 10:02}.{n % 10}00Z","n":{n}}}\n'
        for n in range(120)
    ]
    (tmp_path / "samples.jsonl").write_text("".join(lines))
    start(replay_samples_per_s=100, metrics_s=60, first_sample_s=60)
    samples = console.wait_for("metrics", 120)
    assert [sample["n"] for sample in samples] == list(range(120))
    at = [frame["at"] for frame in console.frames if frame["type"] == "metrics"]
    assert at[-1] - at[0] >= 0.9  # five pauses of 0.2 s between six batches
    console.wait_for("heartbeat", 3)  # which go on meanwhile


def test_pauses_between_tries_grow_up_to_the_limit(console: Console, start: Callable) -> None:
    console.close_after_accept = (1011, "")
    start(backoff_min_s=0.05, backoff_max_s=0.4)
    until(lambda: len(console.upgrades) == 7)
    at = [upgrade["at"] for upgrade in console.upgrades]
    pauses = [after - before for before, after in pairwise(at)]
    assert all(0.2 <= pause < 5 for pause in pauses[4:])  # at least half of the limit: jitter
    assert pauses[0] < max(pauses[4:])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_clearly_and_tried_slowly(
    console: Console, start: Callable, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    console.refuse_upgrade_with = status
    start(backoff_min_s=0.01)
    until(lambda: len(console.upgrades) == 3)
    at = [upgrade["at"] for upgrade in console.upgrades]
    assert all(after - before >= 0.15 for before, after in pairwise(at))
    assert f"the server refused the key for web-1: HTTP {status}" in caplog.text
    console.refuse_upgrade_with = 0
    console.wait_for("metrics", 3)


def test_an_unknown_instance_is_registered_again(console: Console, start: Callable) -> None:
    console.close_after_accept = (1008, "Unknown instance ID: web-1")
    start()
    until(lambda: len(console.registrations) >= 2)
    console.close_after_accept = None
    console.wait_for("heartbeat")


def test_a_replaced_agent_does_not_fight_at_full_speed(
    console: Console, start: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    start(backoff_min_s=0.01)
    console.wait_for("heartbeat")
    console.hang_up(1001, "Replaced by new connection")
    until(lambda: len(console.upgrades) == 2)
    assert "another agent speaks for web-1" in caplog.text


def test_a_server_that_never_answers_does_not_hold_up_a_stop(start: Callable) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        agent = start(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        time.sleep(0.5)
        agent.stop(within_s=1)


def test_a_stop_during_a_replay_keeps_what_has_not_arrived(console: Console, start: Callable, tmp_path: Path) -> None:
    lines = [f'{{"instance_id":"web-1","timestamp":"2020-01-01T00:00:00.{n:03}Z","n":{n}}}\n' for n in range(200)]
    (tmp_path / "samples.jsonl").write_text("".join(lines))
    agent = start(metrics_s=60, first_sample_s=60)
    console.wait_for("metrics", 40)
    agent.stop()
    kept = (tmp_path / "samples.jsonl").read_text().splitlines(keepends=True)
    arrived = {sample["n"] for sample in console.payloads("metrics")}
    assert kept == lines[200 - len(kept) :]
    assert arrived >= set(range(200 - len(kept)))


def test_a_broken_part_ends_the_agent_with_its_error(start: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no processor found")

    monkeypatch.setattr("pharos_agent.agent.Sampler", broken)
    agent = start()
    with pytest.raises(RuntimeError, match="no processor found"):
        agent.stop()
    agent.error = None
