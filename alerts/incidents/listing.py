"""The list of alerts as its page shows it: tabs, filters, and what moves while somebody reads."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import CharField, Count, F, Max, Q
from django.db.models.functions import Cast, Coalesce

from alerts.incidents.models import Alert, AlertQuerySet, Severity, Source, Status

TABS = {
    "open": ("Open", (Status.ACTIVE,)),
    "acknowledged": ("Acknowledged", (Status.ACKNOWLEDGED,)),
    "silenced": ("Silenced", (Status.SILENCED,)),
    "resolved": ("Resolved", (Status.RESOLVED,)),
    "all": ("All", tuple(Status)),
}
SOURCES = (
    ("rule", "Instances"), ("monitor", "Monitors"), ("objective", "Objectives"), ("loadtest", "Load tests"),
    ("costs", "Costs"), ("security", "Security"),
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """What the address asks for; what is not known counts as not asked for."""

    tab: str = "open"
    q: str = ""
    severity: str = ""
    about: str = ""
    instance: str = ""
    monitor: str = ""
    rule: str = ""
    group: str = ""
    each: str = ""  # "yes": a line for each alert, not for each group

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
        values = {name: given.get(name, "").replace("\x00", "").strip()[:200] for name in cls.__annotations__}
        values["tab"] = values["tab"] if values["tab"] in TABS else "open"
        values["severity"] = values["severity"].upper() if values["severity"].upper() in Severity.values else ""
        values["about"] = values["about"] if values["about"] in Source.values else ""
        values["group"] = values["group"] if values["group"].isdecimal() else ""
        values["each"] = "yes" if values["each"] or values["group"] else ""
        return cls(**values)

    @property
    def narrow(self) -> bool:
        """Whether anything but the tab is chosen."""
        return any(value for name, value in vars(self).items() if name not in ("tab", "each"))

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What is chosen, as fields of an address or a form."""
        return [(name, value) for name, value in vars(self).items() if value and (name, value) != ("tab", "open")]

    def query(self, **change: str) -> str:
        """The address that asks for this, with some values changed."""
        return urlencode(replace(self, **change).chosen)

    def api_path(self) -> str:
        """The nearest question to the API."""
        status = {"open": "ACTIVE", "acknowledged": "ACKNOWLEDGED", "silenced": "SILENCED", "resolved": "RESOLVED"}.get(
            self.tab, ""
        )
        values = {"status": status, "severity": self.severity, "instanceId": self.instance, "ruleId": self.rule}
        query = urlencode({name: value for name, value in values.items() if value})
        return f"/api/v1/alerts?{query}" if query else "/api/v1/alerts"


def narrowed(alerts: AlertQuerySet, filters: Filters) -> AlertQuerySet:
    """Alerts that pass the filters, whatever tab they belong to."""
    exact = {
        "severity": filters.severity,
        "source": filters.about,
        "instance_id": filters.instance,
        "rule_id": filters.rule,
        "group_id": filters.group,
    }
    alerts = alerts.filter(**{name: value for name, value in exact.items() if value})
    if filters.monitor:
        alerts = alerts.filter(source=Source.MONITOR, dedupe_key=f"monitor:{filters.monitor}")
    if filters.q:
        words = Q(title__icontains=filters.q) | Q(message__icontains=filters.q)
        alerts = alerts.filter(words | Q(instance__name__icontains=filters.q) | Q(monitor__name__icontains=filters.q))
    return alerts


def in_tab(alerts: AlertQuerySet, tab: str) -> AlertQuerySet:
    return alerts.filter(status__in=TABS[tab][1])


def heads(alerts: AlertQuerySet) -> AlertQuerySet:
    """The newest alert of each group; ids sort by time."""
    key = Coalesce(Cast("group_id", CharField()), F("pk"), output_field=CharField())
    newest = alerts.order_by().annotate(bundle=key).values("bundle").annotate(head=Max("pk"))
    return alerts.filter(pk__in=newest.values("head"))


def members(alerts: AlertQuerySet, shown: Iterable[Alert]) -> None:
    """Write onto each of the shown alerts how many of its group the list holds, as `others` besides itself."""
    groups = {alert.group_id for alert in shown if alert.group_id}
    rows = alerts.filter(group_id__in=groups).order_by("group_id").values_list("group_id").annotate(Count("pk"))
    counts = dict(rows)
    for alert in shown:
        alert.others = max(0, counts.get(alert.group_id, 1) - 1)  # type: ignore[attr-defined]
