"""The busiest processes (field names: contract, fleet console §7)."""

from __future__ import annotations

import time
from typing import Any

import psutil
from pharos_agent.frames import clean

TOP = 10
CPU_SHARE = 0.005  # reading the process table may take this share of one core


class ProcessTable:
    """Ranks processes by the CPU time they took between two readings of the table."""

    def __init__(self) -> None:
        self._rest_until = 0.0
        self._seen: dict[int, float] = {}
        self._read_at = 0.0
        self.read()

    def top(self) -> list[dict[str, Any]] | None:
        """At most `TOP` processes, the busiest first, or None while the table rests.

        On a machine with thousands of processes reading costs much, so the table then rests between readings.
        `cpu_percent` is of one core: a process with two busy threads has 200. It is null when the process
        cannot be compared with the reading before.
        """
        if time.monotonic() < self._rest_until:
            return None
        started = time.thread_time()
        ranked = self.read()
        found: list[dict[str, Any]] = []
        for process, cpu_percent in ranked:
            entry = _describe(process, cpu_percent)
            if entry:
                found.append(entry)
            if len(found) == TOP:
                break
        self._rest_until = time.monotonic() + (time.thread_time() - started) / CPU_SHARE
        return found

    def read(self) -> list[tuple[psutil.Process, float | None]]:
        """Read every process's CPU time: processes with their share since the last reading, busiest first."""
        now, window_began = time.monotonic(), time.time() - (time.monotonic() - self._read_at)
        window_s = now - self._read_at
        seen: dict[int, float] = {}
        rows = []
        for process in psutil.process_iter():
            try:
                times = process.cpu_times()
            except psutil.Error:  # it has ended, or its figures are not for us
                continue
            spent = times.user + times.system
            seen[process.pid] = spent
            before = self._seen.get(process.pid)
            if before is None and process.create_time() >= window_began:
                before = 0.0
            known = before is not None and before <= spent and self._read_at > 0
            share = round(100 * (spent - before) / window_s, 1) if known and before is not None else None
            rows.append((-1.0 if share is None else share, spent, process, share))
        self._seen, self._read_at = seen, now
        rows.sort(key=lambda row: row[:2], reverse=True)
        return [(process, share) for _, _, process, share in rows]


def _describe(process: psutil.Process, cpu_percent: float | None) -> dict[str, Any] | None:
    try:
        if not process.is_running():  # also false when its id went to another process
            return None
        with process.oneshot():
            return {
                "pid": process.pid,
                "name": clean(process.name(), 128),
                "cpu_percent": cpu_percent,
                "memory_bytes": process.memory_info().rss,
                "memory_percent": round(process.memory_percent("rss"), 2),
                "status": process.status(),
                "user": clean(process.username(), 128),
            }
    except (psutil.Error, KeyError, OSError):  # ended meanwhile, or not for us
        return None
