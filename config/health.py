"""The state of what the product leans on (contract: fleet console §2)."""

import time
from typing import Any, cast

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from config.cache import HintCache
from config.tasks import PULSE

STARTED = time.time()
WORKER_SILENT_S = 180


def _timed(check: Any) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever a driver raises means the same here
        return {"status": "error", "error": type(error).__name__}
    return {"status": "ok", "latencyMs": round((time.perf_counter() - start) * 1000, 2)}


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_cache() -> None:
    cast(HintCache, cache).ping()


def worker_age_s() -> float | None:
    """Seconds since a worker last did a scheduled tick; None when that never happened."""
    pulse = cache.get(PULSE)
    return None if pulse is None else max(0.0, time.time() - pulse)


def checks() -> dict[str, dict[str, Any]]:
    """The state of each part that the product leans on."""
    found = {"database": _timed(check_database)}
    if settings.REDIS_URL:
        found["redis"] = _timed(check_cache)
    else:
        found["redis"] = {"status": "ok", "latencyMs": 0.0, "mode": "embedded"}
    age = worker_age_s()
    fresh = (time.time() - STARTED if age is None else age) < WORKER_SILENT_S
    found["worker"] = {
        "status": "ok" if fresh else "error",
        "lastBeatAgeSeconds": None if age is None else round(age, 1),
    }
    return found
