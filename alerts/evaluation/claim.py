"""One pass at a time, by whichever worker takes it; one that died is made again by another."""

import time
from datetime import datetime, timedelta
from typing import Self

from alerts.evaluation.models import EvaluationPass

LEASE = timedelta(minutes=5)  # after which a pass whose worker died may be made by another
BREATH = 1  # a pass that takes long is followed by a pause of so many times its length


class Lost(Exception):
    """Another worker has taken the pass over: this one was gone for longer than its lease."""


class Claim:
    """The right to make the pass, held by moving `next_at` on."""

    def __init__(self, now: datetime, lease: datetime) -> None:
        self._now, self._lease, self._began = now, lease, time.perf_counter()

    @classmethod
    def take(cls, now: datetime) -> Self | None:
        """The claim when a pass is due and nobody else makes it. The first pass is due at once."""
        upcoming, _ = EvaluationPass.objects.get_or_create(pk=1, defaults={"next_at": now})
        if upcoming.next_at > now:  # an idle tick writes nothing
            return None
        lease = now + LEASE
        won = EvaluationPass.objects.filter(pk=1, next_at=upcoming.next_at).update(next_at=lease)
        return cls(now, lease) if won else None

    @property
    def took(self) -> timedelta:
        return timedelta(seconds=time.perf_counter() - self._began)

    def renew(self) -> None:
        """Hold it for longer. Raises Lost when somebody else has it now."""
        lease = self._now + self.took + LEASE
        if not EvaluationPass.objects.filter(pk=1, next_at=self._lease).update(next_at=lease):
            raise Lost
        self._lease = lease

    def finish(self, interval_s: float) -> None:
        """Plan the next pass: after the interval, and never so soon that passes take up most of the time."""
        took = self.took
        upcoming = self._now + max(timedelta(seconds=interval_s), (1 + BREATH) * took)
        EvaluationPass.objects.filter(pk=1, next_at=self._lease).update(
            next_at=upcoming, finished_at=self._now + took, duration_ms=round(took.total_seconds() * 1000)
        )
