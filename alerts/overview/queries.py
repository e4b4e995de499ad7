"""What the overview tells: counts, what needs a look first, the latest events (of everything the reader may see)."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from alerts.incidents.models import Alert, AlertEvent, Severity
from alerts.incidents.queries import open_counts
from alerts.objectives.queries import tightest
from config.api.authentication import Principal
from costs.forecast.queries import of_month
from costs.ledger.queries import Scope, month_to_date
from fleet.instances.listing import SILENT, figures_of, is_silent, ordered, state_of
from fleet.instances.models import Event, Instance, Status
from fleet.overview.queries import deployments, pins
from monitors.monitors.models import Monitor
from monitors.monitors.queries import last_checks
from monitors.runs.models import BAD, GOOD
from security.posture import queries as posture

MOST = 10
EVENTS = 20
# The worst state at a place gives its pin a colour; the first that occurs counts.
WORST_FIRST = (
    (SILENT, "bad"),
    (Status.ERROR, "bad"),
    (Status.UNKNOWN, "unknown"),
    (Status.DEPLOYING, "progress"),
    (Status.DESTROYING, "progress"),
    (Status.SUSPENDED, "paused"),
    (Status.STOPPED, "paused"),
    (Status.RUNNING, "good"),
)


def figures(principal: Principal, now: datetime) -> dict[str, Any]:
    """The counts in the row of figures."""
    instances = Instance.objects.visible_to(principal).existing()
    alerts = open_counts(principal)
    return {
        "instances": instances.aggregate(
            all=Count("pk"),
            running=Count("pk", filter=Q(status=Status.RUNNING) & ~_silent(now)),
            silent=Count("pk", filter=_silent(now)),
            error=Count("pk", filter=Q(status=Status.ERROR) & ~_silent(now)),
        ),
        "alerts": [(severity, count) for severity, count in alerts.items() if count],
        "alerts_open": sum(alerts.values()),
        "monitors": Monitor.objects.aggregate(
            all=Count("pk"),
            passing=Count("pk", filter=Q(enabled=True, last_status__in=GOOD)),
            failing=Count("pk", filter=Q(enabled=True, last_status__in=BAD)),
            paused=Count("pk", filter=Q(enabled=False)),
        ),
    }


def outlook(principal: Principal, now: datetime) -> dict[str, Any]:
    """What is left of the tightest objective's budget, what the month has cost and will, and what is at risk."""
    scope = Scope(principal)
    return {
        "tightest": tightest(now),
        "month": month_to_date(scope, today=now.date()),
        "forecast": of_month(scope, now),
        "security": posture.summary(principal, now=now),
        "security_covers": posture.coverage(principal),
    }


def busiest(principal: Principal, now: datetime) -> list[dict[str, Any]]:
    """The ten reporting instances with the highest CPU, with their newest figures and their busiest process."""
    visible = Instance.objects.visible_to(principal).existing().select_related("inventory")
    rows = ordered(visible.filter(last_sample__isnull=False), "-cpu", now)[:MOST]
    return [
        {"instance": one, "state": state_of(one, now), "process": _busiest_process(one), **figures_of(one, now)}
        for one in rows
        if one.online_at(now)
    ]


def _busiest_process(instance: Instance) -> dict[str, Any] | None:
    inventory = getattr(instance, "inventory", None)
    return inventory.processes[0] if inventory and inventory.processes else None


def _silent(now: datetime) -> Q:
    """As a condition that is false, not unknown, for an instance that was never seen."""
    return Q(last_seen_at__isnull=False) & is_silent(now)


def monitors_at_a_glance() -> tuple[list[tuple[Monitor, list[tuple[str, datetime]]]], int]:
    """Ten monitors with their last checks, those that fail first, and how many there are in all."""
    rows = Monitor.objects.all()
    failing = rows.filter(enabled=True, last_status__in=BAD).by_name()[:MOST]
    chosen = list(failing)
    if len(chosen) < MOST:
        chosen += rows.exclude(pk__in=[one.pk for one in chosen]).order_by("-enabled", "name", "pk")[
            : MOST - len(chosen)
        ]
    checks = last_checks([one.pk for one in chosen])
    return [(one, checks[one.pk]) for one in chosen], rows.count()


def places(principal: Principal, now: datetime) -> list[dict[str, Any]]:
    """The pins of the map, each with the tone of its worst state and its facts in words, the largest first."""
    silent = _silent_at_places(principal, now)
    found = []
    for pin in pins(principal=principal):
        states = Counter(pin["statuses"])
        for status, count in silent.get((pin["lat"], pin["lon"]), {}).items():
            states[status] -= count
            states[SILENT] += count
        tone = next((tone for state, tone in WORST_FIRST if states[state] > 0), "unknown")
        name = pin["label"] or f"{pin['lat']}°, {pin['lon']}°"
        counts = ", ".join(f"{states[state]} {state.lower()}" for state, _ in WORST_FIRST if states[state] > 0)
        found.append(pin | {"tone": tone, "name": name, "counts": counts, "label": f"{name}: {counts}"})
    return sorted(found, key=lambda pin: (-pin["count"], pin["name"]))


def _silent_at_places(principal: Principal, now: datetime) -> dict[tuple[float, float], Counter[str]]:
    """How many are silent at each pin's place, by the status that they have."""
    rows = Instance.objects.visible_to(principal).filter(is_silent(now), geo_lat__isnull=False, geo_lon__isnull=False)
    found: dict[tuple[float, float], Counter[str]] = defaultdict(Counter)
    for lat, lon, status, count in rows.order_by().values_list("geo_lat", "geo_lon", "status").annotate(Count("pk")):
        found[round(lat, 2), round(lon, 2)][status] += count
    return found


def deployed(now: datetime) -> dict[str, Any]:
    """Deployments of the last 24 hours: `(hour, all of them, those that failed)`, the oldest first, and their sums."""
    activity = deployments(now=now)["activity"]
    hours = [(datetime.fromisoformat(one["hour"]), one["deployments"], one["failures"]) for one in activity]
    return {"hours": hours, "total": sum(hour[1] for hour in hours), "failures": sum(hour[2] for hour in hours)}


def events(principal: Principal) -> list[dict[str, Any]]:
    """The last events of instances and alerts, newest first."""
    visible = Instance.objects.visible_to(principal)
    of_instances = Event.objects.filter(instance__in=visible).select_related("instance")
    of_alerts = AlertEvent.objects.filter(alert__in=Alert.objects.visible_to(principal)).select_related("alert")
    lines = [
        *map(_of_instance_event, of_instances.order_by("-timestamp", "-pk")[:EVENTS]),
        *map(_of_alert_event, of_alerts.order_by("-at", "-pk")[:EVENTS]),
    ]
    return sorted(lines, key=lambda line: line["at"], reverse=True)[:EVENTS]


def _of_instance_event(event: Event) -> dict[str, Any]:
    url = reverse("ui:instance", args=[event.instance_id])
    return {"at": event.timestamp, "what": event.get_type_display(), "name": event.instance.name, "url": url}


def _of_alert_event(event: AlertEvent) -> dict[str, Any]:
    url = reverse("ui:alert", args=[event.alert_id])
    return {"at": event.at, "what": f"Alert: {event.get_kind_display().lower()}", "name": event.alert.title, "url": url}


def open_critical(principal: Principal) -> int:
    """How many critical alerts are open; the title of every page tells it."""
    return open_counts(principal)[Severity.CRITICAL]
