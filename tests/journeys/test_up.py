"""`make up` as a newcomer uses it: ready, live data of this machine, kept over a second start, stopped cleanly."""

import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support import services
from tests.support.console import Console, wait_for

pytestmark = [pytest.mark.journey]
ROOT = Path(__file__).resolve().parents[2]


class Up:
    """`make up` in a process group of its own, as a terminal would start it."""

    def __init__(self, folder, port, **environment):
        self.log = folder / "up.log"
        self.log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
        for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "MAKEFLAGS", "MAKELEVEL"):
            kept.pop(name, None)
        self.env = kept | {"PHAROS_PORT": str(port), "PHAROS_DATA_DIR": str(folder / "data")} | environment
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                ["make", "up"], cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    def output(self):
        return self.log.read_text()

    def wait_ready(self):
        """Seconds that the product says it took."""

        def look():
            assert self.process.poll() is None, self.output()
            return re.search(r"Ready after ([\d.]+) s", self.output())

        return float(wait_for("the product to be ready", look, timeout_s=150)[1])

    def main_process(self):
        """The process of the product beneath make."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return next(one for one in family if "pharos" in " ".join(one.cmdline()) and "up" in one.cmdline())

    def key(self):
        printed = subprocess.run(
            [ROOT / ".venv/bin/pharos", "keys", "create", "--name", "scripts", "--role", "OPERATOR"],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        return printed.stdout.strip()

    def interrupt(self):
        """Ctrl-C: the signal goes to the whole group. Returns exit code and seconds."""
        started = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(15), time.monotonic() - started


@contextmanager
def up(folder, port, **environment):
    running = Up(folder, port, **environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


def test_start_live_data_stop_and_second_start(tmp_path):
    port = services.free_port()
    with up(tmp_path, port) as first:
        first.wait_ready()
        link = re.search(r"http://\S+/setup/\S+", first.output())
        assert link, first.output()
        console = Console(first.url, first.key())
        [instance] = wait_for("this machine", lambda: console.get("/api/v1/instances")["instances"], timeout_s=30)
        [latest] = wait_for("its figures", lambda: console.get("/api/v1/metrics/latest")["metrics"], timeout_s=30)
        assert int(latest["memTotal"]) == pytest.approx(psutil.virtual_memory().total, rel=0.01)
        assert 0 <= latest["cpuPercent"] <= 100
        assert int(latest["diskTotal"]) > 0
        moved = wait_for(
            "the figures to move",
            lambda: console.get("/api/v1/metrics/latest")["metrics"][0]["timestamp"] != latest["timestamp"],
            timeout_s=30,
        )
        assert moved
        processes = wait_for(
            "its processes",
            lambda: console.get(f"/api/v1/instances/{instance['id']}/processes")["processes"],
            timeout_s=30,
        )
        assert all(process["pid"] > 0 and process["name"] for process in processes)
        resident = first.main_process().memory_info().rss
        assert resident < 200 * 2**20, f"{resident / 2**20:.0f} MiB"
        acknowledged = console.post("/api/v1/instances", {"name": "kept", "provider": "ssh"}, expect=201)["id"]
        code, took_s = first.interrupt()
        assert took_s < 15, first.output()
        # make reports the interrupt as its own failure on some systems; the product itself ends with 0.
        assert "Pharos has stopped. Everything acknowledged is kept." in first.output(), (code, first.output())
        assert not leftovers(tmp_path), "no process stays behind"

    with up(tmp_path, port) as second:
        took_s = second.wait_ready()
        assert took_s < 15
        console = Console(second.url, console.key)
        assert console.get(f"/api/v1/instances/{acknowledged}")["name"] == "kept"
        assert len(console.get("/api/v1/instances")["instances"]) == 2, "this machine is not enrolled again"
        second.interrupt()


def leftovers(folder):
    """Processes that still know the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(folder) in " ".join(process.environ().values()) and process.pid != os.getpid():
                found.append(" ".join(process.cmdline()))
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def test_part_that_dies_ends_the_command_with_the_reason(tmp_path):
    with up(tmp_path, services.free_port()) as running:
        running.wait_ready()
        product = running.main_process()
        [agent] = wait_for("the agent", lambda: [p for p in product.children() if "pharos_agent" in p.cmdline()])
        agent.kill()
        assert running.process.wait(15) != 0
        assert "the agent has died" in running.output()


def test_second_start_on_the_same_data_and_taken_port_say_so(tmp_path):
    port = services.free_port()
    with up(tmp_path, port) as running:
        running.wait_ready()
        (tmp_path / "other").mkdir()
        with up(tmp_path / "other", port) as other:
            assert other.process.wait(30) != 0
            assert f"port {port}" in other.output()
            assert "PHAROS_PORT" in other.output()
        same = dict(running.env, PHAROS_PORT=str(services.free_port()))
        again = subprocess.run(
            [ROOT / ".venv/bin/pharos", "up"], cwd=ROOT, env=same, capture_output=True, text=True, timeout=30
        )
        assert again.returncode != 0
        assert "already runs" in again.stderr
        running.interrupt()


def test_faulty_environment_is_told_at_once(tmp_path):
    faults = {"PHAROS_PORT": "many", "PHAROS_OUTBOUND_ALLOW": "10.0.0.0/99", "REDIS_URL": "redis://127.0.0.1:1/0"}
    env = {"PATH": os.environ["PATH"], "PHAROS_DATA_DIR": str(tmp_path), **faults}
    told = subprocess.run(
        [ROOT / ".venv/bin/pharos", "up"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30
    )
    assert told.returncode == 2
    for name in faults:
        assert name in told.stderr
    assert "Traceback" not in told.stderr
