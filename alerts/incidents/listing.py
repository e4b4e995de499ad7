"""The list of alerts as its page shows it: tabs, filters, and what moves while somebody reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Q

from alerts.incidents.models import AlertQuerySet, Severity, Source, Status

TABS = {
    "open": ("Open", (Status.ACTIVE, Status.SILENCED)),
    "acknowledged": ("Acknowledged", (Status.ACKNOWLEDGED,)),
    "resolved": ("Resolved", (Status.RESOLVED,)),
    "all": ("All", tuple(Status)),
}
SOURCES = (("rule", "Instances"), ("monitor", "Monitors"))


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

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
        values = {name: given.get(name, "").replace("\x00", "").strip()[:200] for name in cls.__annotations__}
        values["tab"] = values["tab"] if values["tab"] in TABS else "open"
        values["severity"] = values["severity"].upper() if values["severity"].upper() in Severity.values else ""
        values["about"] = values["about"] if values["about"] in Source.values else ""
        return cls(**values)

    @property
    def narrow(self) -> bool:
        """Whether anything but the tab is chosen."""
        return any(value for name, value in vars(self).items() if name != "tab")

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What is chosen, as fields of an address or a form."""
        return [(name, value) for name, value in vars(self).items() if value and (name, value) != ("tab", "open")]

    def query(self, **change: str) -> str:
        """The address that asks for this, with some values changed."""
        return urlencode(replace(self, **change).chosen)

    def api_path(self) -> str:
        """The nearest question to the API."""
        status = {"open": "ACTIVE", "acknowledged": "ACKNOWLEDGED", "resolved": "RESOLVED"}.get(self.tab, "")
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
