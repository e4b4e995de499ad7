"""Running one program with limits: a group of processes of its own, a time, an amount of output."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

try:
    import pwd
except ImportError:  # not a Unix
    pwd = None  # type: ignore[assignment]

READ_BYTES = 8192
PAUSE_S = 0.1  # after little output, so that what comes line by line travels together
MOST_BYTES = 1024 * 1024  # of each stream
KILL_AFTER_S = 2.0
LEFTOVERS_S = 1.0  # how long programs that outlive the command may hold its output open
# What a program needs to find its way; nothing of the agent's own settings, least of all its key.
KEPT = ("PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "SYSTEMROOT", "WINDIR", "PATHEXT", "TEMP", "TMP")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_FOUND, NOT_ALLOWED = 127, 126  # as a shell says it

Print = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True)
class Order:
    """What to run."""

    words: Sequence[str]
    env: Mapping[str, str]
    working_dir: str | None
    timeout_s: float


@dataclass
class Ending:
    """How it went. `error` is what kept it from starting."""

    exit_code: int
    duration_ms: int
    error: str = ""
    timed_out: bool = False
    cancelled: bool = False
    truncated: bool = False


class Running:
    """One program. `cancel` kills it with all that it started."""

    def __init__(self, order: Order, show: Print) -> None:
        self._order, self._show = order, show
        self._cancelled = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._truncated = False

    def cancel(self) -> None:
        self._cancelled.set()

    async def run(self) -> Ending:
        """Run it to its end, and hand on what it prints as `(stream, text)`."""
        began_at = time.monotonic()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._order.words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self._order.working_dir or home(),
                env={**base_environment(os.environ), **self._order.env},
                start_new_session=True,
            )
        except (OSError, ValueError) as exc:
            return self._unable(exc, began_at)
        assert process.stdout and process.stderr  # noqa: S101 - they are pipes
        readers = asyncio.gather(self._read(process.stdout, "stdout"), self._read(process.stderr, "stderr"))
        try:
            timed_out = await self._until_ended(process)
            await asyncio.wait([readers], timeout=LEFTOVERS_S)
        finally:
            self.kill()
            readers.cancel()
            await asyncio.gather(readers, return_exceptions=True)
            await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=LEFTOVERS_S)
        return Ending(
            exit_code=_exit_code(process.returncode),
            duration_ms=_since_ms(began_at),
            timed_out=timed_out,
            cancelled=self._cancelled.is_set() and not timed_out,
            truncated=self._truncated,
        )

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGKILL)

    async def _until_ended(self, process: asyncio.subprocess.Process) -> bool:
        """Wait for its end, and bring it about when it is time or asked for; whether the time was up."""
        ended, cancelled = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._cancelled.wait())
        try:
            done, _ = await asyncio.wait(
                [ended, cancelled], timeout=self._order.timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if ended in done:
                self._cancelled.clear()
                return False
            self._signal(signal.SIGTERM)
            await asyncio.wait([ended], timeout=KILL_AFTER_S)
            self._signal(signal.SIGKILL)  # also what the command left behind in its group
            await ended
            return not done
        finally:
            ended.cancel()
            cancelled.cancel()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    async def _read(self, pipe: asyncio.StreamReader, stream: str) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        left = MOST_BYTES
        while data := await pipe.read(READ_BYTES):
            kept, left = data[:left], max(0, left - len(data))
            self._truncated = self._truncated or len(kept) < len(data)
            if text := decode(kept):
                await self._show(stream, text)
            if len(data) < READ_BYTES // 2:
                await asyncio.sleep(PAUSE_S)
        if rest := decode(b"", True):
            await self._show(stream, rest)

    def _unable(self, exc: Exception, began_at: float) -> Ending:
        where = self._order.working_dir
        if isinstance(exc, (FileNotFoundError, NotADirectoryError)) and where and not os.path.isdir(where):
            return Ending(NOT_FOUND, _since_ms(began_at), error=f"there is no directory {where}")
        code = NOT_FOUND if isinstance(exc, FileNotFoundError) else NOT_ALLOWED
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        return Ending(code, _since_ms(began_at), error=f"{self._order.words[0][:200]}: {reason}")


def base_environment(own: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that the agent runs for somebody: who it runs as, and how it finds programs."""
    kept = {name: value for name, value in own.items() if name in KEPT or name.startswith("LC_")}
    kept.setdefault("PATH", PATH)
    if pwd is None:
        return kept
    try:
        user = pwd.getpwuid(os.getuid())
    except KeyError:  # a user without an entry, as in some containers
        return kept
    return {**kept, "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": user.pw_shell}


def home() -> str:
    """Where commands run unless they say otherwise."""
    path = os.path.expanduser("~")
    return path if os.path.isdir(path) else "/"


def _exit_code(returncode: int | None) -> int:
    """As a shell tells it: 128 and the number of the signal for what a signal has ended."""
    if returncode is None:
        return 128 + signal.SIGKILL
    return returncode if returncode >= 0 else 128 - returncode


def _since_ms(began_at: float) -> int:
    return round((time.monotonic() - began_at) * 1000)
