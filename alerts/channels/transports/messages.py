"""What is sent, whatever the way: the facts of one change of an alert."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from alerts.incidents.models import Alert, Severity, Status
from config.api.fields import milliseconds

RESOLVED = "resolved"


class DeliveryFailed(Exception):
    """A message that did not arrive. `final`: another try would end the same way."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


@dataclass(frozen=True)
class Message:
    """One message. `key` is the same on every try, so that a receiver can drop a repeated one."""

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

    @property
    def resolved(self) -> bool:
        return self.status == Status.RESOLVED

    @property
    def headline(self) -> str:
        return f"Resolved: {self.title}" if self.resolved else self.title

    def body(self) -> dict[str, Any]:
        """The body of a webhook (contract: fleet console §11)."""
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
        }


def message_of(alert: Alert, *, kind: str, key: str) -> Message:
    """The message that tells of `kind`: one of an alert that fired says so even if it has ended meanwhile."""
    return Message(
        key=key,
        alert_id=alert.pk,
        rule_id=alert.rule_id,
        rule_name=alert.rule.name if alert.rule else alert.subject,
        rule_type=alert.rule.type if alert.rule else "MONITOR",
        instance_id=alert.instance_id,
        subject=alert.subject,
        severity=alert.severity,
        title=alert.title,
        text=alert.message,
        status=Status.RESOLVED if kind == RESOLVED else Status.ACTIVE,
        fired_at=alert.fired_at,
        metadata=alert.metadata,
        url=f"{settings.BASE_URL}/alerts/{alert.pk}/",
    )


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
