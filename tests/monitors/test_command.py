"""`pharos monitors list|run|logs` against a server (user experience §9)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from config import client as places
from monitors.runs import services as runs
from monitors.runs.logs import LogWriter
from monitors.runs.models import Run, Status
from tests.monitors.conftest import http_monitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PASSED = {"p50": 1.0, "p95": 12.5, "avg": 1.0, "errorRate": 0.25, "throughput": 1.0}


@pytest.fixture
def pharos(live_server: Any, operator: Any, tmp_path: Any) -> Callable[..., Any]:
    """`pharos("list")` runs a command as a person does; returns the finished process."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PHAROS_URL": live_server.url,
            "PHAROS_API_KEY": operator.raw_key,
        }
        command = [sys.executable, "-m", "monitors.cli.main", *arguments]
        return subprocess.run(command, env=env | environment, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture
def finished(create: Any) -> Callable[..., Run]:
    """A finished run of a new monitor."""

    def make(name: str, status: Status = Status.PASS, **end: Any) -> Run:
        now = timezone.now()
        run = runs.add(monitor=create(name=name), trigger="manual", now=now)
        run = runs.claim(run_id=run.pk, now=now)
        writer = LogWriter(run.pk, [])
        writer.write(b"first\n\x1b[2Jsecond\n")
        writer.flush(last=True)
        runs.finish(run=run, status=status, now=now, **end)
        return run

    return make


def test_list(pharos: Any, finished: Any, create: Any) -> None:
    finished("Front page")
    create(name="Never\u2028ran")
    done = pharos("list")
    assert (done.returncode, done.stderr) == (0, "")
    front, never = done.stdout.splitlines()
    assert front.split("\t")[:3] == ["pass", "Front page", "http"] and never.startswith("never run\tNever ran\t")
    assert [one["name"] for one in json.loads(pharos("list", "--json", "--search", "front").stdout)] == ["Front page"]
    assert pharos("list", "--status", "nonsense").returncode == 2


def test_run_and_wait(pharos: Any, create: Any, live_server: Any) -> None:
    """Nobody makes the run here but this test: it plays the worker while the command waits."""
    import threading
    import time

    create(name="Front page")
    outcome: dict[str, Any] = {"status": Status.FAIL, "metrics": PASSED, "breaches": [{"message": "p95 is over 10 ms"}]}

    def work() -> None:
        while (queued := Run.objects.filter(status=Status.QUEUED).first()) is None:
            time.sleep(0.1)
        run = runs.claim(run_id=queued.pk, now=timezone.now())
        runs.finish(run=run, now=timezone.now(), **outcome)

    for code, status in ((1, Status.FAIL), (0, Status.PASS)):
        outcome["status"] = status
        worker = threading.Thread(target=work)
        worker.start()
        done = pharos("run", "Front page", "--wait")
        worker.join()
        assert done.returncode == code, done.stderr
        assert done.stdout.startswith(f"{status}  Front page") and "p95 12.5 ms  errors 25.00%" in done.stdout
        assert "p95 is over 10 ms" in done.stdout and done.stderr.endswith(f"{status}\n")


def test_run_without_waiting_and_beside_another(pharos: Any, create: Any) -> None:
    monitor = create(name="Front page")
    done = pharos("run", str(monitor.pk))
    assert done.returncode == 0 and Run.objects.get(pk=done.stdout.strip()).status == Status.QUEUED
    again = pharos("run", "Front page")
    assert again.returncode == 1 and "A run of this monitor is active" in again.stderr
    assert pharos("run", "Front page", "--queue").returncode == 0
    late = pharos("run", "Front page", "--queue", "--wait", "--timeout", "0.1")
    assert late.returncode == 1 and "not over" in late.stderr


def test_logs(pharos: Any, finished: Any, create: Any) -> None:
    run = finished("Front page")
    for name in ("Front page", str(run.monitor_id), str(run.pk)):
        done = pharos("logs", name)
        assert (done.returncode, done.stdout) == (0, "first\n\ufffd[2Jsecond\n"), done.stderr
    assert pharos("logs", "Front page", "--tail", "1").stdout == "\ufffd[2Jsecond\n"
    assert pharos("logs", "Front page", "--follow").stdout == "first\n\ufffd[2Jsecond\n"
    create(name="Fresh")
    assert pharos("logs", "Fresh").returncode == 4


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["run", "Nowhere"], {}, 4, "There is no monitor 'Nowhere'"),
        (["logs", "00000000-0000-4000-8000-000000000000"], {}, 4, "not found"),
        (["list"], {"PHAROS_API_KEY": "sk-wrong"}, 3, "Invalid API key"),
        (["list"], {"PHAROS_API_KEY": ""}, 2, "No API key"),
        (["list"], {"PHAROS_URL": "ftp://x"}, 2, "no address of a server"),
        (["list"], {"PHAROS_URL": "http://127.0.0.1:9"}, 5, "cannot be reached: no connection"),
        (["list", "--url", "http://127.0.0.1:9"], {}, 5, "cannot be reached"),
        (["list", "--key-file", "/nowhere"], {}, 2, "The key cannot be read"),
        (["fly"], {}, 2, "invalid choice"),
        ([], {}, 2, "required"),
        (["logs", "x", "--tail", "0"], {}, 2, "from 1 to 10000"),
    ],
)
def test_exit_codes(pharos: Any, arguments: list[str], environment: dict, code: int, said: str) -> None:
    done = pharos(*arguments, **environment)
    assert done.returncode == code and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_allowed(pharos: Any, api: Any, create: Any) -> None:
    create(name="Front page")
    done = pharos("run", "Front page", PHAROS_API_KEY=api("VIEWER").raw_key)
    assert done.returncode == 3 and "OPERATOR" in done.stderr


def test_two_of_one_name(pharos: Any, create: Any) -> None:
    ids = {str(create(name="Twin").pk) for _ in range(2)}
    done = pharos("run", "Twin")
    assert done.returncode == 2 and all(one in done.stderr for one in ids)


def test_the_settings_file_comes_last(tmp_path: Any) -> None:
    file = tmp_path / "pharos" / "client.toml"
    file.parent.mkdir()
    file.write_text('url = "https://a.example/"\napi_key = "sk-file"\n')
    file.chmod(0o600)
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert places.find_place(environ=environ) == places.Place("https://a.example", "sk-file")
    environ |= {"PHAROS_URL": "https://b.example", "PHAROS_API_KEY": "sk-env"}
    assert places.find_place(environ=environ) == places.Place("https://b.example", "sk-env")
    assert places.find_place(url="https://c.example", environ=environ).url == "https://c.example"
    file.chmod(0o644)
    with pytest.raises(places.ClientError, match="chmod 600"):
        places.find_place(environ=environ)


def test_every_command_has_help_with_an_example(pharos: Any) -> None:
    for name in ("list", "run", "logs", "agent"):
        done = pharos(name, "--help")
        assert done.returncode == 0 and "example: " in done.stdout


def test_an_interrupted_wait(create: Any, live_server: Any, operator: Any, tmp_path: Any) -> None:
    import signal

    create(http_monitor(name="Front page"))
    env = {"PATH": os.environ["PATH"], "PHAROS_URL": live_server.url, "PHAROS_API_KEY": operator.raw_key}
    command = [sys.executable, "-m", "monitors.cli.main", "run", "Front page", "--wait"]
    # A test run in the background passes on that Ctrl-C is ignored; a person's shell does not.
    process = subprocess.Popen(
        command,
        env=env | {"HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "queued" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert process.stderr.read() == ""
    process.stderr.close()
