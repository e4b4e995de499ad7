"""Run one outside program under limits and watch it to its end (contract: monitors §8.1)."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from monitors.tools.base import Control
from monitors.tools.workspace import Workspace

LOOK_S = 0.1
GRACE_S = 5.0  # between the request to end and the kill
MOST_OUTPUT = 64 * 1024 * 1024
FILE_BYTES = 512 * 1024 * 1024
NICE = 5
_CHUNK = 1 << 18
_LAUNCHER = Path(__file__).with_name("launcher.py")

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
    memory_bytes: int,
    control: Control,
    on_output: Reader,
    streams: Mapping[int, Reader],
) -> Exit:
    """Start the program and return when it and all its children are gone.

    `on_output` gets standard output and error in order of arrival, `streams` maps further descriptors to their
    readers. When `control.poll` raises, the group is killed and the exception goes on.
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
        _give_order(child, command, where, environment, timeout_s, memory_bytes)
        return _Watch(child, timeout_s, control, on_output, streams).until_over()
    finally:
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
    memory_bytes: int,
) -> None:
    limits = {"CORE": 0, "NOFILE": 1024, "FSIZE": FILE_BYTES, "AS": memory_bytes, "CPU": max(1, int(2 * timeout_s))}
    order = {
        "command": command,
        "environment": dict(environment),
        "limits": limits,
        "nice": NICE,
        "uid": where.uid,
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
    ) -> None:
        self._child, self._control = child, control
        assert child.stdout is not None  # noqa: S101 - for the type checker
        self._output = child.stdout.fileno()
        os.set_blocking(self._output, False)
        self._readers = {self._output: on_output, **streams}
        self._selector = selectors.DefaultSelector()
        for descriptor in self._readers:
            self._selector.register(descriptor, selectors.EVENT_READ)
        self._deadline = time.monotonic() + timeout_s
        self._got = 0
        self._timed_out = self._too_much = False

    def until_over(self) -> Exit:
        with self._selector:
            while not self._ended():
                self._control.poll()
                for key, _ in self._selector.select(LOOK_S):
                    self._read(key.fd)
                self._enforce()
            _kill_group(self._child, signal.SIGKILL)  # what it left behind would hold the pipe open
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
        if descriptor == self._output:
            self._got += len(data)
            if self._got > MOST_OUTPUT and not self._too_much:
                self._too_much = True
                self._control.note(f"more than {MOST_OUTPUT >> 20} MiB of output: killed")
                _kill_group(self._child, signal.SIGKILL)
        self._readers[descriptor](data)
        return True

    def _enforce(self) -> None:
        now = time.monotonic()
        if now < self._deadline or self._too_much:
            return
        if self._timed_out:
            self._control.note(f"still running after {GRACE_S:g} s: killed")
            _kill_group(self._child, signal.SIGKILL)
        else:
            self._timed_out = True
            self._control.note("the time is over: asked to end")
            _kill_group(self._child, signal.SIGTERM)
        self._deadline = now + GRACE_S


def _kill_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.returncode is None:  # not reaped: the group is ours
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
