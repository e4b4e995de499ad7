"""Alerts of fixes that are overdue: one for each instance, over when nothing is overdue there.

The room of security lies below this one and knows nothing of alerts, so this one looks.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from alerts.channels.models import Channel, ChannelType
from alerts.incidents.models import SYSTEM, Alert, Severity, Source
from alerts.incidents.services import Opening, fire_many, resolve
from alerts.rules.models import RuleType
from security.posture.queries import Overdue, late_instances
from security.vulnerabilities.models import Finding

PREFIX = "fixes:"
TOLD = (ChannelType.IN_APP, ChannelType.EMAIL)
AT_REST = timedelta(days=1)  # after a person has resolved an alert although fixes are overdue
OVER, WORSE = "No fix is overdue any more", "A fix for something worse is overdue now"
RANKS = {severity: rank for rank, severity in enumerate(Severity.values)}


def look(*, now: datetime | None = None) -> None:
    """Open an alert for each instance with overdue fixes, end those that are over.

    Something worse than what an open alert tells of is told anew. Any number of workers may do this at once.
    """
    now = now or timezone.now()
    late = {key_of(one): one for one in late_instances(Finding.objects.current(), now, most=None)}
    untold = dict(late)
    for alert in Alert.objects.open().filter(dedupe_key__startswith=PREFIX):
        one = late.get(alert.dedupe_key)
        if one is None:
            resolve(alert=alert, now=now, text=OVER)
        elif RANKS[severity_of(one)] < RANKS[alert.severity]:
            resolve(alert=alert, now=now, notify=False, text=WORSE)
        else:
            untold.pop(alert.dedupe_key)
    for key in _at_rest(now):
        untold.pop(key, None)
    if untold:
        channels = list(Channel.objects.filter(enabled=True, type__in=TOLD).order_by("pk"))
        fire_many([Opening(fields_of(one), channels) for one in untold.values()], now=now)


def key_of(late: Overdue) -> str:
    return f"{PREFIX}{late.instance.pk}"


def severity_of(late: Overdue) -> str:
    """That of the worst; alerts know no unknown severity."""
    return late.severity if late.severity in RANKS else Severity.LOW


def fields_of(late: Overdue) -> dict:
    """What the alert tells."""
    fixes = "1 fix is" if late.count == 1 else f"{late.count} fixes are"
    worst = late.severity.lower()
    return {
        "source": Source.SECURITY,
        "type": RuleType.SECURITY,
        "severity": severity_of(late),
        "title": f"{fixes} overdue on {late.instance.name}"[:300],
        "message": (
            f"{fixes} overdue on {late.instance.name}, the first since {late.since:%Y-%m-%d %H:%M} UTC. "
            f"The worst of the vulnerabilities is of severity {worst}."
        ),
        "metadata": {"overdue": late.count, "worst": late.severity, "since": late.since.isoformat()},
        "dedupe_key": key_of(late),
        "instance": late.instance,
    }


def _at_rest(now: datetime) -> list[str]:
    """Keys of alerts that a person has resolved of late."""
    told = Alert.objects.filter(dedupe_key__startswith=PREFIX, resolved_at__gt=now - AT_REST)
    return list(told.exclude(resolved_by=SYSTEM).values_list("dedupe_key", flat=True))
