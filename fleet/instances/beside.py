"""What the rooms above put onto the pages of instances. They register it here; this room knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Value
from django.db.models.expressions import Combinable

from config.api.authentication import Principal
from fleet.instances.models import Event, Instance


@dataclass(frozen=True)
class Mark:
    """A moment that charts of an instance point out."""

    at: datetime
    label: str


@dataclass(frozen=True)
class Fact:
    """One more line of an instance's facts, in words. `page` is a named page that takes its id and tells more."""

    label: str
    text: str
    detail: str = ""
    page: str = ""


Teller = Callable[[Instance], Fact | None]
Marker = Callable[[str, Principal | None, datetime, datetime], list[Mark]]

MOST_MARKS = 20
MARKED = {
    Event.Type.DEPLOY: "Registered",
    Event.Type.REDEPLOY: "Redeployed",
    Event.Type.BACKUP: "Backup",
    Event.Type.RESTORE: "Restored",
    Event.Type.DESTROY: "Removed",
    Event.Type.SUSPEND: "Suspended",
    Event.Type.RESUME: "Resumed",
    Event.Type.HEARTBEAT_LOST: "Silent",
    Event.Type.HEARTBEAT_RECOVERED: "Back",
    Event.Type.ERROR: "Error",
}
_markers: list[Marker] = []
_tellers: list[Teller] = []
_columns: dict[str, Combinable] = {"open_alerts": Value(0)}


def mark_charts(marker: Marker) -> None:
    """Let `marker(instance_id, principal, since, until)` point out moments in the charts of an instance."""
    if marker not in _markers:
        _markers.append(marker)


def tell_fact(teller: Teller) -> None:
    """Let `teller(instance)` add a line to the facts of an instance; None adds none."""
    if teller not in _tellers:
        _tellers.append(teller)


def facts(instance: Instance) -> list[Fact]:
    """What the rooms above tell of an instance."""
    return [fact for teller in _tellers if (fact := teller(instance))]


def fill_column(name: str, expression: Combinable) -> None:
    """Say how a column of the list is counted: an expression over instances. Known: `open_alerts`."""
    if name not in _columns:
        raise KeyError(name)
    _columns[name] = expression


def column(name: str) -> Combinable:
    """How a column of the list is counted; 0 while nobody counts it."""
    return _columns[name]


def marks(instance_id: str, principal: Principal | None, since: datetime, until: datetime) -> list[Mark]:
    """The newest moments between two times, in order: what happened to the instance, and what others point out."""
    own = Event.objects.filter(instance=instance_id, type__in=MARKED, timestamp__gte=since, timestamp__lte=until)
    found = [
        Mark(at, MARKED[Event.Type(type)])
        for type, at in own.order_by("-timestamp", "-id").values_list("type", "timestamp")[:MOST_MARKS]
    ]
    for marker in _markers:
        found += marker(instance_id, principal, since, until)
    return sorted(found, key=lambda mark: mark.at)[-MOST_MARKS:]
