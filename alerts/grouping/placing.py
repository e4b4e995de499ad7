"""To which group an alert belongs, and how fast that group speaks."""

import hashlib
import json
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


def place(alert: Alert) -> AlertGroup:
    """The group of an alert with labels: by the first grouping that matches, else one for each rule or source."""
    enabled = Grouping.objects.filter(enabled=True).order_by("position", "name")
    chosen = next((one for one in enabled if matches(one.matchers, alert.labels)), None)
    if chosen is not None:
        names, head = chosen.labels, chosen.pk
    elif alert.rule_id:
        names, head = [ALERTNAME], f"rule:{alert.rule_id}"
    else:
        names, head = [SOURCE], "source"
    labels = {name: alert.labels.get(name, "") for name in names}
    text = json.dumps([head, labels], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()
    group, _ = AlertGroup.objects.get_or_create(key=key, defaults={"grouping": chosen, "labels": labels})
    return group
