"""Instances that cost something, and the days that the ledger counts."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from config import timeseries
from costs.ledger import services
from fleet.instances.models import Event, Instance, Status
from fleet.metrics.models import ROLLUPS, Rollup

DAY = date(2026, 11, 10)
START = datetime(2026, 11, 10, tzinfo=UTC)
GB, GIB = 10**9, 2**30


def at(hours: float = 0, *, day: int = 0) -> datetime:
    """A moment of DAY, or of a day after it."""
    return START + timedelta(days=day, hours=hours)


def make_machine(name: str = "web-1", *, size: str | None = "performance-2x", since: Any = None, **fields: Any) -> Any:
    """A running machine at Fly with a disk of 50 GiB that was there before DAY (or since then)."""
    sample = {"disk_total": 50 * GIB}
    tags = {"vm_size": size} if size else {}
    given = {"provider": "fly", "status": Status.RUNNING, "last_sample": sample, "tags": tags} | fields
    instance = Instance.objects.create(name=name, **given)
    Instance.objects.filter(pk=instance.pk).update(created_at=since or at(day=-9), updated_at=at())
    return instance


def turn(instance: Instance, type: str, moment: datetime, status: str, **metadata: Any) -> None:
    """What a change of the status leaves behind."""
    Event.objects.create(instance=instance, type=type, timestamp=moment, metadata=metadata or None)
    Instance.objects.filter(pk=instance.pk).update(status=status, updated_at=moment)


def sent(instance: Instance, *counters: int, first: datetime | None = None) -> None:
    """The counter of sent bytes at the end of some days in a row."""
    first = first or at(day=-20)
    rows = []
    for place, counter in enumerate(counters):
        row = dict.fromkeys(ROLLUPS.columns) | {
            "resolution": int(Rollup.Resolution.DAY),
            "subject_kind": int(Rollup.Subject.INSTANCE),
            "subject_id": instance.pk,
            "ts": first + timedelta(days=place),
            "n": 10,
            "net_tx_last": counter,
        }
        rows.append(tuple(row.values()))
    timeseries.insert(ROLLUPS, rows)


def whole_day(day: int = 0) -> None:
    """Count a day from its beginning to its end, as the ticks do."""
    services.run(now=at(1, day=day))
    services.run(now=at(10 / 60, day=day + 1))
