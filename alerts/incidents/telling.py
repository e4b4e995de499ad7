"""Telling pages and sockets of a change, after the commit."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from alerts.incidents.models import Alert
from alerts.incidents.serializers import AlertSerializer
from config import live


def tell(alert: Alert, kind: str) -> None:
    """Tell of one."""
    tell_all([alert], kind)


def tell_all(alerts: Sequence[Alert], kind: str) -> None:
    """Tell of several that the same happened to."""
    events = [(alert.pk, _event(alert, kind)) for alert in alerts]
    told = [(topic, event) for key, event in events for topic in ("alerts", f"alert:{key}")]
    transaction.on_commit(lambda: live.publish_all(told))


def _event(alert: Alert, kind: str) -> dict[str, Any]:
    """`payload` is what `/ws` hands on (contract: fleet console §32.2)."""
    return {
        "kind": kind,
        "alertId": alert.pk,
        "instanceId": alert.instance_id,
        "teamId": alert.team_id,
        "payload": dict(AlertSerializer(alert).data),
    }
