"""The ways a message leaves the platform, one module each: `send(config, message)` delivers it or raises.

Delivery means that the other side took the message: 2xx over HTTP, an accepted mail for every recipient.
"""

from alerts.channels.models import Channel
from alerts.channels.transports import mail, slack, webhook
from alerts.channels.transports.messages import DeliveryFailed, Message, message_of, sample_message
from alerts.incidents.models import Alert

__all__ = ["DeliveryFailed", "deliver_message", "deliver_test"]
TRANSPORTS = {"WEBHOOK": webhook, "SLACK": slack, "EMAIL": mail}


def deliver_message(*, channel: Channel, alert: Alert, kind: str) -> str:
    """Tell one channel of one change of an alert; what the other side answered, in words.

    Raises DeliveryFailed, whose text may be shown and stored. Takes at most 30 seconds.
    """
    return _send(channel, message_of(alert, kind=kind, key=f"{alert.pk}:{kind}:{channel.pk}"))


def deliver_test(*, channel: Channel) -> str:
    """Send the test message of the contract (fleet console §11); as `deliver_message`."""
    return _send(channel, sample_message())


def _send(channel: Channel, message: Message) -> str:
    transport = TRANSPORTS.get(channel.type)
    if transport is None:
        raise DeliveryFailed(f"{channel.get_type_display()} channels are not available in this version.", final=True)
    return transport.send(channel.config, message)
