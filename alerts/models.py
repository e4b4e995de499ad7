"""All models of the app, so that Django finds them."""

from alerts.channels.models import Attempt, Channel, Notification
from alerts.evaluation.models import EvaluationPass
from alerts.incidents.models import Alert, AlertEvent
from alerts.monitors.models import MonitorState
from alerts.rules.models import Rule

__all__ = [
    "Alert",
    "AlertEvent",
    "Attempt",
    "Channel",
    "EvaluationPass",
    "MonitorState",
    "Notification",
    "Rule",
]
