"""Taking samples in, rolling them up, keeping their tables in order (contract: fleet console §6, §31.4, §34)."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime

from django.utils import timezone

from config.timeseries.writer import Writer
from fleet.metrics import recording
from fleet.metrics.rollup import roll_up
from fleet.metrics.samples import Beat, Sample, checked
from fleet.metrics.upkeep import drop_old, ensure_partitions

__all__ = [
    "Beat",
    "Sample",
    "accept",
    "checked",
    "drop_old",
    "ensure_partitions",
    "flush",
    "queue",
    "roll_up",
    "writer",
]

writer: Writer[Beat] = Writer("samples", recording.record, prepare=ensure_partitions)


def accept(beats: Sequence[Beat], *, now: datetime | None = None) -> "Future[None]":
    """Take heartbeats and samples in; callable from any thread. The future is done when they are committed.

    From async code: `await asyncio.wrap_future(accept([beat]))`. One writer thread a process commits what waits
    together.

    The commit stores the samples (one that is already there for the same instance and moment is left alone), renews
    `last_seen_at`, `uptime_s` and `last_sample` of the instances, and sets ERROR, UNKNOWN and STOPPED ones back to
    RUNNING with a HEARTBEAT_RECOVERED event. Other facts of a heartbeat (versions, distro, extensions) are the
    instances' own business. After it, live events go out: `{"kind": "heartbeat", "instanceId", "at", "uptimeS",
    "sample": {the newest figures}|None, "measured": whether they came with it}` on `instance:<id>`, and one
    `{"kind": "heartbeats", "beats": [those]}` a commit on `fleet`.

    Raises Invalid when a figure breaks a rule (none of the beats is taken then) and Unavailable when too much waits.
    The future fails with Unavailable when the database stays away. Beats of instances that no longer exist are dropped.
    """
    now = now or timezone.now()
    return writer.submit([checked(beat, now=now) for beat in beats])


def queue(beats: Sequence[Beat]) -> None:
    """Take in what was `checked` and carries no acknowledgement: it waits up to a second for company.

    Raises Unavailable when too much waits; none of the beats is taken then.
    """
    writer.queue(*([beat] for beat in beats))


def flush(timeout_s: float = 5.0) -> bool:
    """Write out what waits; False when it could not be done in time. Called by itself when the process ends."""
    return writer.flush(timeout_s)
