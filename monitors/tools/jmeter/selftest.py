"""Whether an installed JMeter can run a plan: one request that waits a millisecond (contract: monitors §8.3).

Debian's JMeter 2.13 is there, starts, and ends with 0, but cannot load any plan. The test starts a Java machine, so
its result is kept until the program changes, and a heartbeat does not wait for it.
"""

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from monitors.tools import programs
from monitors.tools.base import Control, Job, Outcome
from monitors.tools.workspace import Workspace

PLAN = Path(__file__).with_name("selftest.jmx")
TIMEOUT_S = 60
RETRY_S = 600.0  # a fault may be mended meanwhile
SLOT = 99  # no run has it
_LONGEST_LOG = 256 * 1024
_VERSION = re.compile(rb"Version (\d+(?:\.\d+)+)")

Measure = Callable[[str, Job, Control, Workspace], Outcome]


@dataclass(frozen=True)
class Verdict:
    """`version` of a program that works, else the `fault`."""

    version: str | None = None
    fault: str | None = None
    at: float = field(default_factory=time.monotonic)


class _Quiet:
    """The control of the test: asks the caller's poll, keeps the log."""

    def __init__(self, poll: Callable[[], None]) -> None:
        self.poll, self.text = poll, b""

    def log(self, data: bytes) -> None:
        if len(self.text) < _LONGEST_LOG:
            self.text += data

    def note(self, text: str) -> None:
        """Nobody reads it."""


_lock = threading.Lock()
_known: dict[tuple[str, int], Verdict] = {}


def verdict(program: str, measure: Measure, *, poll: Callable[[], None] = lambda: None) -> Verdict:
    """The known verdict, else that of a test made now; `poll` is called all the while."""
    while not _lock.acquire(timeout=0.2):
        poll()
    try:
        key = _key(program)
        if (found := _fresh(key)) is None:
            found = _known[key] = _tested(program, measure, poll)
        return found
    finally:
        _lock.release()


def known_version(program: str, measure: Measure) -> str | None:
    """The version of a program that works; None while that is not known, and the test begins beside us."""
    found = _fresh(_key(program))
    if found is None and not _lock.locked():
        threading.Thread(target=verdict, args=(program, measure), name="jmeter-selftest", daemon=True).start()
    return found.version if found else None


def _key(program: str) -> tuple[str, int]:
    return program, os.stat(program).st_mtime_ns


def _fresh(key: tuple[str, int]) -> Verdict | None:
    found = _known.get(key)
    return None if found is None or (found.fault and time.monotonic() - found.at > RETRY_S) else found


def _tested(program: str, measure: Measure, poll: Callable[[], None]) -> Verdict:
    control = _Quiet(poll)
    job = Job(run_id="self test", timeout_s=TIMEOUT_S, slot=SLOT, script=PLAN.read_text(encoding="utf-8"))
    outcome = programs.in_workspace(job, lambda where: measure(program, job, control, where))
    if outcome.error or outcome.timed_out or not outcome.metrics or outcome.metrics["failed"]:
        why = outcome.error[1] if outcome.error else f"It did not end within {TIMEOUT_S} s."
        return Verdict(fault=f"The installed JMeter cannot run a plan of one request. {why}")
    said = _VERSION.search(control.text)
    return Verdict(version=said[1].decode() if said else programs.version_of(program, "--version") or "unknown")
