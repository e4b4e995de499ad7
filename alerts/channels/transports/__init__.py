"""The ways a message leaves the platform: `send(config, message)` delivers it or raises.

Delivery means that the other side took the message: 2xx over HTTP, an accepted mail for every recipient.
"""

from collections.abc import Callable
from typing import Any

from alerts.channels.configs import without_credentials
from alerts.channels.models import Channel, Notification
from alerts.channels.transports import chat, in_app, mail, paging, slack, webhook
from alerts.channels.transports.composing import message_of
from alerts.channels.transports.messages import DeliveryFailed, Message, sample_message
from security.vault import references

__all__ = ["DeliveryFailed", "deliver_message", "deliver_test"]
TRANSPORTS: dict[str, Callable[[dict[str, Any], Message], str]] = {
    "WEBHOOK": webhook.send,
    "SLACK": slack.send,
    "EMAIL": mail.send,
    "IN_APP": in_app.send,
    "TEAMS": chat.teams,
    "DISCORD": chat.discord,
    "GOOGLE_CHAT": chat.google_chat,
    "TELEGRAM": chat.telegram,
    "NTFY": chat.ntfy,
    "PAGERDUTY": paging.pagerduty,
    "OPSGENIE": paging.opsgenie,
}


def deliver_message(notification: Notification) -> str:
    """Tell one channel what a message of the outbox carries; what the other side answered, in words.

    Raises DeliveryFailed, whose text may be shown and stored. Takes at most 30 seconds.
    """
    return _send(notification.channel, message_of(notification))


def deliver_test(*, channel: Channel) -> str:
    """Send the test message of the contract (fleet console §11); as `deliver_message`."""
    return _send(channel, sample_message())


def _send(channel: Channel, message: Message) -> str:
    """With the secrets of the vault that the configuration refers to. No answer or error repeats a credential."""
    config = channel.config
    try:
        values = references.values_of(references.texts_in(config), use=references.Use.CHANNELS)
    except references.Unusable as fault:
        raise DeliveryFailed(fault.message) from None
    filled = references.put_in(config, values)

    def told(text: str) -> str:
        return without_credentials(references.taken_out(text, values), channel.type, filled)

    try:
        return told(TRANSPORTS[channel.type](filled, message))
    except DeliveryFailed as failure:
        raise DeliveryFailed(told(str(failure)), final=failure.final) from None
