"""Due monitors become queued runs, many at once (contract: monitors §4).

Thousands of schedules share the first second of a minute, so everything here is done for a batch: one lock, one look
for active runs, one insert. Which of two dispatchers gets a fire is decided by the lock on the monitor's row and by
its `next_run_at`, which moves on in the same transaction; the database's constraints hold it once more.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from config import live
from monitors.monitors.cron import fires, next_fire
from monitors.monitors.models import Monitor, Script
from monitors.runs import services
from monitors.runs.models import ACTIVE, Run, Trigger

log = logging.getLogger(__name__)
LATEST = timedelta(seconds=60)  # an older fire time is not made up
AHEAD = timedelta(seconds=1)
BATCH = 500
LONGEST_S = 5.0  # after which the next tick goes on

Next = Callable[[Monitor], datetime | None]


def claim_due(*, now: datetime) -> int:
    """Queue a run for each due monitor, the most overdue first; how many runs there are.

    Claim and run are one transaction, so a dispatcher that dies leaves either both or none. Workers are woken when
    all are queued: they would only be in the way before.
    """
    began, made = time.monotonic(), list[Run]()
    upcoming = _upcoming(now)

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    try:
        while time.monotonic() - began < LONGEST_S:
            keys = list(Monitor.objects.due(now).values_list("pk", flat=True)[:BATCH])
            if not keys:
                break
            with transaction.atomic():
                made += _claim(keys, now=now, clock=clock, upcoming=upcoming)
    finally:
        if made:
            transaction.on_commit(lambda: services.announce_queued(made))
    return len(made)


def soon(*, now: datetime) -> float:
    """Seconds until a monitor is due, if that is within the next one; 0 when there is nothing to wait for."""
    first = Monitor.objects.due(now + AHEAD).values_list("next_run_at", flat=True).first()
    return max(0.0, (first - now).total_seconds()) if first else 0.0


def _upcoming(now: datetime) -> Next:
    """The next fire time of a monitor; each schedule is worked out once."""
    known: dict[tuple[str, str], datetime | None] = {}

    def after(monitor: Monitor) -> datetime | None:
        key = (monitor.schedule, monitor.time_zone)
        if key not in known:
            known[key] = next_fire(*key, now)
        return known[key]

    return after


def _claim(keys: list[UUID], *, now: datetime, clock: Callable[[], datetime], upcoming: Next) -> list[Run]:
    """Move the monitors to their next fire times and queue what is to be made. Needs a transaction."""
    # In one order for all, so that two dispatchers wait for each other and never lock up. Who waited sees here that
    # the fire is gone.
    mine = list(Monitor.objects.due(now).filter(pk__in=keys).select_for_update().order_by("pk"))
    _move_on(mine, upcoming)
    due = _to_make((monitor for monitor in mine if upcoming(monitor)), now)
    busy = set(Run.objects.filter(monitor__in=mine, status__in=ACTIVE).values_list("monitor_id", flat=True))
    _skip((monitor, fire) for monitor, fire in due if monitor.pk in busy)
    free = [(monitor, fire) for monitor, fire in due if monitor.pk not in busy]
    scripts, queued_at = _scripts([monitor for monitor, _ in free]), clock()
    drafts = [
        services.draft(
            monitor=monitor,
            script_id=scripts.get(monitor.pk),
            trigger=Trigger.SCHEDULE,
            now=queued_at,
            scheduled_at=fire,
        )
        for monitor, fire in free
    ]
    runs = _insert(drafts)
    made = {run.monitor_id for run in runs}
    _skip((monitor, fire) for monitor, fire in free if monitor.pk not in made)
    return runs


def _move_on(monitors: list[Monitor], upcoming: Next) -> None:
    groups = defaultdict(list)
    for monitor in monitors:
        groups[upcoming(monitor)].append(monitor.pk)
    for moment, keys in groups.items():
        change = {"next_run_at": moment} if moment else {"next_run_at": None, "enabled": False}  # its last date is over
        Monitor.objects.filter(pk__in=keys).update(**change)


def _insert(drafts: list[Run]) -> list[Run]:
    """Insert all at once; when a run by hand came between, one by one, and leave out what collides."""
    try:
        with transaction.atomic():
            return Run.objects.bulk_create(drafts)
    except IntegrityError:
        made = []
        for draft in drafts:
            try:
                with transaction.atomic():
                    draft.save(force_insert=True)
                made.append(draft)
            except IntegrityError:
                continue
        return made


def _skip(fires: Iterable[tuple[Monitor, datetime]]) -> None:
    """Count fires that found a run still active."""
    found = list(fires)
    if not found:
        return
    Monitor.objects.filter(pk__in=[monitor.pk for monitor, _ in found]).update(skipped_runs=F("skipped_runs") + 1)
    for monitor, fire in found:
        log.info("monitor %s: the run of %s is skipped, one is active", monitor.pk, fire.isoformat())
    events = [("monitors", {"kind": "skipped", "monitorId": str(monitor.pk)}) for monitor, _ in found]
    transaction.on_commit(lambda: live.publish_all(events))


def _scripts(monitors: list[Monitor]) -> dict[UUID, int]:
    """The newest script of each monitor that has one."""
    keys = [monitor.pk for monitor in monitors if monitor.script_version]
    newest = Script.objects.filter(monitor__in=keys, version=F("monitor__script_version"))
    return dict(newest.values_list("monitor_id", "pk")) if keys else {}


def _to_make(monitors: Iterable[Monitor], now: datetime) -> list[tuple[Monitor, datetime]]:
    """Each monitor with the fire time that becomes a run; ones whose fire times are all too old are left out."""
    found = [(monitor, _fire_to_make(monitor, now)) for monitor in monitors]
    for monitor, fire in found:
        if fire is None:
            log.warning("monitor %s: fire times since %s were missed", monitor.pk, monitor.next_run_at)
    return [(monitor, fire) for monitor, fire in found if fire is not None]


def _fire_to_make(monitor: Monitor, now: datetime) -> datetime | None:
    """The newest fire time that has come; None when even that is too old."""
    assert monitor.next_run_at is not None  # noqa: S101 - due rows have one
    if now - monitor.next_run_at <= LATEST:
        return monitor.next_run_at
    newest = None
    for moment in fires(monitor.schedule, monitor.time_zone, now - LATEST - timedelta(seconds=1)):
        if moment > now:
            break
        newest = moment
    return newest
