"""The real product, started from outside as a user or a site starts it, in both of its shapes.

`embedded()` is one process over SQLite (`pharos up`). `production()` starts the processes of docker-compose.yml by
hand over PostgreSQL and Redis, in a database of their own. Nothing here imports the product's code.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.support import prepared, services

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
READY_S = 120
STOP_S = 10


@dataclass
class Process:
    """One process of the product, its output in `log`."""

    name: str
    command: list[str]
    env: dict[str, str]
    log: Path
    popen: Any = None
    groups: list[int] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command, cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        self.groups.append(self.popen.pid)

    def sweep(self) -> None:
        """End what a killed process has left behind: a server's own workers outlive it."""
        for group in self.groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def stop(self, by: int = signal.SIGTERM) -> int:
        """Ask it to stop; fails after `STOP_S`. Returns the exit code."""
        self.popen.send_signal(by)
        assert self.ends_in_time(), f"{self.name} did not stop within {STOP_S} s:\n{self.output()}"
        return self.popen.returncode

    def ends_in_time(self) -> bool:
        """Wait for the end; a process that does not end is killed, and the answer is False."""
        try:
            self.popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self.popen.kill()
        self.popen.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")


@dataclass
class Product:
    """A running product. `url` answers pages and APIs, `live_url` sockets, streams and ingest."""

    url: str
    live_url: str
    env: dict[str, str]
    folder: Path
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def socket_url(self) -> str:
        return self.live_url.replace("http", "ws", 1)

    def pharos(self, *arguments: str) -> str:
        """Run a command of the product in its environment; returns what it printed."""
        result = subprocess.run(
            [BIN / "pharos", *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=180
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def new_key(self, role: str = "ADMIN") -> str:
        """An API key, made as the documentation says."""
        printed = self.pharos("keys", "create", "--name", f"test {secrets.token_hex(4)}", "--role", role)
        found = re.search(r"\bsk-[0-9a-f]{48}\b", printed)
        assert found, printed
        return found[0]

    def setup_link(self) -> str:
        """The one-time link that `pharos up` printed."""
        found = re.search(r"https?://\S*setup\S*", self.processes["up"].output())
        assert found, self.processes["up"].output()
        return found[0]

    def stop(self) -> None:
        """Ask all processes at once to stop, then wait for each."""
        running = [process for process in self.processes.values() if process.popen and process.popen.poll() is None]
        for process in running:
            process.popen.terminate()
        late = [process for process in running if not process.ends_in_time()]
        for process in self.processes.values():
            process.sweep()
        assert not late, f"did not stop within {STOP_S} s: {[process.name for process in late]}\n{_logs(self)}"


@contextmanager
def embedded(*, folder: Path | None = None, agent: bool = False, **environment: str) -> Iterator[Product]:
    """`pharos up` on a free port; yields once it is ready. The same `folder` again is a second start."""
    with ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pharos-up-")))
        port = services.free_port()
        url = f"http://127.0.0.1:{port}"
        env = _clean_environment() | {"PHAROS_PORT": str(port), "PHAROS_DATA_DIR": str(folder / "data")}
        product = Product(url, url, env | environment, folder)
        if not (folder / "data").exists():
            shutil.copytree(prepared.data_folder(_clean_environment()), folder / "data")
        command = [str(BIN / "pharos"), "up", *([] if agent else ["--no-agent"])]
        product.processes["up"] = Process("up", command, product.env, folder / "up.log")
        stack.callback(product.stop)
        product.processes["up"].start()
        _wait(product, url)
        yield product


@contextmanager
def production(urls: dict[str, str], *, agent: bool = False, **environment: str) -> Iterator[Product]:
    """The processes of docker-compose.yml started by hand; `urls` holds DATABASE_URL and REDIS_URL of servers.

    They get a new database on the PostgreSQL server and a Redis database of their own, both emptied at the end.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pharos-production-")))
        web, live = services.free_port(), services.free_port()
        env = _clean_environment() | {
            "REDIS_URL": stack.enter_context(_own_redis(urls["REDIS_URL"])),
            "PHAROS_DATA_DIR": str(folder / "data"),
            "PHAROS_BASE_URL": f"http://127.0.0.1:{web}",
            "PHAROS_SECRET_KEY": secrets.token_urlsafe(48),
            "PHAROS_VAULT_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "PHAROS_AGENT_KEY": secrets.token_hex(24),
            "PHAROS_OUTBOUND_ALLOW": "127.0.0.0/8",
            "GRANIAN_PORT": str(web),
            "UVICORN_PORT": str(live),
            "PHAROS_URL": f"http://127.0.0.1:{live}",
            "PHAROS_AGENT_STATE_DIR": str(folder / "agent"),
        }
        migrated = prepared.database(urls["DATABASE_URL"], env | environment)
        env["DATABASE_URL"] = stack.enter_context(_new_database(urls["DATABASE_URL"], migrated))
        shutil.copytree(prepared.data_folder(_clean_environment()) / "static", folder / "data" / "static")
        product = Product(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{live}", env | environment, folder)
        stack.callback(product.stop)
        for name, command in commands().items():
            if name == "migrate" or (name == "agent" and not agent):
                continue
            command = [str(BIN / command[0]), *command[1:]]
            product.processes[name] = Process(name, command, product.env, folder / f"{name}.log")
            product.processes[name].start()
        _wait(product, product.url)
        _wait(product, product.live_url)
        yield product


def commands() -> dict[str, list[str]]:
    """The command of each of our own services in docker-compose.yml."""
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: service["command"] for name, service in composed.items() if service.get("build")}


def _clean_environment() -> dict[str, str]:
    """This environment without anything that configures the product."""
    names = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    kept = {name: value for name, value in env.items() if name not in names}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def _wait(product: Product, url: str) -> None:
    """Until the address is ready; fails at once when a process has ended."""
    end = time.monotonic() + READY_S
    while True:
        for process in product.processes.values():
            code = process.popen.poll()
            assert code is None, f"{process.name} ended with {code}:\n{process.output()}"
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            assert time.monotonic() < end, f"{url} is not ready after {READY_S} s: {error}\n{_logs(product)}"
            time.sleep(0.1)


def _logs(product: Product) -> str:
    return "\n".join(f"--- {name}\n{process.output()[-2000:]}" for name, process in product.processes.items())


@contextmanager
def _new_database(server: str, migrated: str) -> Iterator[str]:
    name = f"pharos_{secrets.token_hex(6)}"
    services.run_sql(server, f"CREATE DATABASE {name} TEMPLATE {migrated}")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        services.run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _own_redis(server: str) -> Iterator[str]:
    """The highest databases, which every Redis has and unit tests (1, 2, …) do not use; one for each test process."""
    import redis

    number = 15 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    url = urlsplit(server)._replace(path=f"/{number}").geturl()
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        client.flushdb()
        try:
            yield url
        finally:
            client.flushdb()
