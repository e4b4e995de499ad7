"""unauthorized_access: refused authentications of the last ten minutes (contract: fleet console §10)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.evaluation.sources import Fact
from security.keys import refusals

WINDOW = timedelta(minutes=10)
ENOUGH = 5


def facts(conditions: Sequence[Mapping[str, Any]], instance_ids: Sequence[str], now: datetime) -> list[dict[str, Fact]]:
    """The same for each rule: every refusal is recorded, so an instance without any is known to have none."""
    counts = refusals.counts(since=now - WINDOW)
    known = {instance_id: fact(counts.get(instance_id, 0)) for instance_id in instance_ids}
    return [known] * len(conditions)


def fact(count: int) -> Fact:
    return Fact(count >= ENOUGH, float(count), f"{count} authentications were refused within 10 min")
