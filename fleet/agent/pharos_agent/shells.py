"""A shell on a pseudo-terminal of its own. POSIX systems only."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pharos_agent.threads import in_thread

CHUNK_BYTES = 32 * 1024  # of output in one frame
GATHER_S = 0.005  # so that output which comes in drops travels together
OUTPUT_BYTES_PER_S = 1024 * 1024  # faster than anybody reads; the program waits meanwhile
WAITING_INPUT_BYTES = 1024 * 1024
HANG_UP_S = 1.0  # between asking a shell to go and making it go
NO_SHELLS = ("nologin", "false", "sync")
KEPT_NAMES = ("PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")

# Between fork and exec a process with threads may run no Python. So a small program of its own takes the terminal as
# its controlling one and becomes the shell; the hyphen makes it a login shell.
BECOME_SHELL = (
    "import fcntl,os,sys,termios;"
    "fcntl.ioctl(0,termios.TIOCSCTTY,0);"
    "os.execv(sys.argv[1],['-'+os.path.basename(sys.argv[1])])"
)


def choose(configured: str | None) -> str:
    """The shell to start: the configured one, else the user's own, else the first that there is. Raises OSError."""
    if configured:
        candidates = [shutil.which(configured) or configured]
    else:
        own = pwd.getpwuid(os.geteuid()).pw_shell
        candidates = [own] if own and os.path.basename(own) not in NO_SHELLS else []
        candidates += ["/bin/bash", "/bin/sh"]
    for path in candidates:
        if os.path.isabs(path) and os.access(path, os.X_OK):
            return path
    raise OSError(f"there is no shell at {candidates[0]}")


def environment(shell: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What the shell finds around it: nothing of the agent's own, whose key is there."""
    user = pwd.getpwuid(os.geteuid())
    kept = {name: value for name, value in environ.items() if name in KEPT_NAMES or name.startswith("LC_")}
    own = {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": shell}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **kept, **own, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Shell:
    """One running shell. Its methods belong to the event loop's thread."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self._process, self._terminal = process, terminal
        self._waiting = bytearray()
        self._is_open = True

    @classmethod
    def start(cls, shell: str, cols: int, rows: int) -> Shell:
        """Start a shell; blocks for a moment. Raises OSError."""
        home = pwd.getpwuid(os.geteuid()).pw_dir
        terminal, inner = os.openpty()
        try:
            _set_size(inner, cols, rows)
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", BECOME_SHELL, shell],
                stdin=inner,
                stdout=inner,
                stderr=inner,
                cwd=home if os.path.isdir(home) and os.access(home, os.X_OK) else "/",
                env=environment(shell, os.environ),
                start_new_session=True,
            )
        except BaseException:
            os.close(terminal)
            raise
        finally:
            os.close(inner)
        os.set_blocking(terminal, False)
        return cls(process, terminal)

    async def run(self, put: Callable[[bytes], Awaitable[None]]) -> int:
        """Hand over the output until the shell has ended; its exit code, negative for a signal."""
        exited = asyncio.ensure_future(in_thread(self._process.wait))
        try:
            while True:
                data = self._read(CHUNK_BYTES)
                if data is None:
                    if exited.done():  # what it left running may hold the terminal; that is not waited for
                        break
                    await self._more(exited)
                elif not data:
                    break
                else:
                    if len(data) < CHUNK_BYTES:
                        await asyncio.sleep(GATHER_S)
                        data += self._read(CHUNK_BYTES - len(data)) or b""
                    await put(data)
                    await asyncio.sleep(len(data) / OUTPUT_BYTES_PER_S)
            return await exited
        finally:
            self.kill()
            self._close()

    def write(self, data: bytes) -> None:
        """Type; what the program does not read yet waits, up to a mebibyte."""
        if not self._is_open or len(self._waiting) + len(data) > WAITING_INPUT_BYTES:
            return
        self._waiting += data
        self._flush()

    def resize(self, cols: int, rows: int) -> None:
        """The screen has another size; the program in front is told by a signal."""
        if self._is_open:
            _set_size(self._terminal, cols, rows)

    def hang_up(self) -> None:
        """Ask the shell and what it runs to go, as if the line had been cut; shortly after it is made to."""
        self._signal(signal.SIGHUP)
        self._signal(signal.SIGCONT)
        asyncio.get_running_loop().call_later(HANG_UP_S, self.kill)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process.returncode is None:
            try:
                os.killpg(self._process.pid, number)
            except (ProcessLookupError, PermissionError):
                return

    def _read(self, most: int) -> bytes | None:
        """Output that is there; None if there is none yet, empty when there will be none any more."""
        try:
            return os.read(self._terminal, most)
        except BlockingIOError:
            return None
        except OSError:  # Linux says so when the last program has left the terminal
            return b""

    async def _more(self, exited: asyncio.Future[int]) -> None:
        """Wait for output, or for the end."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._terminal, readable.set)
        waiting = asyncio.ensure_future(readable.wait())
        either: list[asyncio.Future[Any]] = [exited, waiting]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            loop.remove_reader(self._terminal)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                del self._waiting[: os.write(self._terminal, self._waiting[:4096])]
        except BlockingIOError:
            loop.add_writer(self._terminal, self._flush)
            return
        except OSError:
            self._waiting.clear()
        loop.remove_writer(self._terminal)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_writer(self._terminal)
            os.close(self._terminal)  # the kernel hangs up on whatever is still in front


def _set_size(terminal: int, cols: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
