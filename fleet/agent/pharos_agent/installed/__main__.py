"""Collect, print as JSON, end. The memory that it took goes with the process."""

from __future__ import annotations

import os
import signal
import sys

import psutil
from pharos_agent.frames import compact
from pharos_agent.installed.collect import MOST_S, collect


def main() -> None:
    """At a low priority, so that the machine's own work goes first."""
    if hasattr(os, "nice"):
        os.nice(10)  # the lowest of all would hardly get its turn on a busy machine
    if psutil.LINUX:
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    if hasattr(signal, "alarm"):
        signal.alarm(int(MOST_S) + 60)  # a file system that hangs must not keep us for ever
    sys.stdout.buffer.write(compact(collect()).encode("utf-8", "replace"))


main()
