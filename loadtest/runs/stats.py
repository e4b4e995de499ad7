"""The events of `/stats/:runId` (contract: load testing §12)."""

import json
from typing import Any

from config.api.errors import NotFound
from config.streams import Chunks, event, query
from loadtest.bodies import unix_ms
from loadtest.runs import queries, reporting
from loadtest.runs.models import Run
from loadtest.runs.tail import follow

EVERY_S = 0.5
_FIELDS = (
    "timestamp", "totalRequests", "totalErrors", "totalSuccess", "errorRate", "avgLatencyMs", "currentRps",
    "activeConnections", "elapsedSeconds", "sendRate", "throughput", "backpressure",
)  # fmt: skip


async def stream(run_id: str) -> Chunks:
    """`stats` about every 500 ms, the last one with the final values, then `complete`."""
    told_s, newest = -EVERY_S, await query(queries.newest_tick, run_id)
    async for batch in follow(run_id, newest):
        latest = json.loads(batch.ticks[-1]) if batch.ticks and not batch.over else None
        if latest and latest["elapsedSeconds"] - told_s >= EVERY_S:
            told_s = latest["elapsedSeconds"]
            yield event(_text(chosen(run_id, latest)), name="stats")
        yield ""
    try:
        final, complete = await query(_end, run_id)
    except NotFound:  # deleted meanwhile
        return
    yield event(_text(final), name="stats")
    yield event(_text(complete), name="complete")


def _text(facts: dict[str, Any]) -> str:
    return json.dumps(facts, separators=(",", ":"))


def chosen(run_id: str, tick: dict[str, Any]) -> dict[str, Any]:
    return {"runId": run_id, **{name: tick[name] for name in _FIELDS}}


def _end(run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last `stats` and the `complete` of a run that is over."""
    run = queries.get(run_id)
    report = reporting.of(run)
    summary, latency = report["summary"], report["latency"]
    last = queries.last_tick(run_id) or _without_ticks(run)
    totals = {
        "totalRequests": summary["totalRequests"],
        "totalErrors": summary["failedRequests"],
        "totalSuccess": summary["successfulRequests"],
        "errorRate": summary["errorRate"],
        "avgLatencyMs": latency["avg"],
    }
    ended = {"finalRps": summary["avgRps"], "duration": summary["testDuration"]}
    return chosen(run_id, last | totals), {
        "event": "complete", "runId": run_id, "status": run.status, **totals, **ended,
    }  # fmt: skip


def _without_ticks(run: Run) -> dict[str, Any]:
    """The last values of a run that has no series: of a request sent by hand, or one that never began."""
    elapsed_s = (run.ended_at - run.started_at).total_seconds() if run.ended_at else 0.0
    return dict.fromkeys(_FIELDS, 0) | {"timestamp": unix_ms(run.ended_at), "elapsedSeconds": elapsed_s}
