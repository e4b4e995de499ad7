"""What the sampling side hands to whichever connection is open."""

from __future__ import annotations

import asyncio
from typing import Any

from pharos_agent.backlog import Backlog
from pharos_agent.following import Following


class Outbox:
    """Samples, log lines and the newest list of processes that wait for the server."""

    def __init__(self, backlog: Backlog, following: Following) -> None:
        self.backlog, self.following = backlog, following
        self.processes: list[dict[str, Any]] | None = None  # the newest list
        self.processes_are_new = False
        self.changed = asyncio.Event()

    def put(self, sample: dict[str, Any], processes: list[dict[str, Any]] | None) -> None:
        self.backlog.add(sample)
        if processes is not None:
            self.processes, self.processes_are_new = processes, True
        self.changed.set()
