"""Runs with the real Locust (contract: monitors §8.4)."""

import os
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from monitors.runs.models import Status
from monitors.tools.locust.streams import Recorded

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SHORT = {"USERS": "2", "SPAWN_RATE": "10", "RUN_TIME": "1s"}

GET = """
import os
from locust import HttpUser, constant, task

class Visitor(HttpUser):
    host = os.environ["BASE"]
    wait_time = constant(0.05)

    @task
    def front(self):
        {body}
"""


def test_figures_come_from_every_single_request(tool_run: Any, local_server: Any) -> None:
    local_server.answer(delay_s=0.15)  # Locust's own summary knows times above 100 ms to 10 ms only
    script = GET.format(body="self.client.get('/')") + (
        "\nfrom locust import events\n\n@events.request.add_listener\n"
        "def tell(response_time, **_):\n    print(f'took {response_time!r}', flush=True)\n"
    )
    run, log = tool_run("locust", script, parameters=SHORT, thresholds={"apdexTMs": 100, "latencyMs": 5000})
    assert (run.status, run.exit_code, run.breaches) == (Status.PASS, 0, []), log
    times = sorted(float(line.split()[1]) for line in log.splitlines() if line.startswith("took "))
    metrics = run.metrics
    assert metrics["samples"] == len(times) == len(local_server.requests) >= 2
    assert (metrics["failed"], metrics["errorRate"], metrics["apdex"]) == (0, 0, 0.5)
    assert (metrics["min"], metrics["max"]) == (round(times[0], 3), round(times[-1], 3))
    assert metrics["p50"] == pytest.approx(statistics.median(times), abs=0.001)
    assert 0 < metrics["throughput"] < 100
    assert "[runner] locust -f script.py" in log and "Aggregated" in log


def test_failed_requests_and_limits(tool_run: Any, local_server: Any) -> None:
    local_server.answer(status=500)
    run, log = tool_run(
        "locust", GET.format(body="self.client.get('/')"), parameters=SHORT, thresholds={"errorRatePercent": 50}
    )
    assert (run.status, run.exit_code, run.metrics["errorRate"]) == (Status.FAIL, 0, 1), log
    assert [one["threshold"] for one in run.breaches] == ["errorRatePercent"]


@pytest.mark.parametrize(
    ("script", "status", "code", "says"),
    [
        ("from locust import User\nclass A(User):\n    tasks = [missing]\n", "error", "script_error", "missing"),
        (GET.format(body="raise RuntimeError('no stock')"), "error", "no_samples", "No request was made"),
        (
            GET.format(body="self.client.get('/'); self.environment.process_exit_code = 3"),
            "fail",
            "",
            "the script ended Locust with exit code 3",
        ),
    ],
    ids=["broken", "throws", "says that it failed"],
)
def test_what_a_script_can_end_in(tool_run: Any, script: str, status: str, code: str, says: str) -> None:
    run, log = tool_run("locust", script, parameters=SHORT)
    assert (run.status, run.error_code) == (status, code), log
    assert says in (run.error_message or run.breaches[0]["message"])
    if code == "no_samples":
        assert "no stock" in log  # the traceback of the task


def test_a_script_that_will_not_end_keeps_its_figures(tool_run: Any) -> None:
    body = "self.client.get('/'); import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    began = time.monotonic()
    run, log = tool_run("locust", GET.format(body=body) + "\nimport gevent\n", parameters=SHORT, timeout_s=4)
    assert (run.status, run.error) == (Status.TIMEOUT, None), log
    assert run.metrics["samples"] >= 1
    assert time.monotonic() - began < 20


HOSTILE = """
import os, subprocess, sys, time
from locust import HttpUser, events, task

DETACHED = "import time,os; os.setsid(); time.sleep(300)"
children = [subprocess.Popen([sys.executable, "-c", DETACHED + f" # {os.environ['MARK']}"]) for _ in range(3)]
print("names", *sorted(os.environ))
try:
    print("read", open(os.environ["SECRET_FILE"]).read())
except OSError as error:
    print("refused", error.strerror)
print("user", os.getuid(), "token", os.environ["API_TOKEN"])

class Visitor(HttpUser):
    host = os.environ["BASE"]

    @task
    def front(self):
        self.client.get("/")
        self.environment.runner.quit()
"""


def test_a_hostile_script(tool_run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """It sees nothing of ours, and what it starts dies with it, even in sessions of its own."""
    monkeypatch.setenv("PHAROS_VAULT_KEY", "not for scripts")
    secret = tmp_path / "secret"
    secret.write_text("for its owner only")
    secret.chmod(0o600)
    mark = f"mark-{os.getpid()}-{time.time_ns()}"
    given = {"MARK": mark, "SECRET_FILE": str(secret), "API_TOKEN": "tiger-4242"}
    run, log = tool_run("locust", HOSTILE, parameters=SHORT | given)
    assert run.status == Status.PASS, log
    names = next(line for line in log.splitlines() if line.startswith("names "))
    ours = {"API_TOKEN", "BASE", "MARK", "RUN_TIME", "SECRET_FILE", "SPAWN_RATE", "USERS"}
    assert set(names.split()[1:]) - {"LC_CTYPE"} == ours | {
        "HOME",
        "LANG",
        "NO_COLOR",
        "PATH",
        "PYTHONUNBUFFERED",
        "TMPDIR",
    }
    assert "tiger" not in log and "token ********" in log
    if os.geteuid() == 0:
        assert "for its owner only" not in log and "refused Permission denied" in log
        assert "user 0 " not in log
    assert not _marked(mark)


def _marked(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            text = (entry / "cmdline").read_text() if entry.name.isdigit() else ""
        except OSError:
            continue
        if mark in text and entry.name != str(os.getpid()):
            found.append(text)
    return found


def test_a_missing_program(tool_run: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("monitors.tools.programs.find", lambda name: None)
    run, _ = tool_run("locust", GET.format(body="pass"))
    assert (run.status, run.error_code) == (Status.ERROR, "tool_unavailable")
    assert "pip install locust" in run.error_message


def test_requests_without_a_time_are_counted_apart() -> None:
    recorded = Recorded(500)
    recorded.take(b"100.0 20.0 1\n101.0 - 1\n100.5 30")
    recorded.take(b".5 0\n")
    assert (recorded.samples.count, recorded.samples.failed, recorded.untimed) == (2, 1, 1)
    assert recorded.elapsed_s == pytest.approx(0.5305)
