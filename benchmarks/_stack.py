"""A server of the product over PostgreSQL and Redis on loopback, and what it costs in CPU time."""

import atexit
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
READY_S = 60
SETTINGS = "benchmarks._settings"


def prepare(settings: str = SETTINGS) -> None:
    """Set this process up like the server's, and bring the database up to date. Needs DATABASE_URL."""
    if "DATABASE_URL" not in os.environ:
        sys.exit("Run benchmarks by `make bench NAME=…`, or set DATABASE_URL to an empty PostgreSQL database.")
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": settings,
        "PHAROS_SECRET_KEY": secrets.token_urlsafe(48),
        "PHAROS_VAULT_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "PHAROS_RATE_INGEST_BYTES": "0",
        "PHAROS_LOG_LEVEL": "WARNING",
        "PHAROS_DATA_DIR": tempfile.mkdtemp(prefix="pharos-bench-"),
    }
    atexit.register(shutil.rmtree, os.environ["PHAROS_DATA_DIR"], ignore_errors=True)
    Path(os.environ["PHAROS_DATA_DIR"], "static").mkdir()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


@dataclass
class Server:
    """A running server; `port` on 127.0.0.1."""

    port: int
    process: psutil.Process
    database: psutil.Process | None

    def cpu_s(self) -> float:
        """CPU seconds, user and system, of the server, PostgreSQL and Redis so far."""
        return cpu_of(self.process) + (cpu_of(self.database) if self.database else 0.0) + _redis_cpu_s()


@contextmanager
def server(application: str = "config.asgi:application", settings: str = SETTINGS) -> Iterator[Server]:
    """uvicorn with one process, as `docker-compose.yml` starts the part that takes reports in."""
    from tests.support.services import free_port

    port = free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--host", "127.0.0.1"]
    command += [
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
        "--ws",
        "config.sockets:SocketProtocol",
        "--ws-ping-interval=30",
        "--ws-ping-timeout=60",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DJANGO_SETTINGS_MODULE": settings})
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process)
        yield Server(port, psutil.Process(process.pid), postmaster())
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own address
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("The server did not start")


def postmaster() -> psutil.Process | None:
    """PostgreSQL's main process, if it runs on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    try:
        backend = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    return backend.parent() if backend.name().startswith("postgres") else None


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and its children, those that have ended included."""
    times = process.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        try:
            own = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += own.user + own.system
    return spent


def _redis_cpu_s() -> float:
    if not (url := os.environ.get("REDIS_URL")):
        return 0.0
    import redis

    told = redis.Redis.from_url(url, socket_timeout=2).info("cpu")
    return told["used_cpu_sys"] + told["used_cpu_user"]
