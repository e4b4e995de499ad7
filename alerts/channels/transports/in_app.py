"""Rows for people, which the bell in the header counts (contract: fleet console §11)."""

from typing import Any

from django.utils import timezone

from alerts.channels.transports.messages import DeliveryFailed, Message
from alerts.inbox.services import put, readers


def send(config: dict[str, Any], message: Message) -> str:
    """To the one person whom a policy names, else those of the channel, else everyone who may see the alert."""
    chosen = [message.recipient.pk] if message.recipient else config.get("user_ids")
    users = readers(user_ids=chosen, team_id=message.team_id)
    count = put(
        key=message.key,
        users=users,
        alert_id=message.stored_id,
        now=timezone.now(),
        title=message.headline,
        text=message.text,
        severity=message.severity,
        resolved=message.resolved,
    )
    if not count:
        raise DeliveryFailed("There is no active person to tell who may see this.", final=True)
    return f"{count} {'person finds' if count == 1 else 'people find'} it in the product"
