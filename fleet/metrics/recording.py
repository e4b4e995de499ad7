"""The transaction that stores beats: samples, marks for the roll-up, and what the instances' rows tell."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from config import live, timeseries
from config.api.fields import milliseconds
from fleet.instances.changes import announce, note
from fleet.instances.models import Event, Instance, Status
from fleet.metrics.models import EXTRA, SAMPLES, Rollup, TouchedBucket
from fleet.metrics.rollup import floor
from fleet.metrics.samples import Beat, Sample

RECOVERABLE = (Status.ERROR, Status.UNKNOWN, Status.STOPPED)
EVERYONE_S = 900  # buckets that began less than this ago are rolled up for all instances at once
INSTANCES = timeseries.Table(
    "fleet_instance",
    {"id": "text", "last_seen_at": "time", "uptime_s": "bigint", "last_sample": "json"},
    key=("id",),
)
# What of the machine a figure is about: cpu, load, mem, swap, disk, net.
PARTS = {name: name.partition("_")[0].rstrip("0123456789") for name in (*Sample.__struct_fields__, "net_at", "at")}
_decode = msgspec.json.Decoder(dict[str, Any] | None).decode
FIGURES = [name for name in SAMPLES.columns if name not in ("instance_id", "ts", "extra")]


class Known(NamedTuple):
    """What the instance's row says before this commit; `unwatched` is one whose silence nobody would notice."""

    id: str
    team_id: str | None
    status: str
    uptime_s: int | None
    last_sample_json: str | None
    unwatched: bool


def record(beats: list[Beat], *, now: datetime | None = None) -> None:
    """Store beats that were checked; all or nothing. Those of unknown instances are dropped."""
    now = now or timezone.now()
    by_instance: dict[str, list[Beat]] = defaultdict(list)
    for beat in beats:
        by_instance[beat.instance_id].append(beat)
    told_at = milliseconds(now)
    with transaction.atomic():
        rows: dict[tuple[str, datetime], tuple] = {}
        updates, events, lost = [], [], []
        for known in _locked(list(by_instance)):
            own = sorted(by_instance[known.id], key=lambda beat: beat.at)
            before = _decode(known.last_sample_json) if known.last_sample_json else None
            latest = _sampled(own, before, rows)
            uptime = next((beat.uptime_s for beat in reversed(own) if beat.uptime_s is not None), known.uptime_s)
            updates.append((known.id, now, uptime, latest))
            events.append(_event(known, told_at, uptime, latest, measured=latest is not before))
            if known.status in RECOVERABLE or (known.status == Status.RUNNING and known.unwatched):
                lost.append(known)
        timeseries.insert(SAMPLES, list(rows.values()))
        _touch(rows, now)
        timeseries.update(INSTANCES, updates)
        _watch(lost, now)
        transaction.on_commit(lambda: _publish(events))


def _locked(ids: list[str]) -> list[Known]:
    """The instances' rows, locked in one order so that two writers never wait for each other in a circle."""
    rows = Instance.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    rows = rows.annotate(last_sample_json=Cast("last_sample", TextField()), unwatched=Q(offline_after__isnull=True))
    return [Known(*row) for row in rows.values_list(*Known._fields)]


def _sampled(own: list[Beat], before: dict[str, Any] | None, rows: dict) -> dict[str, Any] | None:
    """Add a row for each sample of one instance, oldest first; the newest figures of the instance afterwards."""
    if before is not None and "at" not in before:  # not of our making
        before = None
    latest, counters = before, _counters(before)
    latest_at = datetime.fromisoformat(before["at"]) if before else None
    for beat in own:
        if beat.sample is None or (beat.instance_id, beat.at) in rows:
            continue
        sample = beat.sample
        if counters and counters[0] < beat.at:
            sample.net_rx_bps = _rate(counters[1], sample.net_rx, beat.at - counters[0])
            sample.net_tx_bps = _rate(counters[2], sample.net_tx, beat.at - counters[0])
        if sample.net_rx is not None or sample.net_tx is not None:
            counters = (beat.at, sample.net_rx, sample.net_tx)
        rows[beat.instance_id, beat.at] = _row(beat.instance_id, beat.at, sample)
        if latest_at is None or latest_at <= beat.at:
            is_fresh = latest_at is not None and beat.at - latest_at <= timedelta(seconds=settings.OFFLINE_AFTER_S)
            latest, latest_at = _newest(latest if is_fresh else None, beat.at, sample), beat.at
    return latest


def _row(instance_id: str, at: datetime, sample: Sample) -> tuple:
    extra = {name: value for name in EXTRA if (value := getattr(sample, name)) is not None}
    return (instance_id, at, *[getattr(sample, name) for name in FIGURES], extra or None)


def _newest(before: dict[str, Any] | None, at: datetime, sample: Sample) -> dict[str, Any]:
    """The figures with their moment; what this sample lacks is taken over from the one before."""
    figures = msgspec.to_builtins(sample)
    figures["at"] = milliseconds(at)
    if sample.net_rx is not None or sample.net_tx is not None:
        figures["net_at"] = figures["at"]
    if before is None or before.keys() <= figures.keys():
        return figures
    measured = {PARTS[name] for name in figures}
    return {name: value for name, value in before.items() if PARTS.get(name) not in measured} | figures


def _counters(before: dict[str, Any] | None) -> tuple[datetime, int | None, int | None] | None:
    if before is None or "net_at" not in before:
        return None
    return datetime.fromisoformat(before["net_at"]), before.get("net_rx"), before.get("net_tx")


def _rate(before: int | None, after: int | None, passed: timedelta) -> float | None:
    """Bytes per second; None when a figure is missing or the counter began anew."""
    if before is None or after is None or after < before:
        return None
    return (after - before) / passed.total_seconds()


def _touch(rows: dict[tuple[str, datetime], tuple], now: datetime) -> None:
    """Mark the buckets that the next roll-up must count again."""
    recent = floor(now, Rollup.Resolution.FIVE_MINUTES) - timedelta(seconds=EVERYONE_S)
    marks = set()
    for instance_id, at in rows:
        minute = at.replace(second=0, microsecond=0)
        marks.add(("" if minute >= recent else instance_id, minute))
    marks = {(one, floor(minute, Rollup.Resolution.FIVE_MINUTES)) for one, minute in marks}
    TouchedBucket.objects.bulk_create(TouchedBucket(instance_id=one, bucket_at=at) for one, at in marks)


def _watch(lost: list[Known], now: datetime) -> None:
    """Instances that report again run, unless somebody else has their name now; silence is looked for from now on."""
    if not lost:
        return
    deadline = now + timedelta(seconds=settings.OFFLINE_AFTER_S)
    Instance.objects.filter(pk__in=[one.id for one in lost], status=Status.RUNNING).update(offline_after=deadline)
    for one in lost:
        if one.status == Status.RUNNING:
            continue
        try:
            with transaction.atomic():
                moved = Instance.objects.filter(pk=one.id, status=one.status)
                if not moved.update(status=Status.RUNNING, offline_after=deadline, updated_at=now):
                    continue
        except IntegrityError:  # an active instance has the name
            continue
        instance = Instance.objects.get(pk=one.id)
        note(instance, Event.Type.HEARTBEAT_RECOVERED, now=now, previous_status=one.status)
        announce(instance)


def _event(
    known: Known, at: str | None, uptime: int | None, sample: dict[str, Any] | None, *, measured: bool
) -> dict[str, Any]:
    """A beat with the newest figures; `measured` tells whether they came with it."""
    return {
        "kind": "heartbeat",
        "instanceId": known.id,
        "teamId": known.team_id,
        "at": at,
        "uptimeS": uptime,
        "sample": sample,
        "measured": measured,
    }


def _publish(events: list[dict[str, Any]]) -> None:
    live.publish_all(
        [(f"instance:{event['instanceId']}", event) for event in events]
        + [("fleet", {"kind": "heartbeats", "beats": events})]
    )
