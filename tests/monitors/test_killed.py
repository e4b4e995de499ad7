"""A worker process that is killed in the middle of a run: nothing stays behind, and the run ends (monitors §5.1)."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from monitors.runs import dispatch, services
from monitors.runs.models import Run, Status
from monitors.tools import workspace
from tests.monitors.conftest import k6_monitor

WORKER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[2]
django.setup()
from monitors.runs.tasks import execute
execute.apply_async = lambda *a, **k: None
execute(sys.argv[1])
"""


def descendants(process_id: int) -> list[int]:
    """The processes below one, deepest last."""
    children = [
        int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent(entry) == process_id
    ]
    return children + [below for child in children for below in descendants(child)]


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _alive(process_id: int) -> bool:
    try:
        return (Path("/proc") / str(process_id) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Any, timeout_s: float = 15) -> Any:
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker(create: Any, operator: Any, sent: list[str], local_server: Any) -> None:
    local_server.answer(hang=True)
    script = "import http from 'k6/http'; export default function () { http.get(__ENV.BASE) }"
    monitor = create(k6_monitor(script, parameters={"BASE": local_server.url}))
    run_id = operator.post(f"/api/monitors/{monitor.pk}/run").json()["runId"]
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, run_id, str(connection.settings_dict["NAME"])],
        env={**os.environ, **_environment()},
    )
    try:
        local_server.wait(1)
        assert Run.objects.get(pk=run_id).status == Status.RUNNING
        tools = wait_for(lambda: descendants(worker.pid))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        wait_for(lambda: not any(map(_alive, tools)), timeout_s=5)
    finally:
        worker.kill()
        worker.wait()
    now = timezone.now()
    assert dispatch.settle_abandoned(now=now) == 0
    assert dispatch.settle_abandoned(now=now + timedelta(seconds=21)) == 1
    run = operator.get(f"/api/runs/{run_id}").json()
    assert (run["status"], run["error"]["code"]) == ("error", "worker_lost")
    assert timedelta(seconds=25) >= services.LEASE
    workspace.sweep()
    assert not list(workspace.place().glob(f"{workspace.PREFIX}{worker.pid}-*"))


def test_folders_of_the_dead_are_removed_and_those_of_the_living_stay() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = (workspace.place() / f"{workspace.PREFIX}{number}-test" for number in (ended.pid, os.getpid()))
    for folder in (dead, alive):
        folder.mkdir()
    try:
        workspace.sweep()
        assert not dead.exists() and alive.exists()
    finally:
        alive.rmdir()


def _environment() -> dict[str, str]:
    """The test's database for another process; its keys come from the environment already."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return {"PHAROS_DATA_DIR": str(django_settings.DATA_DIR)}
    place = f"{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}"
    return {"DATABASE_URL": f"postgresql://{place}/{settings['NAME']}"}
