"""`pharos up`: the whole product in one process, and the agent that reports this machine."""

import fcntl
import hashlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.utils.module_loading import import_string

from config.parts import Beat, LocalAgent, Part, Worker
from config.stopping import stopping
from config.version import VERSION

log = logging.getLogger(__name__)
GRACE_S = 2
# What is done after the migrations and before the doors open, by name so that this package knows no app.
PREPARATIONS = ("fleet.metrics.services.ensure_partitions",)
SETUP_LINK = "security.accounts.services.setup_link"
LOCAL_AGENT = "fleet.instances.local.local_agent"
FLUSH = "fleet.metrics.services.flush"


class Command(BaseCommand):
    help = "Start the product: database, web server, worker, scheduler and the agent of this machine."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-agent", action="store_true", help="do not report this machine")

    def handle(self, *, no_agent: bool, **options: Any) -> None:
        began = time.monotonic()
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        lock = only_one()
        door = open_door()
        self.say(f"Pharos {VERSION}, data in {settings.DATA_DIR}")
        call_command("migrate", verbosity=0, interactive=False)
        collect_static()
        for preparation in PREPARATIONS:
            import_string(preparation)()
        parts: list[Part] = [Worker(), Beat()]
        if not no_agent:
            parts.append(LocalAgent(**import_string(LOCAL_AGENT)(url=reachable_url(door))))
        link = import_string(SETUP_LINK)()
        try:
            code = self.serve(door, parts, link, began)
        finally:
            lock.close()
        # Pool threads of the worker may hold a run for a while; what they do is in rows, so nothing waits for them.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def serve(self, door: socket.socket, parts: list[Part], link: str | None, began: float) -> int:
        """Run all parts until a signal comes or one of them dies; the exit code."""
        server = Server(on_ready=lambda: self.ready(parts, link, began))
        watcher = Watcher(server, parts)
        server.run(sockets=[door])
        stopping.set()
        watcher.stop()
        for part in reversed(parts):
            if part.started:
                part.stop()
        import_string(FLUSH)(timeout_s=GRACE_S)
        if watcher.fault:
            self.stderr.write(f"Pharos has stopped: {watcher.fault}")
            return 1
        if not server.was_ready:
            self.stderr.write("Pharos has stopped: the web server did not start; the log above says why")
            return 1
        self.say("Pharos has stopped. Everything acknowledged is kept.")
        return 0

    def ready(self, parts: list[Part], link: str | None, began: float) -> None:
        for part in parts:
            part.start()
            part.started = True
        self.say(f"Ready after {time.monotonic() - began:.1f} s at {settings.BASE_URL}")
        if link:
            self.say(f"Create the first administrator here, once: {link}")
        self.say("API key for scripts: pharos keys create --name NAME --role ROLE")
        self.say("Stop with Ctrl-C.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


class Server(uvicorn.Server):
    """The web server, which tells when it listens."""

    def __init__(self, *, on_ready: Any) -> None:
        super().__init__(
            uvicorn.Config(
                "config.asgi:application",
                ws="websockets-sansio",
                ws_max_size=1 << 20,
                ws_ping_interval=30,
                ws_ping_timeout=60,
                timeout_graceful_shutdown=GRACE_S,
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
            )
        )
        self._on_ready = on_ready
        self.was_ready = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would raise the signal again afterwards; here the other parts still have to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()
            self.was_ready = True


class Watcher:
    """Ends the server when a part has died, and keeps the reason."""

    def __init__(self, server: Server, parts: list[Part]) -> None:
        self.fault: str | None = None
        self._server, self._parts = server, parts
        self._done = threading.Event()
        threading.Thread(target=self._watch, name="watcher", daemon=True).start()

    def _watch(self) -> None:
        while not self._done.wait(1):
            for part in self._parts:
                if part.started and not part.alive() and not self._server.should_exit:
                    self.fault = f"the {part.name} has died ({part.fault or 'no reason given'})"
                    self._server.should_exit = True
                    return

    def stop(self) -> None:
        self._done.set()


def only_one() -> Any:
    """Hold the data folder; raises CommandError when another process has it."""
    file = (settings.DATA_DIR / "up.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(f"Pharos already runs on the data folder {settings.DATA_DIR}") from None
    return file


def open_door() -> socket.socket:
    """The listening socket, before anything else is started, so that a taken port is told at once."""
    family = socket.AF_INET6 if ":" in settings.BIND else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.BIND, settings.PORT))
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {settings.BIND} port {settings.PORT}: {error.strerror}. "
            "Choose another port with PHAROS_PORT or another address with PHAROS_BIND."
        ) from None
    return door


def reachable_url(door: socket.socket) -> str:
    """The address under which a process on this machine reaches the server."""
    host, port = door.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def collect_static() -> None:
    """Collect static files, unless nothing changed since the last time: compressing them takes seconds."""
    stamp = settings.STATIC_ROOT / ".stamp"
    found = hashlib.sha256(VERSION.encode())
    for path in sorted((settings.BASE_DIR / "config" / "static").rglob("*")):
        about = path.stat()
        found.update(f"{path} {about.st_size} {about.st_mtime_ns}".encode())
    if stamp.exists() and stamp.read_text() == found.hexdigest():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(found.hexdigest())
