"""A server on this machine that stops and comes back, as its supervisor or an accident makes it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil


class Server:
    """The server that listens where the URL says. It must be a throw-away one: `stop` really stops it."""

    def __init__(self, url: str) -> None:
        self._port = urlsplit(url).port
        self._process = self._listening()
        self._command, self._folder = self._process.cmdline(), self._process.cwd()
        if not self._is_postgresql:  # Redis writes other words over its command line
            self._command = ["redis-server", "redis.conf"]
        self._program = self._process.exe()
        self._account = {"user": self._process.uids().real, "group": self._process.gids().real, "extra_groups": []}
        self._environment = self._process.environ()
        self._child: subprocess.Popen | None = None

    @property
    def _is_postgresql(self) -> bool:
        return self._process.name().startswith("postgres")

    def _listening(self) -> psutil.Process:
        for connection in psutil.net_connections("tcp4"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == self._port:
                return psutil.Process(connection.pid)
        raise LookupError(f"nobody listens on port {self._port}")

    def stop(self) -> None:
        """Ask it to stop at once: open connections are cut (for PostgreSQL the "fast" way), committed rows stay."""
        self._process.send_signal(signal.SIGINT if self._is_postgresql else signal.SIGTERM)
        with suppress(psutil.NoSuchProcess):
            self._process.wait(15)

    def start(self) -> None:
        """Start it again with the same command and folder; returns when it listens."""
        account = self._account if os.geteuid() == 0 else {}
        self._child = subprocess.Popen(
            self._command, executable=self._program, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **account,
        )  # fmt: skip
        end = time.monotonic() + 20
        while True:
            with suppress(LookupError):
                self._process = self._listening()
                return
            assert time.monotonic() < end and self._child.poll() is None, "the server did not come back"
            time.sleep(0.05)

    def close(self) -> None:
        """Stop what was started here."""
        if self._child and self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
            self._child.wait(15)
