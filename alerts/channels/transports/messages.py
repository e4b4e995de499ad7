"""What is sent, whatever the way: the facts of a change of one alert, or of a group of them."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from alerts.incidents.models import Severity, Status
from config.api.fields import milliseconds


class DeliveryFailed(Exception):
    """A message that did not arrive. `final`: another try would end the same way."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


@dataclass(frozen=True)
class Message:
    """One message. `key` is the same on every try, so that a receiver can drop a repeated one.

    `stream` is the same for all messages of one alert or group. `group` is given when it tells of several alerts, then
    the other facts are those of the worst. `recipient` is the one person it is for, if a policy named one.
    """

    key: str
    alert_id: str
    rule_id: str | None
    rule_name: str
    rule_type: str
    instance_id: str | None
    subject: str
    severity: str
    title: str
    text: str
    status: str
    fired_at: datetime
    metadata: dict[str, Any] | None
    url: str
    stream: str = ""
    team_id: str | None = None
    stored_id: str | None = None  # of the alert; a test has none
    over: bool = True  # nothing else of its group is wrong
    group: dict[str, Any] | None = None
    recipient: Any = field(default=None, repr=False)

    @property
    def resolved(self) -> bool:
        return self.status == Status.RESOLVED

    @property
    def headline(self) -> str:
        return f"Resolved: {self.title}" if self.resolved else self.title

    def body(self) -> dict[str, Any]:
        """The body of a webhook (contract: fleet console §11); `group` and `onCall` only where they say something."""
        more = {"group": self.group, "onCall": self.recipient.label if self.recipient else None}
        return {
            "alertId": self.alert_id,
            "ruleId": self.rule_id,
            "ruleName": self.rule_name,
            "ruleType": self.rule_type,
            "instanceId": self.instance_id,
            "severity": self.severity,
            "title": self.title,
            "message": self.text,
            "status": self.status,
            "firedAt": milliseconds(self.fired_at),
            "metadata": self.metadata,
            **{name: value for name, value in more.items() if value},
        }


def sample_message() -> Message:
    """What *Test* sends."""
    return Message(
        key=f"test:{uuid.uuid4()}",
        alert_id="test-alert-id",
        rule_id="test-rule-id",
        rule_name="Test Rule",
        rule_type="THRESHOLD",
        instance_id=None,
        subject="no instance",
        severity=Severity.INFO,
        title="Test Notification",
        text="This is a test. Whoever can read it is told when an alert fires.",
        status=Status.ACTIVE,
        fired_at=timezone.now(),
        metadata=None,
        url=f"{settings.BASE_URL}/alerts/",
    )
