"""How long samples and roll-ups are kept, and the room for new ones (contract: fleet console §34.2)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from config import timeseries
from config.timeseries import Kept
from fleet.metrics.models import ROLLUPS, SAMPLES, Rollup

AHEAD = timedelta(days=3)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
Resolution = Rollup.Resolution


def kept_for() -> dict[int, timedelta]:
    """How long rows are kept, by resolution in minutes; 0 stands for samples.

    Roll-ups outlive the samples they are made of, since a late sample has its hour and day computed again.
    """
    days = settings.KEEP_DAYS
    samples = timedelta(days=days["samples"])
    hourly = max(timedelta(days=days["hourly"]), samples + timedelta(days=2))
    daily = max(timedelta(days=days["daily"]), hourly)
    return {
        0: samples,
        Resolution.FIVE_MINUTES: hourly,
        Resolution.HOUR: hourly,
        Resolution.DAY: daily,
    }


def ensure_partitions(*, now: datetime | None = None) -> list[Kept]:
    """Room for samples and roll-ups from the oldest that is taken in until three days ahead. Drops nothing."""
    return _keep(now or timezone.now(), dropping=False)


def drop_old(*, now: datetime | None = None) -> list[Kept]:
    """Drop what is older than it is kept, and make room for what comes."""
    return _keep(now or timezone.now(), dropping=True)


def strays() -> int:
    """Rows outside of all partitions; the doctor complains about any."""
    return timeseries.strays(SAMPLES) + timeseries.strays(ROLLUPS)


def _keep(now: datetime, *, dropping: bool) -> list[Kept]:
    spans = kept_for()
    done = []
    for resolution, span in spans.items():
        table, part = (ROLLUPS, int(resolution)) if resolution else (SAMPLES, None)
        # An hour more, so that the oldest sample that is taken in finds its whole 5 minutes.
        drop = now - span - timedelta(hours=1) if dropping else NEVER
        done.append(timeseries.keep(table, since=now - spans[0], until=now + AHEAD, drop=drop, part=part))
    return done
