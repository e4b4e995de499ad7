"""How long lines and their counts are kept, and the room for new ones (contract: fleet console §34.2)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from config import timeseries
from config.timeseries import Kept, Query
from fleet.logs.models import TABLES

AHEAD = timedelta(days=3)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def ensure_partitions(*, now: datetime | None = None) -> list[Kept]:
    """Room from the oldest that is kept until three days ahead. Drops nothing."""
    return _keep(now or timezone.now(), dropping=False)


def drop_old(*, now: datetime | None = None) -> list[Kept]:
    """Drop what is older than it is kept, and make room for what comes."""
    return _keep(now or timezone.now(), dropping=True)


def strays() -> int:
    """Rows outside of all partitions; the doctor complains about any."""
    return sum(timeseries.strays(table) for table in TABLES)


def forget(instance_ids: Sequence[str]) -> None:
    """Delete all lines of these instances."""
    marks = ", ".join(["%s"] * len(instance_ids))
    for table in TABLES:
        timeseries.erase(table, Query(f"instance_id IN ({marks})", list(instance_ids)))


def _keep(now: datetime, *, dropping: bool) -> list[Kept]:
    # By whole hours, so that lines and their counts go together.
    oldest = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=settings.KEEP_DAYS["logs"])
    return [
        timeseries.keep(table, since=oldest, until=now + AHEAD, drop=oldest if dropping else NEVER) for table in TABLES
    ]
