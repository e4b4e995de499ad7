"""Which series there are: found by what they are called, made when they are new, within bounds.

Each process remembers the series of the instances that it hears from, so that a usual delivery asks the database
nothing. A label with a million values must hurt nobody: an instance may have so many series and the product so many
in total; points of further ones are refused, and told.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from fleet.collectors.curves import Curve
from fleet.collectors.hosts.names import RULES
from fleet.collectors.models import Series
from fleet.collectors.refusals import Refused

MARK_EVERY_S = 3600.0
LOOK_EVERY_S = 10.0  # how often a full instance is looked at again, and how long the total is believed
MOST_REMEMBERED = 200_000  # series in a process
AT_ONCE = 500  # rows of one statement


@dataclass
class Mine:
    """The series of one instance that this process knows: id and when its `last_at` was told, by digest."""

    by_digest: dict[bytes, list] = field(default_factory=dict)
    looked_at: float = 0.0


class Known:
    """What this process knows of series. Safe in threads: the worst that a race costs is a query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._instances: OrderedDict[str, Mine] = OrderedDict()
        self._total, self._total_until = 0, 0.0

    def clear(self) -> None:
        with self._lock:
            self._instances.clear()
            self._total_until = 0.0

    def ids(self, instance_id: str, curves: Sequence[Curve], refused: Refused, *, now: datetime) -> list[int | None]:
        """The id of each curve's series; None where the bounds allow no new one, which `refused` is told."""
        for _ in range(2):
            mine = self._load(instance_id)
            if missing := {curve.digest: curve for curve in curves if curve.digest not in mine.by_digest}:
                self._complete(instance_id, mine, missing, now)
            found = [mine.by_digest.get(curve.digest) for curve in curves]
            if self._mark([one for one in found if one], now):
                break
            self._forget(instance_id)  # series that were silent for long have been deleted meanwhile
        for curve, one in zip(curves, found, strict=True):
            if one is None:
                refused.add(self._bounds(), len(curve.points))
        return [one[0] if one else None for one in found]

    def _load(self, instance_id: str) -> Mine:
        with self._lock:
            if mine := self._instances.get(instance_id):
                self._instances.move_to_end(instance_id)
                return mine
        mine = Mine()
        self._take(mine, Series.objects.filter(instance_id=instance_id), told=False)
        with self._lock:
            self._instances[instance_id] = mine
            size = sum(len(one.by_digest) for one in self._instances.values())
            while size > MOST_REMEMBERED and len(self._instances) > 1:
                size -= len(self._instances.popitem(last=False)[1].by_digest)
        return mine

    def _take(self, mine: Mine, rows: QuerySet[Series], *, told: bool) -> None:
        """Remember rows; `told` says whether their `last_at` is new enough."""
        told_at = time.monotonic() - (0 if told else MARK_EVERY_S)
        for digest, pk in rows.values_list("digest", "pk"):
            mine.by_digest.setdefault(bytes.fromhex(digest), [pk, told_at])

    def _forget(self, instance_id: str) -> None:
        with self._lock:
            self._instances.pop(instance_id, None)

    def _complete(self, instance_id: str, mine: Mine, missing: dict[bytes, Curve], now: datetime) -> None:
        """Make the missing series as far as there is room; another process may have made some."""
        rows = Series.objects.filter(instance_id=instance_id)
        if self._room(mine) <= 0:
            if time.monotonic() < mine.looked_at + LOOK_EVERY_S:
                return
            mine.looked_at = time.monotonic()
            mine.by_digest.clear()
            self._take(mine, rows, told=False)
        new = [curve for digest, curve in missing.items() if digest not in mine.by_digest]
        new = new[: max(0, self._room(mine))]
        for start in range(0, len(new), AT_ONCE):
            part = new[start : start + AT_ONCE]
            Series.objects.bulk_create([_row(curve, now) for curve in part], ignore_conflicts=True)
            self._take(mine, rows.filter(digest__in=[curve.digest.hex() for curve in part]), told=True)
        self._total += len(new)

    def _room(self, mine: Mine) -> int:
        if time.monotonic() >= self._total_until:
            self._total, self._total_until = Series.objects.count(), time.monotonic() + LOOK_EVERY_S
        return min(settings.SERIES_PER_INSTANCE - len(mine.by_digest), settings.SERIES_IN_TOTAL - self._total)

    def _bounds(self) -> str:
        if self._total >= settings.SERIES_IN_TOTAL:
            return f"there are {settings.SERIES_IN_TOTAL} series already, no new ones are made"
        return f"the instance has {settings.SERIES_PER_INSTANCE} series already, no new ones are made"

    def _mark(self, found: list[list], now: datetime) -> bool:
        """Tell once an hour that the series live; False when some are gone."""
        monotonic = time.monotonic()
        due = {one[0]: one for one in found if one[1] + MARK_EVERY_S <= monotonic}
        ids, there = list(due), 0
        for start in range(0, len(ids), AT_ONCE):
            there += Series.objects.filter(pk__in=ids[start : start + AT_ONCE]).update(last_at=now)
        for one in due.values():
            one[1] = monotonic
        return there == len(due)


def _row(curve: Curve, now: datetime) -> Series:
    return Series(
        instance_id=curve.instance_id,
        digest=curve.digest.hex(),
        name=curve.name,
        unit=curve.unit,
        kind=curve.kind,
        labels=curve.labels,
        of_host=curve.name in RULES,
        first_at=now,
        last_at=now,
    )


known = Known()
