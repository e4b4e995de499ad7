"""The charts of pages: which curves, over which range of time, with their first data and where later data come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from config.api.authentication import Principal
from config.formats import duration
from config.templatetags.times import absolute
from fleet.instances.beside import marks
from fleet.instances.models import Instance
from fleet.metrics.charts import chart
from fleet.metrics.queries import RANGES
from fleet.metrics.sources import Scope

SOURCE = "/api/v1/metrics/chart"
MAX_POINTS = 300
LONGEST = timedelta(days=366)
WORDS = {"1h": "last hour", "6h": "last 6 hours", "24h": "last 24 hours", "7d": "last 7 days"}
TITLES = {
    "cpu": "CPU",
    "memory": "Memory",
    "disk": "Disk",
    "network": "Network",
    "load": "Load",
    "disk_io": "Disk transfer",
    "swap": "Swap",
}


@dataclass(frozen=True)
class Span:
    """A range of time: one of RANGES by `name`, or any two moments. `fault` says why a wish was not met."""

    name: str
    since: datetime
    until: datetime
    fault: str = ""
    choices: tuple[str, ...] = tuple(RANGES)

    @property
    def words(self) -> str:
        """In lower case, to follow the title of a chart."""
        return WORDS.get(self.name) or f"{absolute(self.since)} to {absolute(self.until)}"

    @property
    def zone(self) -> str:
        return timezone.localtime(self.until).strftime("%Z")

    @property
    def query(self) -> dict[str, str]:
        """The range for the address of a chart's data."""
        if self.name:
            return {"range": self.name}
        return {"from": self.since.isoformat(), "to": self.until.isoformat()}


@dataclass(frozen=True)
class Panel:
    """One chart of a page, as the tag `chart` takes it."""

    title: str
    subtitle: str
    src: str
    data: dict[str, Any]
    topic: str

    @property
    def has_data(self) -> bool:
        """Whether any of its curves has a value."""
        return any(value is not None for one in self.data["series"] for _, value in one["points"])


def span_of(given: Mapping[str, str], *, now: datetime, usual: str = "1h") -> Span:
    """The range that an address asks for (`range`, or `from` and `to` in the reader's zone), else the usual one."""
    name = given.get("range", "")
    name = name if name in RANGES else usual
    length = timedelta(seconds=RANGES[name][0])
    if not (given.get("from") or given.get("to")) or given.get("range"):
        return Span(name, now - length, now)
    since, until = _moment(given.get("from", "")), _moment(given.get("to", ""))
    if since is None or until is None:
        fault = "Give both ends of the range as a date and a time."
    elif since >= until:
        fault = "The range must begin before it ends."
    elif until - since > LONGEST:
        fault = "A range may be at most 366 days long."
    else:
        return Span("", since, until)
    return Span(name, now - length, now, fault=f"{fault} Shown is the {WORDS[name]}.")


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
        return timezone.make_aware(found) if found and timezone.is_naive(found) else found
    except (ValueError, OverflowError):
        return None


def of_instance(
    instance: Instance, names: Sequence[str], span: Span, *, now: datetime, principal: Principal | None = None
) -> list[Panel]:
    """Charts of one instance with marks for what happened; they move with its topic while the range ends now."""
    query = {"instanceId": instance.pk, **span.query}
    panels = _panels(names, Scope.instance(instance.pk), query, span, f"instance:{instance.pk}", "", now)
    told = marked(instance.pk, principal, span.since, span.until)
    for panel in panels:
        panel.data["marks"] = told
    return panels


def marked(instance_id: str, principal: Principal | None, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The marks of an instance's charts, as the charts take them: Unix seconds and a word."""
    found = marks(instance_id, principal, since, until)
    return [{"at": mark.at.timestamp(), "label": mark.label} for mark in found]


def of_fleet(principal: Principal, names: Sequence[str], span: Span, *, now: datetime) -> list[Panel]:
    """Charts of all instances that the reader may see: mean and highest."""
    scope = Scope.fleet() if principal.sees_all else Scope.instances(Instance.objects.visible_to(principal))
    return _panels(names, scope, span.query, span, "fleet", "mean and highest, ", now)


def _panels(
    names: Sequence[str], scope: Scope, query: dict[str, str], span: Span, topic: str, what: str, now: datetime
) -> list[Panel]:
    return [
        Panel(
            title=TITLES[name],
            subtitle=what + span.words,
            src=f"{SOURCE}?{urlencode({'metrics': name, 'maxPoints': MAX_POINTS, **query})}",
            data=chart(scope, metrics=[name], since=span.since, until=span.until, max_points=MAX_POINTS, now=now),
            topic=topic if span.name else "",
        )
        for name in names
    ]


def step_words(panels: Sequence[Panel]) -> str:
    """How far apart the points of the charts are."""
    steps = {panel.data["step"] for panel in panels}
    step = steps.pop() if len(steps) == 1 else None
    return f"one point each {duration(step)}" if step else "one point each sample"
