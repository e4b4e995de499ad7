"""Machines in the states that pages tell apart."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from fleet.instances.models import Instance, Status

FIGURES = {"cpu_pct": 42.0, "mem_pct": 50.0, "disk_pct": 93.0, "mem_used": 2**32, "mem_total": 2**33}


def reporting(name: str, *, seen: datetime | None = None, **fields: Any) -> Instance:
    """A machine that reported just now, with figures; `cpu=` for its CPU."""
    figures = FIGURES | {"cpu_pct": fields.pop("cpu", FIGURES["cpu_pct"])}
    fields = {"provider": "ssh", "status": Status.RUNNING, "agent_version": "0.1.0", "uptime_s": 60} | fields
    return Instance.objects.create(name=name, last_seen_at=seen or timezone.now(), last_sample=figures, **fields)


def silent(name: str, minutes: int = 6, **fields: Any) -> Instance:
    """A machine that stopped reporting, and that the tick has noticed."""
    seen = timezone.now() - timedelta(minutes=minutes, seconds=1)
    return reporting(name, seen=seen, status=Status.ERROR, **fields)


def awaited(name: str, **fields: Any) -> Instance:
    """Enrolled, and its agent has not come yet."""
    return Instance.objects.create(name=name, provider="ssh", status=Status.UNKNOWN, **fields)
