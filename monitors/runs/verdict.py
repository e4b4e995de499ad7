"""The final state for what a tool found (contract: monitors §5.1, §5.3)."""

from collections.abc import Mapping
from typing import Any

from monitors.runs import judge
from monitors.runs.models import Status
from monitors.tools.base import Outcome


def verdict(outcome: Outcome, thresholds: Mapping[str, float]) -> tuple[Status, list[dict[str, Any]]]:
    """The state, and the limits that were broken: ours in the order of `judge.RULES`, then the script's own."""
    if outcome.timed_out:
        return Status.TIMEOUT, []
    if outcome.error:
        return Status.ERROR, []
    found = judge.breaches(judge.rounded(outcome.metrics or {}), thresholds) + outcome.breaches
    return (Status.FAIL if found else Status.PASS), found
