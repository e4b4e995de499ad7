"""Bringing the ledger up to date: what was not counted yet is added, what is there stays (fleet console §15, §34.1)."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q

from costs.ledger import machines
from costs.ledger.accrual import DayCount, rate_of, stretches
from costs.ledger.machines import Known
from costs.ledger.models import ClosedWeek, CostEntry, DayTotal, LedgerRun, Source, Subject, WeekTotal, midnight
from costs.ledger.totals import close_weeks, sum_up, week_of
from costs.pricing.queries import tables_on
from costs.pricing.tables import PriceTable
from fleet.instances.models import Instance, InstanceQuerySet, Status

log = logging.getLogger(__name__)
BATCH = 1000
LONGEST_GAP = timedelta(days=40)  # time that nobody counted for longer is left out
MINUTE = 10  # of each hour: at 00:10 the day before is finished
Tables = dict[date, dict[str, PriceTable]]
Entries = dict[tuple[str, date], CostEntry]
_followers: list[Callable[[datetime], object]] = []


def after_run(follower: Callable[[datetime], object]) -> None:
    """Have `follower(now)` called after each run of the ledger, in the order of registration."""
    if follower not in _followers:
        _followers.append(follower)


def tend(*, now: datetime) -> bool:
    """Run when it is time (at start, then ten minutes past each hour); whether it did. Others may be asked at once."""
    row, _ = LedgerRun.objects.get_or_create(pk=1, defaults={"started_at": datetime(1970, 1, 1, tzinfo=UTC)})
    slot = (now - timedelta(minutes=MINUTE)).replace(minute=MINUTE, second=0, microsecond=0)
    if row.started_at >= slot:
        return False
    if not LedgerRun.objects.filter(pk=1, started_at=row.started_at).update(started_at=now):
        return False
    run(now=now, seen=row.finished_at)
    LedgerRun.objects.filter(pk=1, started_at=now).update(finished_at=now)
    for follower in _followers:
        try:
            follower(now)
        except Exception:  # one must not keep the others from their work; the log tells
            log.exception("%s failed after the ledger's run", follower.__qualname__)
    return True


def run(*, now: datetime, seen: datetime | None = None) -> int:
    """Count the time up to `now` for every instance; how many entries were written. Running it again adds nothing.

    What was never counted begins with the day of `seen`, the last run that saw everything, or today.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    begin = max(midnight((seen or now).astimezone(UTC).date()), now - LONGEST_GAP)
    ids = list(_candidates(now).order_by("pk").values_list("pk", flat=True))
    tables: Tables = {}
    written = 0
    for start in range(0, len(ids), BATCH):
        written += _batch(ids[start : start + BATCH], begin, now, tables)
    close_weeks(today=now.date())
    return written


def _candidates(now: datetime) -> InstanceQuerySet:
    """All instances but those that have been gone for longer than anybody would count."""
    return Instance.objects.filter(~Q(status=Status.DESTROYED) | Q(updated_at__gte=now - LONGEST_GAP))


@transaction.atomic
def _batch(ids: list[str], begin: datetime, now: datetime, tables: Tables) -> int:
    starts = _starts(ids, now)
    earliest = min([*(at for at, _ in starts.values()), begin])
    known = machines.read(Instance.objects.filter(pk__in=ids), now=now, turns_since=earliest)
    recent = CostEntry.objects.filter(instance_id__in=ids, day__gte=earliest.date()).select_for_update()
    entries = {(entry.instance_id, entry.day): entry for entry in recent}
    changed: Entries = {}
    subjects = Subject.keys_of({one.digest: one.facts for one in known})
    for one in known:
        since, status = starts.get(one.id) or (max(one.created_at.replace(microsecond=0), begin), None)
        for count in _counted(one, since, status, now, entries, tables):
            entry = entries.get((one.id, count.day)) or CostEntry(instance_id=one.id, day=count.day)
            if entry.pk is None or count.day == now.date():
                entry.subject_id = subjects[one.digest]
            _fill(entry, count)
            changed[one.id, count.day] = entry
    _save(list(changed.values()))
    sum_up({day for _, day in changed})
    return len(changed)


def _starts(ids: list[str], now: datetime) -> dict[str, tuple[datetime, str]]:
    """Until when each instance is counted, and what its status was then. Bills do not count."""
    estimates = CostEntry.objects.filter(instance_id__in=ids).exclude(source=Source.ACTUAL)
    found: dict[str, tuple[datetime, str]] = {}
    yesterday = now.date() - timedelta(days=1)
    for id, at, status in (
        estimates.filter(day__gte=yesterday).order_by("day").values_list("instance_id", "counted_until", "status")
    ):
        found[id] = (at, status)
    if missing := [id for id in ids if id not in found]:
        horizon = now - LONGEST_GAP
        older = estimates.filter(instance_id__in=missing, day__gte=horizon.date()).values("instance_id")
        newest = {row["instance_id"]: row["newest"] for row in older.annotate(newest=Max("day"))}
        rows = estimates.filter(instance_id__in=newest, day__in=set(newest.values()))
        for id, day, at, status in rows.values_list("instance_id", "day", "counted_until", "status"):
            if newest[id] == day:
                found[id] = (max(at, horizon), status)
    return found


def _counted(
    one: Known, since: datetime, status: str | None, now: datetime, entries: Entries, tables: Tables
) -> list[DayCount]:
    """The days on which something was added to what is counted of an instance."""
    found: dict[date, DayCount] = {}
    for day, start, end, state in stretches(one.turns, since=since, until=now, known=status, current=one.status):
        if day not in tables:
            tables[day] = tables_on(day)
        table = tables[day].get(one.provider)
        entry = entries.get((one.id, day))
        if table is None or not table.priced or (entry and entry.source != Source.ESTIMATED):
            continue
        if day not in found:
            found[day] = _count_of(entry) if entry else DayCount(day, start, state)
        found[day].add(start, end, state, rate_of(one.machine, table), one.machine.region)
    return [count for count in found.values() if count.billed]


def _count_of(entry: CostEntry) -> DayCount:
    basis = entry.basis
    return DayCount(
        day=entry.day,
        counted_until=entry.counted_until,
        status=entry.status,
        spans=[dict(span) for span in basis["spans"]],
        network=basis["network"],
        disk_gb=basis["disk_gb"],
        egress_gb=basis["egress_gb"],
    )


def _fill(entry: CostEntry, count: DayCount) -> None:
    entry.counted_until, entry.status, entry.basis = count.counted_until, count.status, count.basis
    entry.compute_micros, entry.storage_micros = count.compute_micros, count.storage_micros
    entry.network_micros = count.network_micros
    entry.total_micros = entry.compute_micros + entry.storage_micros + entry.network_micros + entry.llm_micros
    entry.estimated_micros = entry.total_micros


def _save(entries: list[CostEntry]) -> None:
    for entry in entries:
        entry.pk = None  # a row that is there is found by its instance and day
    fields = ("subject_id", "counted_until", "status", "basis", "estimated_micros")
    amounts = ("compute_micros", "storage_micros", "network_micros", "total_micros")
    CostEntry.objects.bulk_create(
        entries,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["instance_id", "day"],
        update_fields=[*fields, *amounts],
    )


def prune(*, now: datetime) -> int:
    """Drop entries older than the ledger is kept, with their sums and the subjects that nothing refers to any more."""
    oldest = (now - timedelta(days=settings.KEEP_DAYS["costs"])).date()
    DayTotal.objects.filter(day__lt=oldest).delete()
    ClosedWeek.objects.filter(week__lte=week_of(oldest)).delete()
    WeekTotal.objects.filter(week__lte=week_of(oldest)).delete()
    total = 0
    while keys := list(CostEntry.objects.filter(day__lt=oldest).values_list("pk", flat=True)[:5000]):
        total += CostEntry.objects.filter(pk__in=keys).delete()[0]
    if total:
        Subject.objects.filter(entries=None).delete()
    return total
