"""Demo machines: their records, a day of what they reported, and what they go on reporting."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from alerts.demo import figures, lines
from alerts.demo.names import SILENT, SUSPENDED, Machine, Names, key
from config import live
from config.version import VERSION
from fleet.instances.models import Event, Instance, Inventory, Status
from fleet.instances.places import place_of
from fleet.logs import services as logs
from fleet.metrics import services as metrics
from fleet.metrics.services import Beat

DAY, RECENT = timedelta(days=1), timedelta(minutes=65)
SILENT_FOR, SUSPENDED_FOR = timedelta(minutes=25), timedelta(hours=3)
COARSE, FINE = timedelta(minutes=2), timedelta(seconds=10)  # as dense as what comes later, in the chart of an hour
LINES_EVERY = 4  # a machine writes a line each so many moves
Type = Event.Type


def make(names: Names, now: datetime) -> None:
    """The records, with what happened to them."""
    for machine in names.machines:
        _record(names.seed, machine, now)
        _inside(names.seed, machine, now)
    live.publish("fleet", {"kind": "demo"})


def make_history(names: Names, now: datetime) -> None:
    """A day of figures and lines of each machine, and how each of them stands after it."""
    hot_since = now - timedelta(seconds=figures.HOT_FOR_S)
    for machine in names.machines:
        until = now - SILENT_FOR if machine.name == SILENT else now
        beats = [
            Beat(
                instance_id=machine.id,
                at=at,
                sample=figures.sample(names.seed, machine, at, hot_since=hot_since),
                uptime_s=_uptime_s(machine, at),
                replayed=True,
            )
            for at in _moments(now - DAY, until, now)
        ]
        metrics.accept(beats, now=now).result(timeout=60)
        logs.writer.submit(lines.history(names.seed, machine, now - DAY, until)).result(timeout=60)
    by_name = {one.name: one.id for one in names.machines}
    Instance.objects.filter(pk=by_name[SILENT]).update(status=Status.ERROR, last_seen_at=now - SILENT_FOR)
    metrics.roll_up()


def _record(seed: int, machine: Machine, now: datetime) -> None:
    taken = Instance.objects.active().filter(name=machine.name).exclude(pk=machine.id).exists()
    instance, _ = Instance.objects.update_or_create(
        pk=machine.id,
        defaults={
            "name": f"{machine.name}-{machine.id[-4:]}" if taken else machine.name,
            "provider": machine.provider,
            "region": machine.region,
            "distro": "ubuntu",
            "extensions": ["nodejs", "docker"] if machine.role != "db" else ["postgresql"],
            "tags": {"role": machine.role, "place": machine.place, "demo": "yes"},
            "status": Status.SUSPENDED if machine.name == SUSPENDED else Status.RUNNING,
            "agent_version": VERSION,
            "os": "linux",
            "arch": "x86_64" if machine.order % 3 else "arm64",
            "uptime_s": _uptime_s(machine, now),
            "offline_after": now + timedelta(hours=1),  # until the first move has been made
        },
    )
    place = place_of(instance, None)
    Instance.objects.filter(pk=machine.id).update(created_at=now - timedelta(days=9), **place)
    told: list[tuple[str, datetime, dict[str, Any]]] = [
        (Type.DEPLOY, now - timedelta(days=9), {"triggered_by": "api", "provider": machine.provider})
    ]
    if machine.name == SUSPENDED:
        told.append((Type.SUSPEND, now - SUSPENDED_FOR, {"by": "demo"}))
    if machine.name == SILENT:
        told.append((Type.HEARTBEAT_LOST, now - SILENT_FOR, {"silent_s": settings.OFFLINE_AFTER_S}))
    if machine.order % 5 == 2:
        lost = now - timedelta(hours=4 + machine.order % 7, minutes=7 * machine.order % 60)
        told.append((Type.HEARTBEAT_LOST, lost, {"silent_s": settings.OFFLINE_AFTER_S}))
        told.append((Type.HEARTBEAT_RECOVERED, lost + timedelta(minutes=4), {"previous_status": Status.ERROR}))
    Event.objects.bulk_create(
        (
            Event(pk=key(seed, "event", machine.name, n), instance=instance, type=type, timestamp=at, metadata=facts)
            for n, (type, at, facts) in enumerate(told)
        ),
        ignore_conflicts=True,
    )


def _moments(since: datetime, until: datetime, now: datetime) -> list[datetime]:
    found, at = [], since
    while at < until:
        found.append(at)
        at += FINE if at >= now - RECENT else COARSE
    return found


def _uptime_s(machine: Machine, at: datetime) -> int:
    return int(at.timestamp()) % (40 * 86_400) + 86_400 + 3_600 * machine.order


def _inside(seed: int, machine: Machine, now: datetime) -> None:
    busy = figures.sample(seed, machine, now, hot_since=now - timedelta(seconds=figures.HOT_FOR_S))
    states = ("healthy", "healthy") if machine.order % 6 else ("degraded", "healthy")
    names = ("nodejs", "docker") if machine.role != "db" else ("postgresql",)
    versions = {"nodejs": "22.11.0", "docker": "27.3.1", "postgresql": "16.4"}
    since = (now - DAY).isoformat()
    Inventory.objects.update_or_create(
        pk=machine.id,
        defaults={
            "processes": figures.processes(machine, busy),
            "processes_at": now,
            "extensions": [
                {"name": name, "status": state, "version": versions[name], "since": since}
                for name, state in zip(names, states, strict=False)
            ],
            "extensions_at": now,
        },
    )


def move(names: Names, now: datetime, *, hot_since: datetime) -> None:
    """One more report of each machine that reports, and a few lines."""
    alive = [one for one in names.machines if one.name != SILENT]
    there = set(Instance.objects.filter(pk__in=[one.id for one in alive]).values_list("pk", flat=True))
    alive = [one for one in alive if one.id in there]
    beats = [
        Beat(
            instance_id=one.id,
            at=now,
            sample=figures.sample(names.seed, one, now, hot_since=hot_since),
            uptime_s=_uptime_s(one, now),
        )
        for one in alive
    ]
    if not beats:
        return
    metrics.accept(beats, now=now).result(timeout=20)
    turn = int(now.timestamp()) // 10 % LINES_EVERY
    told = [lines.line(names.seed, one, now) for one in alive if one.order % LINES_EVERY == turn]
    logs.writer.submit(told).result(timeout=20)
    one = alive[int(now.timestamp()) // 10 % len(alive)]
    _inside(names.seed, one, now)
