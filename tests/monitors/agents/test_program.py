"""The agent as a program of its own: from the package that the server hands out, with HTTP and no database."""

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from typing import Any

import pytest
from django.utils import timezone

from monitors.agents import distribution
from monitors.runs import dispatch, logs
from monitors.runs import services as runs
from monitors.runs.models import Run
from tests.monitors.conftest import http_monitor, k6_monitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PRINTS = "export default function () { console.log(`key ${__ENV.API_TOKEN} and ${__ENV.PHAROS_MONITOR_TOKEN}`) }"
SLEEPS = "import { sleep } from 'k6'; export default function () { console.log('begun'); sleep(200) }"
TALKS = """import { sleep } from 'k6';
export default function () { for (let n = 0; n < 100; n++) { console.log('begun ' + n); sleep(0.3) } }"""
# Refuses whatever the package does not ask for, as if it were not installed.
STARTER = """
import sys
FORBIDDEN = set(sys.argv.pop(1).split(","))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ImportError(f"{name} is not among the agent's libraries")
sys.meta_path.insert(0, Absent())
from config.cli import main
main()
"""


def plain(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-")


def closure(names: list[str]) -> set[str]:
    """Distributions and all that they need themselves."""
    found: set[str] = set()
    while names:
        if (name := names.pop()) not in found:
            found.add(name)
            with suppress(PackageNotFoundError):  # of another system
                names += [plain(line) for line in requires(name) or () if "extra ==" not in line]
    return found


@pytest.fixture(scope="module")
def package(tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("agent")
    with zipfile.ZipFile(io.BytesIO(distribution.wheel())) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def forbidden() -> str:
    """Top-level modules of installed libraries that the agent's package does not ask for."""
    allowed = closure([plain(line) for line in distribution.needed()]) | {"pharos", "pip", "setuptools"}
    modules = packages_distributions().items()
    return ",".join(
        name for name, owners in modules if not {owner.lower().replace("_", "-") for owner in owners} & allowed
    )


@pytest.fixture
def start(package: Any, forbidden: str, live_server: Any, tmp_path: Any) -> Iterator[Callable[..., Any]]:
    """`start(token)` is a running agent."""
    running = []

    def go(token: str, **environment: str) -> subprocess.Popen[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(package),
            "PHAROS_URL": live_server.url,
            "PHAROS_MONITOR_TOKEN": token,
            "PHAROS_OUTBOUND_ALLOW": "127.0.0.0/8",
            "PHAROS_DATA_DIR": str(tmp_path / "data"),
        }
        command = [sys.executable, "-c", STARTER, forbidden, "monitors", "agent"]
        running.append(
            subprocess.Popen(command, cwd=tmp_path, env=env | environment, stderr=subprocess.PIPE, text=True)
        )
        return running[-1]

    yield go
    for process in running:
        process.kill()
        process.wait()
        sys.stderr.write(process.stderr.read())  # shown when the test fails
        process.stderr.close()


def wait_for(look: Callable[[], Any], timeout_s: float = 20) -> Any:
    end = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


def ended(run: Run) -> Run | None:
    run.refresh_from_db()
    return run if run.is_over else None


def begun(run: Run) -> bool:
    return "begun" in logs.read(run.pk)


def test_the_program_makes_runs_with_nothing_but_its_package(
    oslo: Any, start: Any, create: Any, local_server: Any, operator: Any, tmp_path: Any
) -> None:
    agent = start(oslo.token)
    wait_for(lambda: operator.get(f"/api/agents/{oslo.id}").json()["status"] == "online")
    about = operator.get(f"/api/agents/{oslo.id}").json()
    assert about["tools"]["http"] and about["tools"]["k6"].startswith("1.") and about["capacity"] >= 1

    first = runs.add(
        monitor=create(http_monitor(local_server.url, agentId=oslo.id)), trigger="manual", now=timezone.now()
    )
    assert wait_for(lambda: ended(first)).status == "pass" and first.metrics["samples"] == 1
    assert "[runner]" in logs.read(first.pk)

    secret = create(k6_monitor(PRINTS, agentId=oslo.id, parameters={"API_TOKEN": "tiger-42"}))
    second = runs.add(monitor=secret, trigger="manual", now=timezone.now())
    wait_for(lambda: ended(second))
    assert "key ******** and undefined" in logs.read(second.pk)

    sleeper = create(k6_monitor(SLEEPS, agentId=oslo.id))
    third = runs.add(monitor=sleeper, trigger="manual", now=timezone.now())
    wait_for(lambda: begun(third))
    operator.post(f"/api/runs/{third.pk}/cancel")
    assert wait_for(lambda: ended(third)).status == "cancelled"

    fourth = runs.add(monitor=sleeper, trigger="manual", now=timezone.now())
    wait_for(lambda: begun(fourth))
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(15) == 0, agent.stderr.read()
    assert wait_for(lambda: ended(fourth)).error_code == "worker_lost"
    said = agent.stderr.read()
    assert oslo.token not in said and "Traceback" not in said
    assert not (tmp_path / "data").exists(), "an agent keeps nothing"


def test_a_run_whose_monitor_is_deleted_stops_although_it_has_much_to_say(
    oslo: Any, start: Any, create: Any, operator: Any
) -> None:
    agent = start(oslo.token)
    monitor = create(k6_monitor(TALKS, agentId=oslo.id))
    run = runs.add(monitor=monitor, trigger="manual", now=timezone.now())
    wait_for(lambda: begun(run))
    assert operator.delete(f"/api/monitors/{monitor.pk}").status_code == 204
    wait_for(lambda: "is over for the server" in agent.stderr.readline(), timeout_s=15)


def test_an_agent_that_is_killed_loses_its_run_and_nothing_else(oslo: Any, start: Any, create: Any) -> None:
    agent = start(oslo.token)
    run = runs.add(monitor=create(k6_monitor(SLEEPS, agentId=oslo.id)), trigger="manual", now=timezone.now())
    wait_for(lambda: begun(run))
    agent.kill()
    agent.wait()
    died = timezone.now()
    start(oslo.token)
    wait_for(lambda: oslo.row.workers.get().heartbeat_at > died)
    run.refresh_from_db()
    assert run.status == "running", "nobody knows yet that the agent is dead"
    dispatch.settle_abandoned(now=run.lease_until + timedelta(seconds=1))
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("error", "worker_lost")


def test_an_agent_without_a_usable_token_ends(oslo: Any, admin: Any, start: Any) -> None:
    agent = start(oslo.token)
    wait_for(lambda: admin.get(f"/api/agents/{oslo.id}").json()["status"] == "online")
    assert admin.delete(f"/api/agents/{oslo.id}").status_code == 204
    assert agent.wait(20) == 3 and "refuses this agent" in agent.stderr.read()
    wrong = start("sk-123")
    assert wrong.wait(20) == 2 and "no token of an agent" in wrong.stderr.read()


def test_the_command_to_copy_and_what_it_fetches(oslo: Any, client: Any) -> None:
    command = oslo.told["command"]
    assert re.fullmatch(
        r"curl -fsSL (\S+)/monitor-agent/install\.sh \| PHAROS_URL=\1 PHAROS_MONITOR_TOKEN=\S+ sh", command
    )
    script = client.get("/monitor-agent/install.sh", headers={"host": "pharos.example.org"}).content.decode()
    assert "http://pharos.example.org" in script and "@" not in script.replace("=@%", "")
    assert subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=False).returncode == 0
    name = re.search(r"wheel='(.+)'", script)[1]
    fetched = client.get(f"/monitor-agent/{name}")
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as wheel:
        assert wheel.testzip() is None and "monitors/remote/main.py" in wheel.namelist()
        assert not [name for name in wheel.namelist() if "migrations" in name]
    assert client.get("/monitor-agent/other.whl").status_code == 404


def test_the_package_installs(tmp_path: Any) -> None:
    (tmp_path / distribution.NAME).write_bytes(distribution.wheel())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", "there"]
    subprocess.run([*command, distribution.NAME], cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "there" / "bin" / "pharos").exists()
    names = {plain(line) for line in distribution.needed()}
    assert names == distribution.LIBRARIES, "each library is one that the product itself asks for"
