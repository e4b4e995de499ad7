"""What an agent tells about its machine, checked against the machine."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psutil
import pytest

from tests.agent.conftest import KEY
from tests.agent.console import Console


def meminfo() -> dict[str, int]:
    with open("/proc/meminfo") as file:
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in file}


@pytest.fixture
def busy() -> Iterator[psutil.Process]:
    """A process that keeps one core busy."""
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield psutil.Process(child.pid)
    child.kill()
    child.wait(5)


def test_the_upgrade_names_the_instance_and_carries_the_key(console: Console, start: Callable) -> None:
    start()
    console.wait_for("heartbeat")
    upgrade = console.upgrades[0]
    assert upgrade["path"] == "/ws/agent"
    assert upgrade["authorization"] == f"Bearer {KEY}"
    assert upgrade["x-instance-id"] == "web-1"


def test_heartbeats_come_at_once_and_then_regularly(console: Console, start: Callable) -> None:
    start()
    beats = console.wait_for("heartbeat", 4)
    boot = psutil.boot_time()
    for beat in beats:
        sent = datetime.fromisoformat(beat["timestamp"])
        assert beat["instance_id"] == "web-1"
        assert abs((datetime.now(UTC) - sent).total_seconds()) < 10
        assert abs(beat["uptime_seconds"] - (sent.timestamp() - boot)) < 3
    times = [frame["at"] for frame in console.frames if frame["type"] == "heartbeat"]
    assert 0.5 < times[3] - times[0] < 5  # three pauses of 0.2 s


def test_every_frame_is_in_the_agent_dialect(console: Console, start: Callable) -> None:
    start()
    console.wait_for("inventory")
    for frame in console.frames:
        assert frame["protocol_version"] == "1.0"
        assert frame["payload"]["instance_id"] == "web-1"
        assert frame["bytes"] < 64 * 1024


def test_memory_and_cores_are_those_of_the_machine(console: Console, start: Callable) -> None:
    start()
    sample = console.wait_for("metrics")[0]
    memory, known = sample["memory"], meminfo()
    assert memory["total_bytes"] == known["MemTotal"]
    assert abs(memory["used_bytes"] - (known["MemTotal"] - known["MemAvailable"])) < 0.05 * known["MemTotal"]
    assert memory["usage_percent"] == pytest.approx(100 * memory["used_bytes"] / memory["total_bytes"], 0.01)
    assert memory["swap_total_bytes"] == known["SwapTotal"]
    assert sample["cpu"]["core_count"] == os.cpu_count() == len(sample["cpu"]["per_core"])
    assert sample["cpu"]["load_avg_1"] == pytest.approx(os.getloadavg()[0], abs=1.5)
    assert sample["process_count"] == pytest.approx(len(psutil.pids()), rel=0.3)


def test_each_disk_is_told_once_with_its_real_size(console: Console, start: Callable) -> None:
    start()
    disks = console.wait_for("metrics")[0]["disk"]
    assert len({disk["device"] for disk in disks}) == len(disks)
    root = next(disk for disk in disks if disk["mount_point"] == "/")
    real = shutil.disk_usage("/")
    assert root["total_bytes"] == real.total
    assert root["used_bytes"] == pytest.approx(real.used, rel=0.05)
    assert 0 <= root["usage_percent"] <= 100


def test_network_counters_are_cumulative_and_without_loopback(console: Console, start: Callable) -> None:
    start()
    first, *_, last = console.wait_for("metrics", 5)
    for counter, value in first["network"].items():
        assert value <= last["network"][counter]
    outer = [count for name, count in psutil.net_io_counters(pernic=True).items() if name != "lo"]
    assert last["network"]["bytes_recv"] <= sum(count.bytes_recv for count in outer)


def test_a_busy_process_shows_in_the_cpu_figures(console: Console, start: Callable, busy: psutil.Process) -> None:
    start(metrics_s=0.6, first_sample_s=0.6)
    sample = console.wait_for("metrics", 2)[1]
    assert 50 / os.cpu_count() < sample["cpu"]["usage_percent"] <= 100
    assert all(0 <= core <= 100 for core in sample["cpu"]["per_core"])
    report = console.wait_for("inventory")[0]
    row = next(row for row in report["processes"] if row["pid"] == busy.pid)
    assert 5 < row["cpu_percent"] <= 105
    assert row["memory_bytes"] == pytest.approx(busy.memory_info().rss, rel=0.3)
    assert row["user"] == busy.username()
    assert row["name"] == busy.name()
    assert row["status"] == "running"


def test_processes_are_the_ten_busiest_of_the_last_interval(
    console: Console, start: Callable, busy: psutil.Process
) -> None:
    time.sleep(0.3)  # CPU time from before the agent looked must not count
    start()
    reports = console.wait_for("inventory", 2)
    for report in reports:
        shares = [row["cpu_percent"] for row in report["processes"]]
        known = [share for share in shares if share is not None]
        assert len(shares) == min(10, len(psutil.pids()))
        assert known == sorted(known, reverse=True)
        assert max(known) < 100 * os.cpu_count() * 1.2
        assert report["hostname"] == os.uname().nodename
        assert set(report["processes"][0]) == {
            "pid", "name", "cpu_percent", "memory_bytes", "memory_percent", "status", "user",
        }  # fmt: skip
