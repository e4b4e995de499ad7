"""What an agent says about its machine at one moment, and the rules that such a report must keep."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
from django.conf import settings

from config.api.errors import Invalid

CLOCK_TOLERANCE = timedelta(minutes=10)
MAX_SIZE = 2**63 - 1
MAX_NUMBER = 1e15  # far above any load or rate, far below where a 4-byte float ends
PERCENTAGES = ("cpu_pct", "cpu_steal_pct")
NUMBERS = ("load1", "load5", "load15", "disk_read_bps", "disk_write_bps")


class Sample(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The figures of one machine at one moment; what was not measured is None.

    `_pct` is percent (0 to 100), `_bps` bytes per second; memory, swap and disk are bytes; `net_rx` and `net_tx` are
    bytes received and sent since the machine or its agent started. The last four fields are filled in when the
    sample is stored.
    """

    cpu_pct: float | None = None
    cpu_steal_pct: float | None = None
    core_count: int | None = None
    load1: float | None = None
    load5: float | None = None
    load15: float | None = None
    mem_used: int | None = None
    mem_total: int | None = None
    mem_cached: int | None = None
    swap_used: int | None = None
    swap_total: int | None = None
    disk_used: int | None = None
    disk_total: int | None = None
    disk_read_bps: float | None = None
    disk_write_bps: float | None = None
    net_rx: int | None = None
    net_tx: int | None = None
    net_rx_packets: int | None = None
    net_tx_packets: int | None = None
    process_count: int | None = None

    mem_pct: float | None = None
    disk_pct: float | None = None
    net_rx_bps: float | None = None
    net_tx_bps: float | None = None


SIZES = tuple(name for name, kind in Sample.__annotations__.items() if kind == int | None)


class Beat(msgspec.Struct, kw_only=True):
    """One sign of life of an instance.

    `instance_id` is our own id of the instance, `at` the agent's time (aware). Without a `sample` it is a bare
    heartbeat. `replayed` marks a sample that the agent kept while it could not reach us.
    """

    instance_id: str
    at: datetime
    sample: Sample | None = None
    uptime_s: int | None = None
    replayed: bool = False


def checked(beat: Beat, *, now: datetime) -> Beat:
    """The beat with its time made ours and the shares of memory and disk worked out. Raises Invalid.

    The time is cut to milliseconds and clamped to `now` ± 10 minutes; a replayed one may be as old as raw samples
    are kept, and is refused beyond that.
    """
    if beat.at.tzinfo is None:
        raise _invalid("timestamp", "timestamp needs a time zone")
    if beat.uptime_s is not None and not 0 <= beat.uptime_s <= MAX_SIZE:
        raise _invalid("uptime", "uptime must not be negative")
    oldest = now - CLOCK_TOLERANCE
    if beat.replayed:
        oldest = now - timedelta(days=settings.KEEP_DAYS["samples"])
        if beat.at < oldest:
            raise _invalid("timestamp", f"timestamp is older than {settings.KEEP_DAYS['samples']} days")
    at = min(max(beat.at, oldest), now + CLOCK_TOLERANCE).astimezone(UTC)
    beat.at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    if beat.sample is not None:
        _check(beat.sample)
        beat.sample.mem_pct = _share(beat.sample.mem_used, beat.sample.mem_total)
        beat.sample.disk_pct = _share(beat.sample.disk_used, beat.sample.disk_total)
    return beat


def _check(sample: Sample) -> None:
    for name in SIZES:
        value = getattr(sample, name)
        if value is not None and not 0 <= value <= MAX_SIZE:
            raise _invalid(name, f"{name} must be from 0 to {MAX_SIZE}")
    for names, highest in ((PERCENTAGES, 100), (NUMBERS, MAX_NUMBER)):
        for name in names:
            value = getattr(sample, name)
            if value is not None and not (math.isfinite(value) and 0 <= value <= highest):
                raise _invalid(name, f"{name} must be from 0 to {highest:g}")


def _share(used: int | None, total: int | None) -> float | None:
    """Percent used; None when it cannot be known."""
    if used is None or not total:
        return None
    return min(100.0, 100.0 * used / total)


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
