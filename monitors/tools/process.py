"""Run one outside program under limits and watch it to its end (contract: monitors §8.1)."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from monitors.tools.base import Control
from monitors.tools.launcher.codes import KILL_ALL
from monitors.tools.workspace import Workspace

LOOK_S = 0.1
GRACE_S = 5.0  # between the request to end and the kill
MOST_OUTPUT = 64 * 1024 * 1024
FILE_BYTES = 512 * 1024 * 1024
NICE = 5
MOST_TASKS = 4096  # processes and threads of a run that has a user of its own
_CHUNK = 1 << 18
_LAUNCHER = Path(__file__).with_name("launcher")

Reader = Callable[[bytes], None]


@dataclass(frozen=True)
class Exit:
    """How the program ended. `code` is negative for a signal; at most one of the two flags is set."""

    code: int
    timed_out: bool = False
    output_limit: bool = False


def run(
    command: list[str],
    *,
    where: Workspace,
    environment: Mapping[str, str],
    timeout_s: float,
    memory_bytes: int | None,
    control: Control,
    on_output: Reader,
    streams: Mapping[int, Reader],
    reads: Sequence[str] = (),
    counted: Collection[int] = (),
) -> Exit:
    """Start the program and return when it and all its children are gone.

    `on_output` gets standard output and error in order of arrival, `streams` maps further descriptors to their
    readers; those in `counted` count as output too. `memory_bytes` bounds the addresses; None for programs that
    reserve many more than they use. `reads` are folders of which the program consists, wherever they are. When
    `control.poll` raises, all of the program is killed and the exception goes on.
    """
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCHER)],
        cwd=where.folder,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _give_order(child, command, where, environment, timeout_s, memory_bytes, reads)
        return _Watch(child, timeout_s, control, on_output, streams, counted).until_over()
    finally:
        _kill_all(child)
        try:
            child.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            _kill_group(child, signal.SIGKILL)
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                pipe.close()


def _give_order(
    child: subprocess.Popen[bytes],
    command: list[str],
    where: Workspace,
    environment: Mapping[str, str],
    timeout_s: float,
    memory_bytes: int | None,
    reads: Sequence[str],
) -> None:
    limits = {"CORE": 0, "NOFILE": 1024, "FSIZE": FILE_BYTES, "CPU": max(1, int(2 * timeout_s))}
    if memory_bytes is not None:
        limits["AS"] = memory_bytes
    if where.has_own_user:
        limits["NPROC"] = MOST_TASKS
    order = {
        "command": command,
        "environment": dict(environment),
        "limits": limits,
        "nice": NICE,
        "uid": where.uid,
        "reads": list(reads),
        "hides": [str(settings.DATA_DIR)],
        "parent": os.getpid(),
    }
    assert child.stdin is not None  # noqa: S101 - for the type checker
    with contextlib.suppress(BrokenPipeError):  # then its exit code tells
        child.stdin.write(json.dumps(order).encode())
        child.stdin.close()


class _Watch:
    """The loop beside a running program: reads, limits, deadline, and the questions of `control`."""

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        timeout_s: float,
        control: Control,
        on_output: Reader,
        streams: Mapping[int, Reader],
        counted: Collection[int],
    ) -> None:
        self._child, self._control = child, control
        assert child.stdout is not None  # noqa: S101 - for the type checker
        self._output = child.stdout.fileno()
        os.set_blocking(self._output, False)
        self._readers = {self._output: on_output, **streams}
        self._counted = {self._output, *counted}
        self._selector = selectors.DefaultSelector()
        for descriptor in self._readers:
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._deadline = time.monotonic() + timeout_s
        self._got = 0
        self._timed_out = self._too_much = self._killed = False

    def until_over(self) -> Exit:
        with self._selector:
            while not self._ended():
                self._control.poll()
                for key, _ in self._selector.select(LOOK_S):
                    self._read(key.fd)
                self._enforce()
            _kill_group(self._child, signal.SIGKILL)  # nobody is left, unless the tool could kill its launcher
            while self._drain() and not self._too_much:
                self._control.poll()
        return Exit(self._child.wait(), self._timed_out, self._too_much)

    def _drain(self) -> bool:
        """Read each descriptor once; whether any had something."""
        return sum(self._read(descriptor) for descriptor in list(self._readers)) > 0

    def _ended(self) -> bool:
        """Whether the program is over. It is not reaped yet, so its number, which names the group, stays taken."""
        return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _read(self, descriptor: int) -> bool:
        """Take what is there; False when there is nothing now or ever."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self._selector.unregister(descriptor)
            return False
        if descriptor in self._counted:
            self._got += len(data)
            if self._got > MOST_OUTPUT and not self._too_much:
                self._too_much = True
                self._kill(f"more than {MOST_OUTPUT >> 20} MiB of output: killed")
        self._readers[descriptor](data)
        return True

    def _enforce(self) -> None:
        """Ask the tool to end when its time is over, then have it killed, then kill the launcher too."""
        if time.monotonic() < self._deadline:
            return
        if self._killed:
            _kill_group(self._child, signal.SIGKILL)
        elif self._timed_out:
            self._kill(f"still running after {GRACE_S:g} s: killed")
        else:
            self._timed_out = True
            self._control.note("the time is over: asked to end")
            _kill_group(self._child, signal.SIGTERM)
            self._deadline = time.monotonic() + GRACE_S

    def _kill(self, why: str) -> None:
        self._killed = True
        self._deadline = time.monotonic() + GRACE_S
        self._control.note(why)
        _kill_all(self._child)


def _kill_all(child: subprocess.Popen[bytes]) -> None:
    """Have the launcher kill all that came from the tool, also what left its group, and end."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, KILL_ALL)


def _kill_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.returncode is None:  # not reaped: the group is ours
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
