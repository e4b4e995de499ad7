"""Which channels an alert goes to."""

from alerts.channels.models import Channel
from alerts.channels.queries import for_monitors
from alerts.incidents.models import Alert


def channels_of(alert: Alert) -> list[Channel]:
    """The enabled channels of the alert's rule; without a rule those that are for alerts of monitors and the like."""
    if alert.rule_id is None:
        return for_monitors()
    return list(Channel.objects.filter(enabled=True, rules=alert.rule_id).order_by("pk"))
