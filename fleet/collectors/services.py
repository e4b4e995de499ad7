"""Taking in what collectors send."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import groupby

from config.api.errors import TooLarge
from config.timeseries.writer import Writer
from fleet.agents.budget import budget
from fleet.collectors.curves import EPOCH, Curve, Rules
from fleet.collectors.hosts.names import RULES
from fleet.collectors.refusals import Refused
from fleet.collectors.series import upkeep
from fleet.collectors.series.known import known
from fleet.collectors.series.recording import Row, record
from fleet.logs import services as logs
from fleet.logs.entries import Entry

MOST_VALUES = 100_000  # in one request, the parts of histograms counted
MOST_LINES = 20_000
POINT_BYTES = 16
MILLISECOND = timedelta(milliseconds=1)

writer: Writer[Row] = Writer("points", record, prepare=upkeep.ensure_partitions, capacity_rows=4 * MOST_VALUES)


def store_curves(curves: Iterable[Curve], refused: Refused, *, now: datetime) -> "Future[None]":
    """Hand points to the writer; the future is done when they are committed.

    What cannot be stored goes to `refused`. Raises TooLarge, TooMany, and Unavailable when too much waits.
    """
    rows: list[Row] = []
    checked = sorted(Rules(now).checked(_bounded(curves), refused), key=lambda curve: curve.instance_id)
    for instance_id, group in groupby(checked, key=lambda curve: curve.instance_id):
        own = list(group)
        budget.take(instance_id, POINT_BYTES * sum(len(curve.points) for curve in own))
        for curve, series_id in zip(own, known.ids(instance_id, own, refused, now=now), strict=True):
            if series_id is not None:
                host = instance_id if curve.name in RULES else None
                rows += [Row(series_id, EPOCH + at * MILLISECOND, value, host) for at, value in curve.points]
    return writer.submit(rows) if rows else _done()


def store_entries(entries: list[Entry]) -> "Future[None]":
    """Hand log lines to their writer; all of them in one commit. Raises TooLarge, TooMany, Unavailable."""
    if len(entries) > MOST_LINES:
        raise TooLarge(f"More than {MOST_LINES} log records at once")
    sizes: Counter[str] = Counter()
    for one in entries:
        sizes[one.instance_id] += len(one.message)
    for instance_id, size in sizes.items():
        budget.take(instance_id, size)
    return logs.submit(entries) if entries else _done()


def _bounded(curves: Iterable[Curve]) -> list[Curve]:
    taken, points = [], 0
    for curve in curves:
        taken.append(curve)
        points += len(curve.points)
        if points > MOST_VALUES:
            raise TooLarge(f"More than {MOST_VALUES} values at once")
    return taken


def _done() -> "Future[None]":
    done: Future[None] = Future()
    done.set_result(None)
    return done


def flush(timeout_s: float = 5.0) -> bool:
    """Write out what waits; False when it could not be done in time."""
    return writer.flush(timeout_s)
