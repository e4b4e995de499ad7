"""`pharos up`: the whole product in one process, and the agent that reports this machine."""

import os
import socket
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand
from django.utils.module_loading import import_string

from config.parts import Beat, LocalAgent, Part, Worker
from config.preparing import prepare
from config.server import GRACE_S, Server, Watcher
from config.start import only_one, open_door, reachable_url
from config.stopping import stopping
from config.version import VERSION

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
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = only_one()
        door = open_door()
        self.say(f"Pharos {VERSION}, data in {settings.DATA_DIR}")
        if settings.VAULT_KEY_FILE:
            self.say(f"Warning: {settings.VAULT_KEY_FILE} opens stored secrets: back it up, or set PHAROS_VAULT_KEY")
        prepare()
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
        # Pool threads of the worker may hold a run for a while; it is in rows, so nothing waits for them.
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
