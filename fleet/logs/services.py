"""Taking log lines in (contract: fleet console §8)."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime

from django.utils import timezone

from config.api.authentication import Principal
from config.timeseries.writer import Writer
from fleet.instances.models import Instance
from fleet.logs import recording, upkeep
from fleet.logs.entries import Entry, Given, UnknownInstances, made

writer: Writer[Entry] = Writer("log lines", recording.record, prepare=upkeep.ensure_partitions)


def ingest(
    given: Sequence[Given], *, principal: Principal | None, now: datetime | None = None
) -> "tuple[list[Entry], Future[None]]":
    """Take lines of instances that the caller sees, all or none; the future is done when they are committed.

    Raises UnknownInstances, Invalid, and Unavailable when too much waits.
    """
    now = now or timezone.now()
    wanted = {one.instance_id for one in given}
    visible = set(Instance.objects.visible_to(principal).filter(pk__in=wanted).values_list("pk", flat=True))
    if missing := sorted(wanted - visible):
        raise UnknownInstances(missing)
    entries = made(given, now=now)
    return entries, submit(entries)


def submit(entries: list[Entry]) -> "Future[None]":
    """Take lines whose instances the caller has looked up; the future is done when they are committed, all at once.

    Raises Unavailable when too much waits.
    """
    return writer.submit(entries)


def accept(entries: list[Entry]) -> None:
    """Take lines of an agent's socket, which carries no acknowledgement: they may wait up to a second for company."""
    writer.queue(entries)


def flush(timeout_s: float = 5.0) -> bool:
    """Write out what waits; False when it could not be done in time."""
    return writer.flush(timeout_s)
