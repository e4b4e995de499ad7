"""The exchanges of a report, and what failed. contract: load testing §14.5 and §14.7."""

from http import HTTPStatus
from typing import Any

from loadtest.engine.figures import Figures
from loadtest.engine.samples import Samples
from loadtest.engine.series import ms
from loadtest.engine.stats import REPORTED_AS, Fault

RESULTS, ERROR_RESULTS, SLOW_RESULTS = 100, 50, 25
CODES = {"dns_failed": "DNS_ERROR"}  # the others are the kind in capitals. contract: §9.2


def errors(figures: Figures, samples: Samples) -> dict[str, Any]:
    """How many failed, and of what."""
    types: dict[str, int] = {}
    for fault, count in figures.faults.items():
        types[REPORTED_AS[fault]] = types.get(REPORTED_AS[fault], 0) + count
    by_status = {str(code): count for code, count in figures.statuses.items() if code == 0 or code >= 400}
    made = {
        "total": figures.completed - figures.succeeded,
        "withDetails": len(samples.kinds["error"]),
        "types": types,
        "faults": {fault.value: count for fault, count in figures.faults.items()},
    }
    return made | ({"byStatusCode": by_status} if by_status else {})


def results(samples: Samples, *, slow_ms: int) -> list[dict[str, Any]]:
    """At most 100 exchanges, oldest first: errors, then slow ones, then regular samples."""
    chosen: list[dict[str, Any]] = []
    for kind, most in (("error", ERROR_RESULTS), ("slow", SLOW_RESULTS), ("sample", RESULTS)):
        fresh = [facts for facts, _ in samples.kinds[kind].items() if facts not in chosen]
        chosen += fresh[: min(most, RESULTS - len(chosen))]
    return [_result(facts, slow_ms) for facts in sorted(chosen, key=lambda facts: (facts["at"], facts["number"]))]


def _result(facts: dict[str, Any], slow_ms: int) -> dict[str, Any]:
    status = facts["status"]
    element: dict[str, Any] = {
        "timestamp": facts["at"],
        "statusCode": status,
        "statusText": _reason(status),
        "latencyMs": ms(facts["totalUs"]),
    }
    timing = {f"{name[:-2]}Ms": ms(us) for name, us in facts.items() if name.endswith("Us")} | {"dnsMs": 0.0}
    slow = {"isSlow": True, "thresholdMs": slow_ms} if slow_ms and facts["totalUs"] >= 1000 * slow_ms else {}
    if 0 < status < 400:
        return element | {"trace": timing | slow}
    if status:
        kind, code, message = "http_error", f"HTTP_{status}", f"HTTP {status} {_reason(status)}".rstrip()
    else:
        kind, message = REPORTED_AS[Fault(facts["fault"])], facts["message"]
        code = CODES.get(kind, kind.upper())
    trace = {"error_type": kind, "error_code": code, "message": message, "request_number": facts["number"]}
    return element | {"error": message, "trace": trace | {"timing": timing} | (slow if status else {})}


def sampling(samples: Samples) -> dict[str, Any]:
    """How many there were of each kind, and how many of them were kept."""
    names = {"error": "errors", "slow": "slow", "sample": "successes", "response": "responses"}
    return {names[kind]: {"seen": chosen.seen, "kept": len(chosen)} for kind, chosen in samples.kinds.items()}


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "" if status else "Error"
