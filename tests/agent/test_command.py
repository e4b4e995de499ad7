"""The command as a process of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.agent.conftest import KEY
from tests.agent.console import Console, until

SOURCE = Path(__file__).parents[2] / "fleet" / "agent"


@pytest.fixture
def spawn(console: Console, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """`spawn("--flag", NAME="value")` starts the command; its stderr goes to `tmp_path / "log"`."""
    children: list[subprocess.Popen] = []

    def begin(*argv: str, **environ: str) -> subprocess.Popen:
        known = {
            "PATH": os.environ["PATH"],
            "PHAROS_URL": console.url,
            "PHAROS_AGENT_KEY": KEY,
            "PHAROS_INSTANCE_ID": "web-1",
            "PHAROS_AGENT_STATE_DIR": str(tmp_path / "state"),
        }
        with (tmp_path / "log").open("w") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "pharos_agent", *argv], env=known | environ, stderr=log, stdout=log
            )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait(5)


def test_bad_configuration_ends_with_2_and_every_fault(spawn: Callable, tmp_path: Path) -> None:
    child = spawn(PHAROS_URL="nonsense", PHAROS_AGENT_KEY="", PHAROS_AGENT_METRICS="never")
    assert child.wait(10) == 2
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("pharos-agent: PHAROS_") for line in lines)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_reports_and_stops_cleanly(console: Console, spawn: Callable, tmp_path: Path, stop: signal.Signals) -> None:
    child = spawn("--metrics-s", "1", "--heartbeat-s", "1", "--log-level", "debug")
    console.wait_for("heartbeat", 2)
    sample = console.wait_for("metrics")[0]
    assert sample["memory"]["total_bytes"] == psutil.virtual_memory().total
    child.send_signal(stop)
    asked = time.monotonic()
    assert child.wait(5) == 0
    assert time.monotonic() - asked < 2
    log = (tmp_path / "log").read_text()
    assert KEY not in log
    assert all(line[:4].isdigit() and line.split()[0].endswith("Z") for line in log.splitlines())
    assert log.splitlines()[-1].endswith("INFO stopped")


@pytest.mark.slow
def test_it_is_small(console: Console, spawn: Callable) -> None:
    child = psutil.Process(spawn(PHAROS_AGENT_METRICS="1", PHAROS_AGENT_HEARTBEAT="1").pid)
    console.wait_for("metrics", 1)
    before = sum(child.cpu_times()[:2])
    time.sleep(5)
    assert (sum(child.cpu_times()[:2]) - before) / 5 < 0.05  # at five times the pace of the local agent
    assert child.memory_info().rss < 40 * 1024 * 1024


def test_it_ends_when_the_program_that_started_it_was_killed(console: Console, spawn: Callable, tmp_path: Path) -> None:
    # A shell as the parent: it starts the agent in the background and waits.
    script = 'PHAROS_AGENT_PARENT_PID=$$ "$0" -m pharos_agent & echo $! > "$1"; wait'
    environ = os.environ | {
        "PHAROS_URL": console.url,
        "PHAROS_AGENT_KEY": KEY,
        "PHAROS_AGENT_STATE_DIR": str(tmp_path / "state"),
    }
    parent = subprocess.Popen(["sh", "-c", script, sys.executable, str(tmp_path / "pid")], env=environ)
    console.wait_for("heartbeat")
    agent = psutil.Process(int((tmp_path / "pid").read_text()))
    assert agent.is_running()
    parent.kill()
    parent.wait(5)
    until(lambda: not agent.is_running() or agent.status() == psutil.STATUS_ZOMBIE, timeout_s=4)


def test_a_second_agent_leaves_the_state_of_the_first_alone(console: Console, spawn: Callable, tmp_path: Path) -> None:
    spawn("--metrics-s", "1")
    console.wait_for("heartbeat")
    spawn("--metrics-s", "1", PHAROS_URL="http://127.0.0.1:9")
    until(lambda: "kept in memory only" in (tmp_path / "log").read_text())
    time.sleep(1.5)
    assert not (tmp_path / "state" / "samples.jsonl").exists()


@pytest.mark.slow
def test_the_wheel_is_complete(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(SOURCE, tmp_path / "agent", ignore=ignore)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, str(tmp_path / "agent"), "-w", str(tmp_path)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("pharos_agent-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        sources = {f"pharos_agent/{file.name}" for file in (SOURCE / "pharos_agent").glob("*.py")}
        assert sources <= set(names)
        (entry,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "pharos-agent = pharos_agent.main:main" in archive.read(entry).decode()
