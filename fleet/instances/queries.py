"""Reads of instances and of what they report (contract: fleet console §3, §4, §7)."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from config.api.fields import milliseconds
from fleet.instances.models import Event, Instance, InstanceQuerySet, Inventory, Status

STALLED_AFTER = timedelta(minutes=15)
JSON_MARKS = set('[]{}",:\\')
PROCESS_FIELDS = ("pid", "name", "cpu_percent", "memory_bytes", "memory_percent", "status", "user")
MAX_PROCESSES = 10


def get_visible(*, instance_id: str, principal: Principal | None) -> Instance:
    """The instance with that id if the caller may see it. Raises Malformed for an impossible id, else NotFound."""
    if len(instance_id) > 128 or "\x00" in instance_id:
        raise Malformed("Invalid instance ID")
    instance = Instance.objects.visible_to(principal).filter(pk=instance_id).first()
    if instance is None:
        raise NotFound(f"Instance '{instance_id}' not found")
    return instance


def search(instances: InstanceQuerySet, words: str) -> InstanceQuerySet:
    """Those with the text in name, region, ssh endpoint or the name of an extension, in any case."""
    found = Q(name__icontains=words) | Q(region__icontains=words) | Q(ssh_endpoint__icontains=words) | Q(pk=words)
    if not JSON_MARKS & set(words):  # names never hold these; the list's own text does
        instances = instances.alias(extension_names=Cast("extensions", TextField()))
        found |= Q(extension_names__icontains=words)
    return instances.filter(found)


def heartbeat(instance: Instance) -> dict[str, Any] | None:
    """The newest sign of life with the newest figures; None before the first. What is not known is null."""
    if instance.last_seen_at is None:
        return None
    sample = instance.last_sample or {}
    return {
        "cpuPercent": sample.get("cpu_pct"),
        "memoryUsedBytes": _text(sample.get("mem_used")),
        "memoryTotalBytes": _text(sample.get("mem_total")),
        "diskUsedBytes": _text(sample.get("disk_used")),
        "diskTotalBytes": _text(sample.get("disk_total")),
        "uptimeSeconds": _text(instance.uptime_s),
        "timestamp": milliseconds(instance.last_seen_at),
    }


def _text(count: int | None) -> str | None:
    return None if count is None else str(count)


def events(instance: Instance, *, limit: int) -> list[Event]:
    """What happened to the instance, newest first."""
    return list(instance.events.order_by("-timestamp", "-id")[:limit])


def processes(instance: Instance) -> tuple[list[dict[str, Any]], datetime | None]:
    """The busiest processes that the agent reported last, by CPU, and when that was."""
    inventory = Inventory.objects.filter(instance=instance).first()
    if inventory is None or inventory.processes is None:
        return [], None
    rows = sorted(inventory.processes, key=lambda row: row.get("cpu_percent") or 0, reverse=True)
    return [{name: row.get(name) for name in PROCESS_FIELDS} for row in rows[:MAX_PROCESSES]], inventory.processes_at


def extensions(instance: Instance, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """Each extension with the state that the agent reported, else what the instance's own state tells.

    One that has been installing for more than 15 minutes is `stalled`.
    """
    now = now or timezone.now()
    inventory = Inventory.objects.filter(instance=instance).first()
    reported = {row["name"]: row for row in (inventory.extensions or [])} if inventory else {}
    unreported = "healthy" if instance.status == Status.RUNNING else "unknown"
    panel = []
    for name in dict.fromkeys([*instance.extensions, *reported]):
        row = reported.get(name)
        if row is None:
            panel.append({"name": name, "status": unreported, "lastChecked": milliseconds(instance.updated_at)})
            continue
        status = row["status"]
        if status == "installing" and now - datetime.fromisoformat(row["since"]) > STALLED_AFTER:
            status = "stalled"
        entry = {"name": name, "status": status, "lastChecked": milliseconds(inventory.extensions_at)}
        panel.append(entry | ({"version": row["version"]} if row.get("version") else {}))
    return panel
