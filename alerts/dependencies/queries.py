"""What an alert's instance or monitor depends on, and whether that is down."""

from collections.abc import Collection, Mapping, Sequence
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


def down_parents(alerts: Sequence[Alert], *, now: datetime) -> dict[str, str]:
    """By alert the name of something down that its thing depends on; those without such are left out.

    An alert of the lifecycle among them, which may not be stored yet, says that its own thing is down.
    """
    things = {alert.pk: thing for alert in alerts if (thing := about(alert))}
    above = _above(set(things.values()))
    if not above:
        return {}
    told = [alert.instance_id for alert in alerts if alert.type == LIFECYCLE and alert.instance_id]
    down = _down({parent for found in above.values() for parent in found}, told, now)
    found = {key: _nearest(thing, above, down) for key, thing in things.items()}
    return {key: name for key, name in found.items() if name}


def _above(things: Collection[Thing]) -> dict[Thing, list[Thing]]:
    """What each thing, and what it depends on in turn, depends on directly."""
    above: dict[Thing, list[Thing]] = {}
    for _ in range(DEPTH):
        arrows = _arrows(things) if things else []
        for child, parent in arrows:
            above.setdefault(child, []).append(parent)
        things = {parent for _, parent in arrows} - above.keys()
    return above


def _nearest(thing: Thing, above: Mapping[Thing, list[Thing]], down: Mapping[Thing, str]) -> str:
    """The name of what is down among the thing's parents, else among theirs; "" when nothing is."""
    level, seen = {thing}, set[Thing]()
    for _ in range(DEPTH):
        seen |= level
        level = {parent for one in level for parent in above.get(one, ())} - seen
        if names := sorted((one.kind, down[one]) for one in level if one in down):
            return names[0][1]
    return ""


def parents(things: Collection[Thing]) -> list[Thing]:
    """What the things depend on directly."""
    return [parent for _, parent in _arrows(things)]


def _arrows(things: Collection[Thing]) -> list[tuple[Thing, Thing]]:
    """Who depends on whom directly."""
    found = Dependency.objects.filter(_side("child", things)).order_by("pk")
    rows = found.values_list("child_instance_id", "child_monitor_id", "parent_instance_id", "parent_monitor_id")
    return [(_thing(*row[:2]), _thing(*row[2:])) for row in rows]


def _thing(instance_id: str | None, monitor_id: object) -> Thing:
    return Thing("instance", instance_id) if instance_id else Thing("monitor", str(monitor_id))


def _side(side: str, things: Collection[Thing]) -> Q:
    instances = [one.key for one in things if one.kind == "instance"]
    monitors = [one.key for one in things if one.kind == "monitor"]
    return Q(**{f"{side}_instance__in": instances}) | Q(**{f"{side}_monitor__in": monitors})


def _down(things: Collection[Thing], told: list[str], now: datetime) -> dict[Thing, str]:
    """Names of those that are down: an instance in state error or unknown, silent, or with an open lifecycle alert
    (or one of `told`, which are about to have such); a monitor that fails."""
    instances = Instance.objects.filter(pk__in=[one.key for one in things if one.kind == "instance"])
    alerting = Alert.objects.open().filter(type=LIFECYCLE, instance__in=instances).values("instance")
    silent = Q(pk__in=instances.silent(now).values("pk"))
    ill = Q(status__in=(Status.ERROR, Status.UNKNOWN)) | silent | Q(pk__in=alerting) | Q(pk__in=told)
    monitors = Monitor.objects.filter(pk__in=[one.key for one in things if one.kind == "monitor"], enabled=True)
    failing = monitors.filter(last_status__in=BAD)
    down = {Thing("instance", key): name for key, name in instances.filter(ill).values_list("pk", "name")}
    return down | {Thing("monitor", str(key)): name for key, name in failing.values_list("pk", "name")}


def visible(principal: Principal | None) -> QuerySet[Dependency]:
    """Dependencies between things that the caller may see, newest first."""
    own = Instance.objects.visible_to(principal)
    seen = [Q(**{f"{side}_instance": None}) | Q(**{f"{side}_instance__in": own}) for side in ("parent", "child")]
    names = ("parent_instance", "parent_monitor", "child_instance", "child_monitor")
    return Dependency.objects.filter(*seen).select_related(*names).order_by("-created_at", "-pk")
