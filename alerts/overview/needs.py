"""What needs a look first: alerts, and what no alert tells of yet."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from alerts.fixes import services as fixes
from alerts.incidents.models import Alert, Severity
from alerts.incidents.queries import attention
from config.api.authentication import Principal
from fleet.instances.listing import is_silent
from fleet.instances.models import Instance
from monitors.monitors.models import Monitor
from monitors.runs.models import BAD
from security.posture.queries import Overdue, late_instances
from security.posture.scope import Scope

MOST = 10
RANKS = {severity: rank for rank, severity in enumerate(Severity.values)}


@dataclass(frozen=True)
class Need:
    """One thing that needs a look: how bad, what, since when, and where to go."""

    key: str
    severity: str
    title: str
    what: str
    since: datetime | None
    url: str
    act: str
    alert_id: str = ""
    about: str = ""


def needs(principal: Principal, now: datetime) -> list[Need]:
    """At most ten, worst and oldest first: alerts, and what no alert tells of yet.

    That is silent instances, failing monitors, and fixes that are overdue.
    """
    alerts = attention(principal, limit=MOST)
    found = [_of_alert(alert) for alert in alerts]
    told = Alert.objects.open()
    silent = Instance.objects.visible_to(principal).filter(is_silent(now))
    late = told.filter(dedupe_key__startswith=fixes.PREFIX)
    loud = told.filter(instance__isnull=False).exclude(pk__in=late.values("pk"))
    silent = silent.exclude(pk__in=loud.values("instance_id"))
    failing = Monitor.objects.filter(enabled=True, last_status__in=BAD)
    failing = failing.exclude(pk__in=told.filter(monitor__isnull=False).values("monitor_id"))
    found += [_of_instance(one) for one in silent.order_by("last_seen_at", "pk")[:MOST]]
    found += [_of_monitor(one) for one in failing.order_by("state_since_at", "pk")[:MOST]]
    untold = Scope(principal).findings().exclude(instance__in=late.values("instance_id"))
    found += [_of_fixes(one) for one in late_instances(untold, now, most=MOST)]
    return sorted(found, key=lambda need: (RANKS[need.severity], need.since or now))[:MOST]


def _of_alert(alert: Alert) -> Need:
    url = reverse("ui:alert", args=[alert.pk])
    return Need(
        f"alert-{alert.pk}",
        alert.severity,
        alert.title,
        "alert",
        alert.fired_at,
        url,
        "Open alert",
        alert.pk,
        str(alert.instance_id or alert.monitor_id or ""),
    )


def _of_instance(instance: Instance) -> Need:
    url = reverse("ui:instance", args=[instance.pk])
    title = f"{instance.name} is silent"
    return Need(
        f"instance-{instance.pk}",
        Severity.HIGH,
        title,
        "instance",
        instance.last_seen_at,
        url,
        "Open instance",
        about=instance.pk,
    )


def _of_monitor(monitor: Monitor) -> Need:
    title, act, url = f"{monitor.name} is failing", "Open monitor", reverse("ui:monitor", args=[monitor.pk])
    if monitor.last_run_id:
        act, url = "Open last run", reverse("ui:run", args=[monitor.last_run_id])
    return Need(
        f"monitor-{monitor.pk}", Severity.HIGH, title, "monitor", monitor.state_since_at, url, act, "", str(monitor.pk)
    )


def _of_fixes(late: Overdue) -> Need:
    told = fixes.fields_of(late)
    url = f"{reverse('ui:security')}?instance={late.instance.pk}&overdue=yes"
    return Need(
        f"fixes-{late.instance.pk}",
        told["severity"],
        told["title"],
        "fixes",
        late.since,
        url,
        "Open findings",
        about=late.instance.pk,
    )
