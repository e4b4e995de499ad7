"""All models of the app, so that Django finds them."""

from alerts.channels.models import Attempt, Channel, Notification
from alerts.dependencies.models import Dependency
from alerts.drills.models import Drill
from alerts.evaluation.models import EvaluationPass, RuleState
from alerts.grouping.models import AlertGroup, Grouping
from alerts.inbox.models import InboxEntry
from alerts.incidents.models import Alert, AlertEvent
from alerts.monitors.models import MonitorState
from alerts.notices.models import Notice
from alerts.objectives.models import Objective, Tally
from alerts.policies.models import Policy, PolicyStep, Rotation
from alerts.rules.models import Rule
from alerts.silences.models import Silence

__all__ = [
    "Alert",
    "AlertEvent",
    "AlertGroup",
    "Attempt",
    "Channel",
    "Dependency",
    "Drill",
    "EvaluationPass",
    "Grouping",
    "InboxEntry",
    "MonitorState",
    "Notice",
    "Notification",
    "Objective",
    "Policy",
    "PolicyStep",
    "Rotation",
    "Rule",
    "RuleState",
    "Silence",
    "Tally",
]
