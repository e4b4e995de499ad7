"""Makes samples of the figures that collectors sent of machines, so that charts, lists and rules know them.

Collectors cut what they read at one moment into several requests, over several connections. So the points are stored
as they come, and a moment is summed up from the rows once all of it has had time to arrive. What was not summed up when
a process died is found in the rows later.
"""

import logging
from concurrent.futures import Future, TimeoutError
from datetime import datetime, timedelta

from django.utils import timezone

from config.api.errors import Invalid, Unavailable
from config.timeseries import Query, rows_of
from fleet.collectors.hosts.names import Part, part_of
from fleet.collectors.hosts.sampling import Snapshot, sample_of, snapshot, uptime_of
from fleet.collectors.models import POINTS, HostFeed, Series
from fleet.metrics import services as metrics
from fleet.metrics.samples import CLOCK_TOLERANCE, Beat

log = logging.getLogger(__name__)
SETTLE = timedelta(seconds=6)  # Prometheus sends what it has left over after 5 s
ONE_MOMENT = timedelta(seconds=1)  # a collector reads CPU, memory and disks one after the other
FIRST_LOOK = timedelta(minutes=15)  # how far back a new machine is looked at
MOST_FEEDS = 500  # in one go
MOST_ROWS = 20_000  # of one machine in one go
COMMIT_WITHIN_S = 15.0


def derive(*, now: datetime | None = None) -> int:
    """Sum up what has settled; how many samples were made. Several processes may do this at the same time."""
    now = now or timezone.now()
    waiting = HostFeed.objects.filter(pending=True, arrived_at__lte=now - SETTLE).order_by("arrived_at", "pk")
    under_way = []
    for feed in waiting[:MOST_FEEDS]:
        mine = HostFeed.objects.filter(pk=feed.pk, pending=True, arrived_at=feed.arrived_at)
        if mine.update(pending=False):
            under_way.append((feed, *_begin(feed, now)))
    return sum(_finish(feed, last_at, beats, stored) for feed, last_at, beats, stored in under_way)


def _begin(feed: HostFeed, now: datetime) -> "tuple[datetime | None, int, Future[None] | None]":
    """Hand the samples of one machine to their writer: the moment of the last, how many, and when they are stored."""
    moments, left = _moments(feed, now)
    if left:
        HostFeed.objects.filter(pk=feed.pk).update(pending=True, arrived_at=now)
    before_at, before = feed.derived_at or now, Snapshot()
    if moments and moments[0][0] == feed.derived_at:
        before = moments.pop(0)[1]
    beats = []
    for at, after in moments:
        sample = sample_of(after, before, (at - before_at).total_seconds())
        uptime_s, replayed = uptime_of(after, at.timestamp()), now - at > CLOCK_TOLERANCE
        beats.append(Beat(instance_id=feed.instance_id, at=at, sample=sample, uptime_s=uptime_s, replayed=replayed))
        before_at, before = at, after
    if not beats:
        return None, 0, None
    try:
        return before_at, len(beats), metrics.accept(beats, now=now)
    except Invalid:
        log.warning("the figures of instance %s break a rule", feed.instance_id, exc_info=True)
        return before_at, 0, None


def _finish(feed: HostFeed, last_at: datetime | None, made: int, stored: "Future[None] | None") -> int:
    """Wait for the commit; what could not be stored waits for the next time."""
    try:
        if stored is not None:
            stored.result(COMMIT_WITHIN_S)
    except (Unavailable, TimeoutError):
        log.warning("samples of instance %s could not be stored, they are made again", feed.instance_id)
        HostFeed.objects.filter(pk=feed.pk).update(pending=True)
        return 0
    if last_at:
        HostFeed.objects.filter(pk=feed.pk).update(derived_at=last_at)
    return made


def _moments(feed: HostFeed, now: datetime) -> tuple[list[tuple[datetime, Snapshot]], bool]:
    """What the machine told since the last sample, by moment, the one of that sample first; whether more is to come.

    The newest moment is left for later while some of it may be on its way.
    """
    series = Series.objects.filter(instance_id=feed.instance_id, of_host=True)
    parts = {
        pk: part for pk, name, labels in series.values_list("pk", "name", "labels") if (part := part_of(name, labels))
    }
    if not parts:
        return [], False
    since = feed.derived_at or now - FIRST_LOOK
    marks = ", ".join(["%s"] * len(parts))
    query = Query(
        f"SELECT ts, series_id, value FROM {POINTS.name} WHERE series_id IN ({marks}) AND ts >= %s AND ts <= %s "  # noqa: S608
        f"ORDER BY ts LIMIT {MOST_ROWS}",
        [*parts, since, now + CLOCK_TOLERANCE],
    )
    groups: list[tuple[datetime, list[tuple[Part, float]]]] = []
    rows = rows_of(query, times=[0])
    for at, series_id, value in rows:
        if not groups or at - groups[-1][0] >= ONE_MOMENT:
            groups.append((at, []))
        groups[-1][1].append((parts[series_id], value))
    cut = len(rows) == MOST_ROWS and len(groups) > 1
    arriving = bool(groups) and timedelta() <= now - groups[-1][0] < SETTLE
    if cut or arriving:
        groups.pop()
    return [(at, snapshot(values)) for at, values in groups], cut or arriving
