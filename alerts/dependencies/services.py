"""Writing down what depends on what."""

from typing import Any

from alerts.dependencies.models import Dependency
from alerts.dependencies.queries import Thing, parents
from config.api.authentication import Principal
from config.api.errors import Invalid, NotFound
from fleet.instances.models import Instance
from monitors.monitors.models import Monitor
from monitors.paths import known_uuid

CIRCLE = "This would be a circle: the parent depends on the child, or they are the same."
FIELDS = {
    "parent_instance_id": Instance,
    "child_instance_id": Instance,
    "parent_monitor_id": Monitor,
    "child_monitor_id": Monitor,
}


def make(*, actor: Principal, **ids: str | None) -> Dependency:
    """A new arrow; `ids` are `parent_instance_id` or `parent_monitor_id`, and the same of the child.

    Raises Invalid for none or two of a side and for a circle, NotFound for what the actor cannot see.
    """
    found: dict[str, Any] = {}
    for side in ("parent", "child"):
        given = {name: ids.get(name) for name in (f"{side}_instance_id", f"{side}_monitor_id") if ids.get(name)}
        if len(given) != 1:
            text = f"Name one {side}: an instance or a monitor."
            raise Invalid(text, details={side: [text]})
        for name, key in given.items():
            found[name] = _existing(name, str(key), actor)
    parent, child = _thing(found, "parent"), _thing(found, "child")
    if parent == child or child in _above(parent):
        raise Invalid(CIRCLE, details={"parent": [CIRCLE]})
    return Dependency.objects.create(created_by=actor.user, **found)


def _existing(name: str, key: str, actor: Principal) -> Any:
    model: Any = Instance if "instance" in name else Monitor
    if model is Instance:
        row: Any = Instance.objects.visible_to(actor).existing().filter(pk=key).first()
    else:
        row = Monitor.objects.filter(pk=known_uuid(key, "Monitor")).first()
    if row is None:
        raise NotFound(f"{model.__name__} '{key}' not found")
    return row.pk


def _thing(found: dict[str, Any], side: str) -> Thing:
    if f"{side}_instance_id" in found:
        return Thing("instance", found[f"{side}_instance_id"])
    return Thing("monitor", str(found[f"{side}_monitor_id"]))


def _above(thing: Thing) -> set[Thing]:
    """All that a thing depends on, however far up."""
    level, seen = [thing], set[Thing]()
    while level:
        level = [one for one in parents(level) if one not in seen]
        seen.update(level)
    return seen
