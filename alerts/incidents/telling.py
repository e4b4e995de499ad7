"""Telling pages and sockets of a change, after the commit."""

from django.db import transaction

from alerts.incidents.models import Alert
from alerts.incidents.serializers import AlertSerializer
from config import live


def tell(alert: Alert, kind: str) -> None:
    """`payload` is what `/ws` hands on (contract: fleet console §32.2)."""
    event = {
        "kind": kind,
        "alertId": alert.pk,
        "instanceId": alert.instance_id,
        "teamId": alert.team_id,
        "payload": dict(AlertSerializer(alert).data),
    }
    transaction.on_commit(lambda: live.publish_all([("alerts", event), (f"alert:{alert.pk}", event)]))
