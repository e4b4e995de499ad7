"""To which group an alert belongs, and how fast that group speaks."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.conf import settings

from alerts.grouping.models import AlertGroup, Grouping
from alerts.incidents.models import Alert
from alerts.labels.matchers import matches

ALERTNAME, SOURCE = "alertname", "source"


class Pace(NamedTuple):
    """Seconds: before the first message, between two, before telling again (0: never)."""

    wait_s: int
    interval_s: int
    repeat_s: int


def pace_of(group: AlertGroup) -> Pace:
    """The pace of the group's grouping; the settings' where no grouping matched."""
    chosen = group.grouping
    if chosen is None:
        return Pace(settings.ALERT_GROUP_WAIT_S, settings.ALERT_GROUP_INTERVAL_S, 0)
    return Pace(chosen.wait_s, chosen.interval_s, chosen.repeat_s)


def place(alerts: Iterable[Alert]) -> None:
    """Set the group of alerts with labels; groups that are not there yet are made."""
    enabled = list(Grouping.objects.filter(enabled=True).order_by("position", "name"))
    wanted = [(alert, _group_of(alert, enabled)) for alert in alerts]
    groups = {group.key: group for _, group in wanted}
    known = AlertGroup.objects.in_bulk(list(groups), field_name="key")
    if missing := sorted(groups.keys() - known.keys()):
        AlertGroup.objects.bulk_create([groups[key] for key in missing], ignore_conflicts=True)
        known |= AlertGroup.objects.in_bulk(missing, field_name="key")
    for alert, group in wanted:
        alert.group = known[group.key]


def _group_of(alert: Alert, enabled: Sequence[Grouping]) -> AlertGroup:
    """The alert's group: by the first grouping that matches, else one for each rule or source."""
    chosen = next((one for one in enabled if matches(one.matchers, alert.labels)), None)
    if chosen is not None:
        names, head = chosen.labels, chosen.pk
    elif alert.rule_id:
        names, head = [ALERTNAME], f"rule:{alert.rule_id}"
    else:
        names, head = [SOURCE], "source"
    labels = {name: alert.labels.get(name, "") for name in names}
    text = json.dumps([head, labels], sort_keys=True)
    return AlertGroup(key=hashlib.sha256(text.encode()).hexdigest(), grouping=chosen, labels=labels)
