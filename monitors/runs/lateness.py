"""How late scheduled runs are queued: from their minute to the row (contract: monitors §4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from monitors.monitors.models import Monitor
from monitors.runs.models import Run

WINDOW = timedelta(minutes=15)
MOST = 2000  # of the newest runs that are looked at


@dataclass(frozen=True)
class Lateness:
    """Seconds over the newest scheduled runs of the last 15 minutes; None when there are none.

    `overdue_s` is how long the most overdue monitor waits for its run right now; 0 when none does.
    """

    runs: int
    p50_s: float | None
    p99_s: float | None
    max_s: float | None
    overdue_s: float


def lateness(now: datetime) -> Lateness:
    scheduled = Run.objects.filter(scheduled_at__isnull=False).values_list("queued_at", "scheduled_at")
    over = scheduled.filter(completed_at__gt=now - WINDOW).order_by("-completed_at")[:MOST]
    going_on = scheduled.filter(completed_at=None).order_by("-queued_at")[:MOST]
    newest = sorted(chain(over, going_on), reverse=True)[:MOST]
    late = sorted((queued_at - at).total_seconds() for queued_at, at in newest)
    first = Monitor.objects.due(now).values_list("next_run_at", flat=True).first()
    return Lateness(
        runs=len(late),
        p50_s=_at(late, 0.5),
        p99_s=_at(late, 0.99),
        max_s=late[-1] if late else None,
        overdue_s=(now - first).total_seconds() if first else 0.0,
    )


def _at(ordered: list[float], share: float) -> float | None:
    return ordered[int(share * (len(ordered) - 1))] if ordered else None
