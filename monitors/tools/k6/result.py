"""What a finished k6 means: exit codes, the exported summary, limits inside the script (contract: monitors §8.2)."""

import re
import signal
from typing import TYPE_CHECKING, Any

import msgspec

from monitors.runs.judge import breach, by_script, plain
from monitors.tools.base import Outcome
from monitors.tools.process import Exit
from monitors.tools.programs import never_measured
from monitors.tools.samples import Samples

if TYPE_CHECKING:
    from monitors.tools.k6.streams import Messages

CROSSED, ABORTED, FAILED, SCRIPT_EXCEPTION = 99, 108, 110, 107
MEASURED = {0, CROSSED, ABORTED, FAILED}
OURS = {97, 98, 103, 105, 106, 109}  # faults of the program or its surroundings, not of the script
_STATS = {"p50": "p(50)", "p95": "p(95)", "p99": "p(99)", "avg": "avg", "min": "min", "max": "max"}
_EXPRESSION = re.compile(r"\s*([a-z]+(?:\([\d.]+\))?)\s*(<=?|>=?|===?|!=)\s*([\d.]+)\s*")
_UNITS = {"http_req": "ms", "iteration_duration": "ms", "group_duration": "ms", "grpc_req_duration": "ms"}


def outcome(*, ended: Exit, summary: bytes | None, samples: Samples, messages: "Messages") -> Outcome:
    """The result of a k6 run from everything that it left."""
    metrics = _metrics(_read(summary), samples)
    figures = _figures(metrics, samples, messages.exceptions)
    if unmeasured := never_measured(ended, messages.last_words):
        return unmeasured
    if ended.timed_out:
        return Outcome(metrics=figures, exit_code=ended.code, timed_out=True)
    if ended.code not in MEASURED:
        return Outcome(metrics=figures, exit_code=ended.code, error=_fault(ended.code, messages.last_error))
    if metrics is None and figures is None:
        return Outcome(exit_code=ended.code, error=("bad_result", "k6 left no summary that can be read."))
    crossed = _crossed(metrics or {})
    if ended.code in (ABORTED, FAILED):
        crossed.append(by_script(messages.said or "the script ended the test as failed"))
        return Outcome(metrics=figures, breaches=crossed, exit_code=ended.code)
    iterations = int((metrics or {}).get("iterations", {}).get("count", 0))
    if iterations and messages.exceptions >= iterations:
        return Outcome(
            metrics=figures,
            exit_code=ended.code,
            error=("script_error", f"Every iteration threw an exception. {messages.last_error}".strip()[:1000]),
        )
    if figures is None:
        return Outcome(exit_code=ended.code, error=("no_samples", "The script made no request and no iteration."))
    return Outcome(metrics=figures, breaches=crossed, exit_code=ended.code)


def _read(summary: bytes | None) -> Any:
    try:
        return msgspec.json.decode(summary or b"")
    except msgspec.DecodeError:
        return None


def _metrics(document: Any, samples: Samples) -> dict[str, Any] | None:
    metrics = document.get("metrics") if isinstance(document, dict) else None
    return metrics if isinstance(metrics, dict) else None


def _figures(metrics: dict[str, Any] | None, samples: Samples, exceptions: int) -> dict[str, Any] | None:
    """Our metrics: of HTTP requests, else of iterations; None when nothing was measured."""
    if metrics is None:
        return samples.metrics(0) | {"throughput": None, "checksFailed": None} if samples.count else None
    checks = metrics.get("checks") or {}
    if int(metrics.get("http_reqs", {}).get("count", 0)):
        requests, failed = metrics["http_reqs"], metrics.get("http_req_failed")
        if failed is None:  # the script has switched k6's own judgement off
            failed = {"value": samples.failed / samples.count if samples.count else 0, "passes": samples.failed}
        figures = _trend(metrics.get("http_req_duration") or {}) | {
            "errorRate": float(failed.get("value", 0)),
            "throughput": float(requests["rate"]),
            "samples": int(requests["count"]),
            "failed": int(failed.get("passes", 0)),  # in this metric a "pass" is a failed request
            "apdex": samples.apdex,
        }
    elif count := int(metrics.get("iterations", {}).get("count", 0)):
        failed_checks, all_checks = checks.get("fails", 0), checks.get("fails", 0) + checks.get("passes", 0)
        share = failed_checks / all_checks if all_checks else min(1.0, exceptions / count)
        figures = _trend(metrics.get("iteration_duration") or {}) | {
            "errorRate": float(share),
            "throughput": float(metrics["iterations"]["rate"]),
            "samples": count,
            "failed": int(failed_checks) if all_checks else min(exceptions, count),
            "apdex": None,
        }
    else:
        return None
    return figures | {"checksFailed": int(checks.get("fails", 0))}


def _trend(values: dict[str, Any]) -> dict[str, Any]:
    return {ours: float(values[theirs]) if theirs in values else None for ours, theirs in _STATS.items()}


def _crossed(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """A breach for each limit of the script that was crossed; `true` means crossed in an exported summary."""
    found = []
    for name, values in metrics.items():
        for expression, is_crossed in (values.get("thresholds") or {}).items():
            if is_crossed is True:
                found.append(_breach_of(name, str(expression), values))
    return found


def _breach_of(name: str, expression: str, values: dict[str, Any]) -> dict[str, Any]:
    parsed = _EXPRESSION.fullmatch(expression)
    unit = next((unit for start, unit in _UNITS.items() if name.startswith(start)), "")
    if not parsed or name.startswith(("http_req_failed", "http_reqs")):
        unit = ""
    actual = limit = None
    if parsed:
        limit = float(parsed[3])
        key = "value" if parsed[1] == "rate" and "value" in values else parsed[1]
        actual = values.get(key)
        actual = actual if actual is None else round(actual, 3 if unit == "ms" else 6)
    result = breach("script", name, limit or 0.0, actual, unit, at_least=bool(parsed and ">" in parsed[2]))
    said = "unknown" if actual is None else plain(actual)
    return result | {
        "expression": expression,
        "limit": limit,
        "message": f"{name} {said} {unit} breaks the script's limit {expression}".replace("  ", " "),
    }


def _fault(code: int, last_error: str) -> tuple[str, str]:
    """Error code and sentence for an exit code that measured nothing."""
    detail = f" {last_error}" if last_error else ""
    if code == -signal.SIGXCPU:
        return "script_error", "The script used more processor time than it may."
    if code < 0:
        return "internal", f"k6 was ended by signal {-code}.{detail}"
    if code in OURS:
        return "internal", f"k6 failed with exit code {code}.{detail}"
    return "script_error", last_error or f"k6 failed with exit code {code}."
