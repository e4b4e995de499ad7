"""The `tests` of a load run, over the answers that were sampled (contract: load testing §14.8)."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .facts import Facts, Limits, Outcome, Response
from .sandbox import run_script

BUDGET_S = 60.0
MOST_FAILURES = 10


def validate(
    text: str, samples: Sequence[Response], facts: Facts, limits: Limits, *, budget_s: float = BUDGET_S
) -> dict[str, Any] | None:
    """The report's section `testValidation`, None without a script or samples (contract: load testing §14.8).

    Keys: samplesTested, testsPassed, testsFailed, successRate (0-100), failures (first 10 texts), samplesLeft (those
    that the budget, in seconds, left no time for). Each test of each sample counts; a script without tests is one.
    """
    if not text.strip() or not samples:
        return None
    end = time.monotonic() + budget_s
    tested = passed = failed = 0
    failures: list[str] = []
    for number, sample in enumerate(samples):
        left_ms = int((end - time.monotonic()) * 1000)
        if left_ms <= 0:
            break
        ours = replace(limits, timeout_ms=min(limits.timeout_ms, left_ms))
        outcome = run_script(
            text, replace(facts, response=sample, iteration=number, iteration_count=len(samples)), ours
        )
        if outcome.error and ours.timeout_ms < limits.timeout_ms and time.monotonic() >= end:
            break  # our budget ended it, not the script's own limit
        tested += 1
        problems = _problems(outcome)
        failed += len(problems)
        passed += sum(test["passed"] for test in outcome.tests) if outcome.tests else not problems
        failures += problems[: MOST_FAILURES - len(failures)]
    return {
        "samplesTested": tested,
        "testsPassed": passed,
        "testsFailed": failed,
        "successRate": passed * 100 / (passed + failed) if passed + failed else 0.0,
        "failures": failures,
        "samplesLeft": len(samples) - tested,
    }


def _problems(outcome: Outcome) -> list[str]:
    """What failed, as texts; a script that throws adds itself."""
    failures = [f"{test['name']}: {test.get('error', '')}" for test in outcome.tests if not test["passed"]]
    return failures + ([outcome.error] if outcome.error else [])
