"""The report of a run, in any state (contract: load testing §14)."""

from typing import Any

from loadtest.bodies import unix_ms
from loadtest.engine.figures import Figures
from loadtest.engine.plan import RunSpec
from loadtest.engine.report import report as engine_report
from loadtest.engine.samples import Samples
from loadtest.runs import designs, thresholds
from loadtest.runs.models import Kind, Run

CONFIGURATION = (
    "mode", "duration", "targetRps", "concurrency", "startConcurrency", "rampUpDuration", "iterations", "maxInFlight",
    "timeout", "comment",
)  # fmt: skip


def made(
    spec: RunSpec, figures: Figures, samples: Samples, *, accepted_at: float | None, final: bool = True
) -> dict[str, Any]:
    """The engine's report as a run's row keeps it. `withDetails` counts what a reader can look at."""
    report = engine_report(spec.outline, figures, samples, accepted_at=accepted_at, final=final)
    shown = sum("error" in element for element in report["results"])
    return report | {"errors": report["errors"] | {"withDetails": shown}}


def empty(spec: RunSpec) -> dict[str, Any]:
    """The report of a run that has not begun."""
    return made(spec, Figures(), Samples(), accepted_at=None)


def of(run: Run) -> dict[str, Any]:
    """All sections that the run has."""
    sections = dict(designs.sections(run) if run.kind == Kind.DESIGN else run.report or {})
    warnings = [*run.warnings, *sections.pop("warnings", [])]
    whole = {"metadata": metadata(run), **sections}
    if run.test_validation:
        whole["testValidation"] = run.test_validation
    if run.kind == Kind.LOAD and (judged := thresholds.judged(run.config.get("thresholds") or {}, sections)):
        whole["thresholdValidation"] = judged
    if run.message:
        whole["message"] = run.message
    return whole | {"warnings": warnings}


def metadata(run: Run) -> dict[str, Any]:
    config = run.config
    return {
        "runId": run.pk,
        "runType": run.kind,
        "status": run.status,
        "startTime": unix_ms(run.started_at),
        "endTime": unix_ms(run.ended_at or run.started_at),
        "requestUrl": config.get("url", ""),
        "requestMethod": config.get("method", ""),
        "configuration": {name: config[name] for name in CONFIGURATION if config.get(name) is not None},
    }
