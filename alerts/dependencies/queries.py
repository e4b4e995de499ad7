"""What an alert's instance or monitor depends on, and whether that is down."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from alerts.dependencies.models import Dependency
from alerts.incidents.models import Alert
from config.api.authentication import Principal
from fleet.instances.models import Instance, Status
from monitors.monitors.models import Monitor
from monitors.runs.models import BAD

DEPTH = 5  # a parent's parents count too, so far up
LIFECYCLE = "LIFECYCLE"


class Thing(NamedTuple):
    """An instance or a monitor."""

    kind: str  # "instance" or "monitor"
    key: str


def about(alert: Alert) -> Thing | None:
    """What the alert is about; None for the fleet as a whole."""
    if alert.instance_id:
        return Thing("instance", alert.instance_id)
    return Thing("monitor", str(alert.monitor_id)) if alert.monitor_id else None


def down_parent(alert: Alert, *, now: datetime) -> str:
    """The name of something down that the alert's thing depends on; "" when there is none."""
    thing = about(alert)
    level, seen = [thing] if thing else [], set[Thing]()
    for _ in range(DEPTH):
        seen.update(level)
        level = [one for one in parents(level) if one not in seen] if level else []
        if not level:
            return ""
        if name := _first_down(level, now):
            return name
    return ""


def parents(things: list[Thing]) -> list[Thing]:
    """What the things depend on directly."""
    found = Dependency.objects.filter(_side("child", things)).order_by("pk")
    rows = found.values_list("parent_instance_id", "parent_monitor_id")
    return [Thing("instance", instance) if instance else Thing("monitor", str(monitor)) for instance, monitor in rows]


def _side(side: str, things: list[Thing]) -> Q:
    instances = [one.key for one in things if one.kind == "instance"]
    monitors = [one.key for one in things if one.kind == "monitor"]
    return Q(**{f"{side}_instance__in": instances}) | Q(**{f"{side}_monitor__in": monitors})


def _first_down(things: list[Thing], now: datetime) -> str:
    """An instance is down in state error or unknown, silent, or with an open lifecycle alert; a monitor fails."""
    instances = Instance.objects.filter(pk__in=[one.key for one in things if one.kind == "instance"])
    alerting = Alert.objects.open().filter(type=LIFECYCLE, instance__in=instances).values("instance")
    silent = Q(pk__in=instances.silent(now).values("pk"))
    down = instances.filter(Q(status__in=(Status.ERROR, Status.UNKNOWN)) | silent | Q(pk__in=alerting))
    if (name := down.order_by("name").values_list("name", flat=True).first()) is not None:
        return name
    failing = Monitor.objects.filter(pk__in=[one.key for one in things if one.kind == "monitor"], enabled=True)
    return failing.filter(last_status__in=BAD).order_by("name").values_list("name", flat=True).first() or ""


def visible(principal: Principal | None) -> QuerySet[Dependency]:
    """Dependencies between things that the caller may see, newest first."""
    own = Instance.objects.visible_to(principal)
    seen = [Q(**{f"{side}_instance": None}) | Q(**{f"{side}_instance__in": own}) for side in ("parent", "child")]
    names = ("parent_instance", "parent_monitor", "child_instance", "child_monitor")
    return Dependency.objects.filter(*seen).select_related(*names).order_by("-created_at", "-pk")
