"""Run a program of this machine: an argument list, a scrubbed environment, a deadline for it and all its children."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from fleet.providers.base import DriverFailed
from security.vault.syntax import SHORTEST_HIDDEN

MAX_WORDS = 4096  # of what a program complains about
MASK = "********"
READ = 256 * 1024
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def run(
    argv: Sequence[str],
    *,
    timeout_s: float,
    what: str,
    environment: Mapping[str, str] | None = None,
    output: Callable[[bytes], Any] | None = None,
) -> None:
    """Run to the end; `output` takes its standard output piece by piece. `what` names it in the errors.

    Values that it is given in its `environment` are secret: no error repeats them.
    Raises DriverFailed when it cannot be started, ends with another code than 0 or does not end in time.
    """
    env = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | dict(environment or {})
    try:
        child = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell
            list(argv),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DriverFailed(f"{what} cannot be started: {error.strerror}") from None
    late = threading.Event()

    def ring() -> None:
        late.set()
        _end(child)

    alarm = threading.Timer(timeout_s, ring)
    alarm.daemon = True
    alarm.start()
    words = _Tail(child.stderr, hidden=(environment or {}).values())
    try:
        if output:
            while piece := child.stdout.read1(READ):
                output(piece)
        code = child.wait()
    finally:
        alarm.cancel()
        _end(child)
        child.wait()
        said = words.text()
        if child.stdout:
            child.stdout.close()
    if late.is_set():
        raise DriverFailed(f"{what} did not end within {timeout_s:g} s")
    if code:
        raise DriverFailed(f"{what} ended with code {code}" + (f": {said}" if said else ""))


def _end(child: subprocess.Popen) -> None:
    """End the program and what it started."""
    if child.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGTERM)
        ends = time.monotonic() + 2
        while child.poll() is None and time.monotonic() < ends:
            time.sleep(0.02)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


class _Tail:
    """The last words that a program writes to standard error."""

    def __init__(self, stream: IO[bytes] | None, *, hidden: Iterable[str]) -> None:
        self._stream, self._kept = stream, b""
        pieces = {piece for value in hidden for piece in (value, *value.splitlines())}
        self._hidden = sorted((piece for piece in pieces if len(piece) >= SHORTEST_HIDDEN), key=len, reverse=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._stream as stream:
            while piece := stream.read1(READ):
                self._kept = (self._kept + piece)[-MAX_WORDS:]

    def text(self) -> str:
        self._thread.join(2)
        text = self._kept.decode("utf-8", "replace").strip()
        for piece in self._hidden:
            text = text.replace(piece, MASK)
        return " ".join(text.split())[-500:]
