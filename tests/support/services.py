"""Throw-away PostgreSQL and Redis servers, and the browser: found, installed where that is allowed, started.

Only what is started here is stopped here. Data lives in a temporary folder, and PostgreSQL keeps `fsync` on,
so that what tests and benchmarks say about durable writes is true.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
READY_S = 30
INSTEAD = {
    "postgresql": ", or set DATABASE_URL to a server of your own",
    "redis-server": ", or set REDIS_URL to a server of your own",
    "chromium": ", or set CHROMIUM to the path of any Chromium",
}


class Missing(Exception):
    """A program is not on this machine and may not be installed from here; the text says what to install."""


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Yield DATABASE_URL and REDIS_URL of running servers: those in the environment, else throw-away ones."""
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    with _given(urls, "DATABASE_URL", postgresql) as database, _given(urls, "REDIS_URL", redis) as broker:
        yield {"DATABASE_URL": database, "REDIS_URL": broker}


@contextmanager
def _given(urls: dict[str, str], name: str, start: Callable) -> Iterator[str]:
    if name in urls:
        yield urls[name]
    else:
        with start() as url:
            yield url


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server on a random port of 127.0.0.1; yields the URL of an empty database."""
    binaries = Path(find("initdb", "postgresql", folders=_postgresql_folders())).parent
    account = _unprivileged()
    password, port = secrets.token_hex(16), free_port()
    with _folder(account) as folder:
        (folder / "password").write_text(password)
        _give(folder / "password", account)
        run_as = {"cwd": folder, "env": {**os.environ, "HOME": str(folder)}, **account}
        subprocess.run(
            [
                *(
                    binaries / "initdb",
                    "--pgdata",
                    folder / "data",
                    "--username",
                    "pharos",
                    "--encoding",
                    "UTF8",
                ),
                *(
                    "--locale",
                    "C.UTF-8",
                    "--auth",
                    "scram-sha-256",
                    "--pwfile",
                    folder / "password",
                    "--no-sync",
                ),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **run_as,
        )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "shared_buffers": "128MB",
            "max_connections": 100,
            "fsync": "on",
        }
        command = [binaries / "postgres", "-D", folder / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's "fast" shutdown: it ends open sessions instead of waiting for them.
        with _running(command, folder / "log", stop_by="SIGINT", **run_as):
            server = f"postgresql://pharos:{password}@127.0.0.1:{port}"
            _wait("PostgreSQL", lambda: _answers_sql(f"{server}/postgres"), folder / "log")
            run_sql(f"{server}/postgres", "CREATE DATABASE pharos")
            yield f"{server}/pharos"


@contextmanager
def redis() -> Iterator[str]:
    """A Redis (or Valkey) server on a random port of 127.0.0.1; yields its URL."""
    program = shutil.which("valkey-server") or find("redis-server", "redis-server")
    password, port = secrets.token_hex(16), free_port()
    with _folder({}) as folder:
        settings = f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\ndatabases 64\ndir {folder}\n'
        (folder / "redis.conf").write_text(settings)
        with _running([program, folder / "redis.conf"], folder / "log", stop_by="SIGTERM", cwd=folder):
            url = f"redis://:{password}@127.0.0.1:{port}/0"
            _wait("Redis", lambda: _answers_ping(url), folder / "log")
            yield url


def chromium() -> str:
    """The path of a Chromium: $CHROMIUM, an installed one, else one installed now. Raises Missing."""
    if given := os.environ.get("CHROMIUM"):
        return given
    return next(filter(None, map(shutil.which, BROWSERS)), None) or find("chromium", "chromium")


def find(program: str, package: str, *, folders: list[Path] | None = None) -> str:
    """The path of a program; on Debian as root its package is installed first if need be. Raises Missing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders or [])])
    if found := shutil.which(program, path=path):
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(
            f"{program} is not installed. On Debian and Ubuntu: apt-get install {package}. "
            "Elsewhere install it with your package manager so that it is in PATH"
            + (", or set DATABASE_URL and REDIS_URL to servers of your own." if package != "chromium" else ".")
        )
    _apt_install(package)
    path = os.pathsep.join([path, *map(str, _postgresql_folders())])
    if found := shutil.which(program, path=path):
        return found
    raise Missing(f"apt-get installed {package}, yet {program} is not to be found.")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_sql(url: str, statement: str) -> None:
    """Run one statement outside a transaction, e.g. CREATE DATABASE."""
    import psycopg

    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement)


def _apt_install(package: str) -> None:
    print(f"Installing {package} with apt-get", flush=True)  # noqa: T201 - tells why nothing happens for a while
    # At run level 1 the package's scripts start no service of their own.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package],
    ):
        result = subprocess.run(command, env=env, capture_output=True, text=True)
        if result.returncode:
            raise Missing(f"{' '.join(command)} failed:\n{result.stderr.strip()}")


def _postgresql_folders() -> list[Path]:
    """Where packages hide the server's programs, newest version first."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    return sorted(places, key=lambda place: float("".join(filter(str.isdigit, place.parent.name))), reverse=True)


def _unprivileged() -> dict:
    """Arguments for subprocess that drop root's rights: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Missing("PostgreSQL does not run as root and neither a user postgres nor nobody exists.")


@contextmanager
def _folder(account: dict) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pharos-server-"))
    _give(folder, account)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give(path: Path, account: dict) -> None:
    if account:
        os.chown(path, account["user"], account["group"])


@contextmanager
def _running(command: list, log: Path, *, stop_by: str, **options: Any) -> Iterator[None]:
    """A child process in a session of its own, so that Ctrl-C reaches the tests first and the server last."""
    import signal

    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **options
        )
    try:
        yield
    finally:
        process.send_signal(getattr(signal, stop_by))
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + READY_S
    while not ready():
        if time.monotonic() > end:
            raise RuntimeError(f"{name} did not start within {READY_S} s:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _answers_sql(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_ping(url: str) -> bool:
    import redis as client

    try:
        return bool(client.Redis.from_url(url, socket_timeout=2).ping())
    except client.RedisError:
        return False
