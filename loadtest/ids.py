"""Identifiers of load testing: a prefix and decimal digits that grow with time (contract: load testing §1.1)."""

import threading
import time

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """`new_id("run")` → `run_1763800000123004`: microseconds, never twice in a process.

    Two processes can meet in one microsecond: insert with the primary key's uniqueness and, on a clash, ask again.
    """
    global _last
    with _lock:
        _last = max(_last + 1, time.time_ns() // 1000)
        return f"{prefix}_{_last}"
