"""What the pages say about one run: its name, its state, what was asked, how far it is, its limits."""

from collections.abc import Iterable, Mapping
from typing import Any

from config.api.errors import ApiError, NotFound
from loadtest.engine.plan import Mode
from loadtest.runs import durations, thresholds
from loadtest.runs.models import Run
from loadtest.runs.ui.forms import LIMITS, MODES, USED
from loadtest.workspace.models import Environment, SavedRequest

LIMIT_UNITS = {"maxErrorRatePct": "%", "minThroughputRps": "/s"}
PACE_WORDS = {
    "targetRps": ("Rate", "/s"),
    "concurrency": ("In flight", ""),
    "startConcurrency": ("In flight at the start", ""),
    "rampUpDuration": ("Ramp", "duration"),
    "duration": ("Length", "duration"),
    "iterations": ("Requests", ""),
    "maxInFlight": ("Most in flight", ""),
    "timeout": ("Longest wait", "ms"),
}


def get(run_id: str) -> Run:
    """The run without what only its worker needs. Raises NotFound."""
    found = Run.objects.visible().filter(pk=run_id).defer("plan", "figures").first()
    if found is None:
        raise NotFound(f"Run '{run_id}' not found")
    return found


def names_of(runs: Iterable[Run]) -> dict[str, str]:
    """The names of the saved requests that runs belong to, by the requests' ids; one query."""
    wanted = {run.request_id for run in runs if run.request_id}
    return dict(SavedRequest.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def environment_of(run: Run) -> str:
    if not run.environment_id:
        return ""
    found = Environment.objects.filter(pk=run.environment_id).values_list("name", flat=True).first()
    return found or run.environment_id


def title(run: Run, names: Mapping[str, str]) -> str:
    """The saved request's name, else what was sent where."""
    method, url = run.config.get("method", ""), run.config.get("url", "")
    return names.get(run.request_id or "") or f"{method} {url}".strip() or run.pk


def state(run: Run, report: Mapping[str, Any] | None) -> str:
    """The value of the chip: a completed run that had limits tells whether it kept them."""
    found = limits(run, report)
    if run.status == "completed" and found:
        return "passed" if found["verdict"] == "passed" else "missed"
    return run.status


def limits(run: Run, report: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The limits with what was measured; None without limits or before anything was measured."""
    wanted = run.config.get("thresholds")
    if not isinstance(wanted, Mapping) or not report or not report.get("summary") or not report.get("latency"):
        return None
    found = thresholds.judged(wanted, report)
    if found is None or not report["summary"]["totalRequests"]:
        return None
    checks = [
        {**check, "label": label_of(check["metric"]), "unit": LIMIT_UNITS.get(check["metric"], "ms")}
        for check in found["checks"]
    ]
    return {**found, "checks": checks}


def label_of(metric: str) -> str:
    """`95 % of the requests within`: the form's label without its unit."""
    return LIMITS[metric][1].removesuffix(", ms").removesuffix(", %")


def pace(run: Run) -> list[tuple[str, str, Any]]:
    """What the mode used, each with its label and unit."""
    wanted = (*USED[Mode(run.mode)], "timeout") if run.mode else tuple(PACE_WORDS)
    return [(*PACE_WORDS[name], run.config[name]) for name in wanted if run.config.get(name) is not None]


def mode_word(run: Run) -> str:
    return MODES[Mode(run.mode)][0] if run.mode else "Sent by hand"


def planned_s(run: Run) -> float | None:
    """How long the run is to last; None where the target's speed decides."""
    if run.mode == Mode.ITERATIONS:
        return None
    try:
        return durations.seconds("duration", run.config.get("duration") or 60)
    except ApiError:
        return None


def progress(run: Run, tick: Mapping[str, Any] | None) -> dict[str, Any]:
    """`{done, whole, kind}`: seconds of the planned length, or requests of the wanted number."""
    if (whole := planned_s(run)) is not None:
        return {"done": min(tick["elapsedSeconds"] if tick else 0.0, whole), "whole": whole, "kind": "time"}
    wanted = (tick or {}).get("requestsExpected") or run.config.get("iterations") or 0
    return {"done": (tick or {}).get("totalRequests", 0), "whole": wanted, "kind": "requests"}
