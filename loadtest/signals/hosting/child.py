"""The runner's process as its host sees it."""

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from config.outbound import Policy, default_policy
from loadtest.signals.runner.wire import Message, Setup, Told, next_told, send

log = logging.getLogger(__name__)
ENDS_WITHIN_S = 3.0
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_ROOT = Path(__file__).resolve().parents[3]
PRIVATE = ("0.0.0.0/0", "::/0")  # metadata and link-local addresses stay closed whatever is opened


def folder() -> Path:
    """Where scenarios may write files, and where uploaded CSVs lie."""
    return settings.DATA_DIR / "signals"


def policy() -> Policy:
    """What sinks may reach (contract: signals §9.3)."""
    given = default_policy()
    if not settings.SIGNALS_ALLOW_PRIVATE_TARGETS:
        return given
    from ipaddress import ip_network

    return Policy(allow=[ip_network(text) for text in PRIVATE], allow_loopback=True, deny=given.deny)


class Child:
    """One runner. Use as a context manager: leaving it ends the process. `told` brings its reports, None at its end."""

    def __init__(self) -> None:
        self.told: queue.Queue[Told | None] = queue.Queue(maxsize=4)  # a full one holds the runner's reports back
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        # Fixed program and arguments; what the user gave goes through standard input.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadtest.signals.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            cwd=folder(),
            start_new_session=True,
        )
        self._orders, self._reports = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        self.alive = True
        self._leaving = threading.Event()
        threading.Thread(target=self._read, name="signals-reports", daemon=True).start()

    def __enter__(self) -> "Child":
        allowed = policy()
        self.say(
            Setup(
                allow=[str(one) for one in allowed.allow],
                deny=[str(one) for one in allowed.deny],
                allow_loopback=allowed.allow_loopback,
                folder=str(folder()),
                debug=settings.DEBUG or logging.getLogger().isEnabledFor(logging.DEBUG),
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        with contextlib.suppress(OSError):
            self._orders.close()
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reports.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def say(self, message: Message) -> None:
        """Send an order; when nobody takes it any more, `alive` says so."""
        try:
            send(self._orders, message)
        except (OSError, ValueError):
            self.alive = False

    def _read(self) -> None:
        try:
            while (told := next_told(self._reports)) is not None:
                self._put(told)
        except Exception:  # noqa: BLE001 - a report that cannot be read ends this runner, its rows go to another
            log.warning("a report of the signals runner could not be read", exc_info=not self._leaving.is_set())
        self._put(None)

    def _put(self, told: Told | None) -> None:
        while not self._leaving.is_set():
            with contextlib.suppress(queue.Full):
                self.told.put(told, timeout=0.5)
                return


def _environment() -> dict[str, str]:
    """What a runner needs of this process' environment: none of its passwords."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])}
