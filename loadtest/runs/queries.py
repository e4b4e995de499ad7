"""Reading runs and their series."""

import json
from typing import Any

from django.db.models import Q

from config.api.errors import Invalid, NotFound
from loadtest.bodies import unix_ms
from loadtest.runs.models import Kind, Run, RunQuerySet, RunTick, Status
from loadtest.workspace.models import SavedRequest

NOT_FOUND = "Run not found"
MOST_LISTED = 10_000  # above what retention keeps, so that a list is bounded in any case


def get(run_id: str) -> Run:
    """The run; raises NotFound."""
    run = Run.objects.visible().filter(pk=run_id).first()
    if run is None:
        raise NotFound(NOT_FOUND)
    return run


def runs(
    *, kind: str = "", status: str = "", request_id: str = "", collection_id: str = "", text: str = ""
) -> RunQuerySet:
    """Runs, the newest first, without the columns that only a report needs. Raises Invalid for an unknown word."""
    found = Run.objects.visible().light().newest_first()
    for name, word, choices in (("type", kind, Kind), ("status", status, Status)):
        if word and word not in choices.values:
            raise Invalid(f"'{name}' must be one of {', '.join(choices.values)} (got '{word}')")
    if kind:
        found = found.filter(kind=kind)
    if status:
        found = found.filter(status=status)
    if request_id:
        found = found.filter(request_id=request_id)
    if collection_id:
        found = found.filter(request_id__in=SavedRequest.objects.filter(collection_id=collection_id).values("pk"))
    if text:
        found = found.filter(
            Q(config__url__icontains=text) | Q(config__comment__icontains=text) | Q(pk__icontains=text)
        )
    return found


def element(run: Run, *, most: int | None = None) -> dict[str, Any]:
    """A run as lists show it (contract: load testing §13); a body of more than `most` bytes is shown as empty."""
    config, snapshot = run.config, json.dumps(run.config)
    if most is not None and len(snapshot) > most:
        config, snapshot = {}, "{}"
    return {
        "id": run.pk,
        "requestId": run.request_id,
        "environmentId": run.environment_id,
        "type": run.kind,
        "status": run.status,
        "configSnapshot": snapshot,
        "config": config,
        "summary": {
            "url": run.config.get("url", ""),
            "method": run.config.get("method", ""),
            "mode": run.mode or None,
            "duration": run.config.get("duration"),
            "concurrency": run.config.get("concurrency"),
            "comment": run.config.get("comment"),
        },
        "startTime": unix_ms(run.started_at),
        "endTime": unix_ms(run.ended_at or run.started_at),
        "baseline": run.pinned,
    }


def detail(run: Run) -> dict[str, Any]:
    """One run by itself: the element, why it failed, and what came back for a request sent by hand."""
    extra: dict[str, Any] = {"message": run.message}
    if run.kind == Kind.DESIGN and run.result is not None:
        extra["result"] = run.result
    return element(run) | extra


def stop_summary(run: Run) -> dict[str, Any]:
    """The figures in the answer to a stop (contract: load testing §13)."""
    report = run.report or {}
    summary, latency = report.get("summary", {}), report.get("latency", {})
    return {
        "totalRequests": summary.get("totalRequests", 0),
        "errors": summary.get("failedRequests", 0),
        "errorRate": summary.get("errorRate", 0.0),
        "avgLatencyMs": latency.get("avg", 0.0),
    }


def newest_tick(run_id: str) -> int:
    """The number of the newest tick; 0 before the first."""
    return RunTick.objects.filter(run_id=run_id).order_by("-n").values_list("n", flat=True).first() or 0


def last_tick(run_id: str) -> dict[str, Any] | None:
    """The newest tick; None before the first."""
    text = RunTick.objects.filter(run_id=run_id).order_by("-n").values_list("data", flat=True).first()
    return json.loads(text) if text else None
