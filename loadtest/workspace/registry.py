"""The settings of load testing, in the order in which they are listed (contract: load testing §3.2)."""

import os
from dataclasses import dataclass
from typing import Any

Typed = int | bool
MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One setting. Bounds are included; a boolean has none. `effective` is False for what is kept without effect."""

    key: str
    default: Typed
    min: int | None = None
    max: int | None = None
    category: str
    label: str
    description: str
    unit: str | None = None
    effective: bool = True

    @property
    def type(self) -> str:
        return "boolean" if isinstance(self.default, bool) else "integer"

    @property
    def requires_restart(self) -> bool:
        return self.label.endswith("(Requires Restart)")


def _entries(category: str, *rows: dict[str, Any]) -> list[Entry]:
    return [Entry(category=category, **row) for row in rows]


def _row(
    key: str, default: Typed, bounds: tuple[int, int] | None, label: str, description: str, **more: Any
) -> dict[str, Any]:
    low, high = bounds or (None, None)
    return {"key": key, "default": default, "min": low, "max": high, "label": label, "description": description, **more}


KEPT = {"effective": False}
MS, SEC, BYTES = {"unit": "ms"}, {"unit": "sec"}, {"unit": "bytes"}

ENTRIES: tuple[Entry, ...] = (
    *_entries(
        "general_engine",
        _row("workers", min(os.cpu_count() or 1, 128), (1, 128), "Worker Threads (Requires Restart)",
             "Generator processes of a run. Read when a run starts."),
        _row("maxConnections", 10_000, (100, 100_000), "Maximum Connections (Requires Restart)",
             "Open connections over all runs. Read when a run starts."),
        _row("defaultTimeout", 30_000, (1000, 300_000), "Default Request Timeout",
             "How long a request may take when it states no timeout.", **MS),
        _row("requestBatchSize", 5, (1, 1000), "Request Batch Size",
             "Kept for compatible clients; requests are listed as fast as the database gives them.", **KEPT),
    ),
    *_entries(
        "database_performance",
        _row("dbCacheSize", 64 * MIB, (MIB, 1024 * MIB), "Database Cache Size (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **BYTES, **KEPT),
        _row("dbTempStore", 2, (0, 2), "Temporary Tables Storage (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **KEPT),
        _row("dbMmapSize", 256 * MIB, (0, 1024 * MIB), "Memory-Mapped I/O Size (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **BYTES, **KEPT),
        _row("dbWalAutocheckpoint", 1000, (100, 10_000), "WAL Checkpoint Frequency (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **KEPT),
        _row("dbBusyTimeout", 10_000, (1000, 60_000), "Database Lock Wait Time (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **MS, **KEPT),
        _row("dbSynchronous", 0, (0, 2), "Data Safety Mode (Requires Restart)",
             "Kept for compatible clients; the platform's own settings decide.", **KEPT),
    ),
    *_entries(
        "network_performance",
        _row("eventLoopMaxConcurrent", 1000, (1, 10_000), "Max Concurrent Requests (Per Worker)",
             "Kept for compatible clients; each run says how many requests are in flight.", **KEPT),
        _row("eventLoopMaxPerHost", 200, (1, 1000), "Max connections per host (per worker)",
             "Connections that one generator process keeps to a host; raised for a run that asks for more."),
        _row("dnsCacheTimeout", 300, (0, 3600), "DNS Cache Timeout",
             "Kept for compatible clients; a run looks its target up once.", **SEC, **KEPT),
        _row("tcpKeepAliveIdle", 60, (1, 300), "TCP Keep-Alive Idle Time",
             "Silence before a connection is probed.", **SEC, **KEPT),
        _row("tcpKeepAliveInterval", 30, (1, 300), "TCP Keep-Alive Interval",
             "Time between two probes of a silent connection.", **SEC, **KEPT),
    ),
    *_entries(
        "scripting_sandbox",
        _row("scriptTimeout", 5000, (100, 60_000), "Script Execution Timeout", "How long one script may run.", **MS),
        _row("scriptEnableConsole", True, None, "Enable Script Console", "When off, console.* does nothing."),
        _row("contextPoolSize", 64, (1, 256), "Script Context Pool Size", "Scripts that may run at the same time."),
        _row("scriptMemoryLimit", 64 * MIB, (MIB, 256 * MIB), "Script Memory Limit", "Memory of one script.", **BYTES),
        _row("scriptStackSize", 262_144, (65_536, MIB), "Script Stack Size", "Stack of one script.", **BYTES),
    ),
    *_entries(
        "observability",
        _row("statsInterval", 100, (10, 10_000), "Statistics Collection Interval",
             "How often the counters of a run are added up.", **MS),
        _row("liveTickIntervalMs", 100, (10, 1000), "Live Metrics Tick Interval (ms)",
             "How often a running test publishes a tick. Read when a run starts.", **MS),
        _row("liveRetentionMs", 60_000, (0, 600_000), "Live Metrics Retention (ms)",
             "How long the live stream of a finished run can still be read; 0 ends it with the run.", **MS),
        _row("maxJsonFieldSize", 10 * MIB, (1024, 100 * MIB), "Maximum JSON Field Size",
             "Fields of saved requests that are larger are listed as empty.", **BYTES),
        _row("sseConnectTimeout", 30_000, (1000, 300_000), "SSE Connection Timeout",
             "A hint for clients: how long to wait for a stream.", **MS, **KEPT),
        _row("sseMaxRetry", 30_000, (1000, 300_000), "SSE Max Retry Interval",
             "A hint for clients: the longest pause before a stream is opened again.", **MS, **KEPT),
        _row("sseSendLastEventId", True, None, "SSE Send Last Event ID",
             "A hint for clients: whether a stream is resumed where it broke.", **KEPT),
    ),
)  # fmt: skip
REGISTRY = {entry.key: entry for entry in ENTRIES}
