"""A part of ours inside Locust: writes each request to a pipe exactly as it was measured (contract: monitors §8.4).

Loaded as a second Locust file, from a copy in the folder of the run. A line is `<start, s> <time, ms> <1 or 0: it
succeeded>`; a request without a time has `-` there. Locust's own summary rounds times, so it is not read.
"""

import time
from typing import Any

from locust import events

FLUSH_S = 0.2

_pipe = open("samples.fifo", "w", encoding="ascii")  # noqa: SIM115 - open as long as Locust runs
_flushed_at = 0.0


@events.request.add_listener
def record(
    response_time: float | None = None, exception: object = None, start_time: float | None = None, **_: Any
) -> None:
    global _flushed_at
    now = time.monotonic()
    taken = "-" if response_time is None else repr(float(response_time))
    began = time.time() - (response_time or 0) / 1000 if start_time is None else start_time
    _pipe.write(f"{began:.6f} {taken} {int(exception is None)}\n")
    if now - _flushed_at >= FLUSH_S:
        _flushed_at = now
        _pipe.flush()


@events.quitting.add_listener
def flush(**_: Any) -> None:
    _pipe.flush()
