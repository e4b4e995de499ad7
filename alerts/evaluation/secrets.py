"""secret_expired: expired secrets and overdue rotations of instances (contract: fleet console §10)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.evaluation.sources import Fact
from security.rotations.models import Rotation
from security.vault.models import Secret

NAMED = 3


def facts(conditions: Sequence[Mapping[str, Any]], instance_ids: Sequence[str], now: datetime) -> list[dict[str, Fact]]:
    """The same for each rule. What is recorded here is all that is known, so an instance without any has none.

    Global secrets belong to no instance; reminders tell of them (see `alerts.secrets`).
    """
    expired = _names(Secret.objects.filter(expires_at__lte=now, instance__isnull=False), "name")
    overdue = _names(Rotation.objects.overdue(now), "secret_name")
    known = {key: fact(expired.get(key, []), overdue.get(key, [])) for key in instance_ids}
    return [known] * len(conditions)


def fact(expired: Sequence[str], overdue: Sequence[str]) -> Fact:
    parts = [_said(expired, "secret", "expired"), _said(overdue, "rotation", "overdue")]
    count = len(expired) + len(overdue)
    return Fact(
        count > 0, float(count), "; ".join(filter(None, parts)), {"expired": len(expired), "overdue": len(overdue)}
    )


def _names(rows: Any, column: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, name in rows.order_by(column, "pk").values_list("instance_id", column).iterator(chunk_size=2000):
        found.setdefault(key, []).append(name)
    return found


def _said(names: Sequence[str], noun: str, state: str) -> str:
    """`2 secrets expired: A, B`."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} {noun}{'s' * (len(names) > 1)} {state}: {', '.join(names[:NAMED])}{more}" if names else ""
