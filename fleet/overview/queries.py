"""The fleet at a glance (contract: fleet console §3)."""

from collections import Counter
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone

from config.api.authentication import Principal
from config.api.fields import milliseconds
from fleet.deployments.queries import by_hour
from fleet.instances.changes import GEO_GENERATION
from fleet.instances.models import Instance
from fleet.terminals.queries import active_count

PINS_KEPT_S = 10
GLANCE_KEPT_S = 1


def stats(*, principal: Principal, now: datetime | None = None) -> dict[str, Any]:
    """Counts of what the caller may see, without destroyed instances."""
    fleet = Instance.objects.visible_to(principal).existing()
    by_status: Counter[str] = Counter()
    by_provider: Counter[str] = Counter()
    by_distro: Counter[str] = Counter()
    for status, provider, distro, count in fleet.values_list("status", "provider", "distro").annotate(Count("pk")):
        by_status[status] += count
        by_provider[provider] += count
        if distro:
            by_distro[distro] += count
    return {
        "total": by_status.total(),
        "by_status": dict(by_status),
        "by_provider": [{"provider": name, "count": count} for name, count in by_provider.most_common()],
        "by_distro": dict(by_distro),
        "active_sessions": active_count(principal),
        "updated_at": milliseconds(now or timezone.now()),
    }


def pins(*, principal: Principal) -> list[dict[str, Any]]:
    """One pin for each place with instances, places rounded to 2 decimals; kept for 10 s or until the fleet changes."""
    key = f"fleet:geo:{cache.get(GEO_GENERATION, 0)}:{scope(principal)}"
    found = cache.get(key)
    if found is None:
        found = _pins(principal)
        cache.set(key, found, PINS_KEPT_S)
    return found


def scope(principal: Principal) -> str:
    """The same short text for callers who see the same instances."""
    if principal.instance_id:
        return f"instance-{principal.instance_id}"
    teams = sha256(",".join(sorted(principal.teams)).encode()).hexdigest()
    return "all" if principal.sees_all else f"teams-{teams}"


def _pins(principal: Principal) -> list[dict[str, Any]]:
    placed = Instance.objects.visible_to(principal).existing().filter(geo_lat__isnull=False, geo_lon__isnull=False)
    columns = ("geo_lat", "geo_lon", "geo_label", "region", "provider", "distro", "status")
    found: dict[tuple[float, float], dict[str, Any]] = {}
    for lat, lon, label, region, provider, distro, status in placed.order_by("created_at", "pk").values_list(*columns):
        place = (round(lat, 2), round(lon, 2))
        pin = found.setdefault(
            place,
            {
                "region": region,
                "lat": place[0],
                "lon": place[1],
                "label": label or region,
                "count": 0,
                "statuses": {},
                "provider": provider,
                **({"distro": distro} if distro else {}),
            },
        )
        pin["count"] += 1
        pin["statuses"][status] = pin["statuses"].get(status, 0) + 1
    return list(found.values())


def glance(*, principal: Principal) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Stats and pins for many readers at once: counted once a second for all who see the same."""
    key = f"fleet:glance:{scope(principal)}"
    found = cache.get(key)
    if found is None:
        found = (stats(principal=principal), pins(principal=principal))
        cache.set(key, found, GLANCE_KEPT_S)
    return found


def deployments(*, now: datetime | None = None) -> dict[str, Any]:
    """The last 24 UTC hours, oldest first; `success_rate` is 1 when there was nothing that could fail."""
    this_hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in range(23, -1, -1)]
    none = {"deployments": 0, "failures": 0, "successes": 0}
    known = by_hour(hours[0])
    counted = [none | known.get(hour, {}) for hour in hours]
    total, successes = (sum(one[name] for one in counted) for name in ("deployments", "successes"))
    activity = [
        {"hour": milliseconds(hour), "deployments": one["deployments"], "failures": one["failures"]}
        for hour, one in zip(hours, counted, strict=True)
    ]
    return {"activity": activity, "total_24h": total, "success_rate": successes / total if total else 1}
