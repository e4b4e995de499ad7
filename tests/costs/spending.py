"""Entries of the ledger as tests need them, with their sums by day."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from costs.ledger.models import CostEntry, Subject, midnight
from costs.ledger.totals import sum_up
from costs.money import MICROS
from fleet.instances.models import Instance, Status

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)  # a Friday
TODAY = NOW.date()
_numbers = count(1)


def ago(days: int) -> date:
    """The UTC day so many days before TODAY."""
    return TODAY - timedelta(days=days)


def make_instance(**fields: Any) -> Instance:
    """A machine that has been running for three months."""
    created_at = fields.pop("created_at", NOW - timedelta(days=90))
    fields = {"name": f"web-{next(_numbers)}", "provider": "fly", "status": Status.RUNNING} | fields
    made = Instance.objects.create(**fields)
    Instance.objects.filter(pk=made.pk).update(created_at=created_at)
    made.refresh_from_db()
    return made


def spend(instance: Instance, days: dict[date, float], *, provider: str | None = None) -> None:
    """Whole entries in USD by day, all of it compute."""
    facts = {
        "instance_id": instance.pk, "instance_name": instance.name, "provider": provider or instance.provider,
        "region": instance.region, "team_id": instance.team_id,
        "team_name": instance.team.name if instance.team else None, "labels": instance.tags,
    }  # fmt: skip
    subject, _ = Subject.objects.get_or_create(digest=Subject.digest_of(facts), defaults=facts)
    for day, usd in days.items():
        micros = round(usd * MICROS)
        span = {"s": 86_400, "status": "RUNNING", "size": "small", "compute": 30 * micros, "storage": 0}
        CostEntry.objects.create(
            instance_id=instance.pk, subject=subject, day=day, counted_until=midnight(day) + timedelta(days=1),
            status="RUNNING", compute_micros=micros, total_micros=micros, estimated_micros=micros,
            basis={"spans": [span]},
        )  # fmt: skip
    sum_up(set(days))
