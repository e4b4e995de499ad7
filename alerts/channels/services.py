"""Making and changing channels (contract: fleet console §11)."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from alerts.channels import configs
from alerts.channels.models import Channel
from alerts.channels.transports import DeliveryFailed, deliver_test
from config.api.authentication import Principal
from security.audit.services import record


@dataclass(frozen=True)
class Outcome:
    """How a test message fared: `answer` is what the other side said, or why nothing arrived."""

    success: bool
    answer: str
    duration_ms: int


@transaction.atomic
def create_channel(*, type: str, config: Any, actor: Principal, request: Any = None, **fields: Any) -> Channel:
    """A new channel; `fields` are `name`, `enabled`, `monitor_alerts`, `notify_resolved`. Raises Invalid."""
    channel = Channel(type=type, created_by=actor.user, **fields)
    channel.config = configs.checked(type, config, principal=actor)
    channel.save(force_insert=True)
    _audit("CREATE", channel, actor, request, after=facts(channel))
    return channel


@transaction.atomic
def change_channel(
    *, channel: Channel, actor: Principal, config: Any = None, request: Any = None, **fields: Any
) -> Channel:
    """Set fields, and `config` as a whole if given; a mask in it keeps the stored value. Raises Invalid."""
    before = facts(channel)
    for name, value in fields.items():
        setattr(channel, name, value)
    if config is not None:
        channel.config = configs.checked(channel.type, config, principal=actor, stored=channel.config)
    channel.save()
    _audit("UPDATE", channel, actor, request, before=before, after=facts(channel))
    return channel


@transaction.atomic
def delete_channel(*, channel: Channel, actor: Principal, request: Any = None) -> None:
    """Remove a channel with what it still had to deliver."""
    key, before = channel.pk, facts(channel)
    channel.delete()
    channel.pk = key
    _audit("DELETE", channel, actor, request, before=before)


def send_test(*, channel: Channel, actor: Principal, request: Any = None) -> Outcome:
    """Deliver the test message now, once, also through a channel that is switched off."""
    began = time.perf_counter()
    try:
        success, answer = True, deliver_test(channel=channel)
    except DeliveryFailed as failure:
        success, answer = False, str(failure)
    outcome = Outcome(success, answer, round((time.perf_counter() - began) * 1000))
    with transaction.atomic():
        _audit("EXECUTE", channel, actor, request, act="test", success=success, answer=answer)
    return outcome


def facts(channel: Channel) -> dict[str, Any]:
    """What the audit log notes about a channel: no secret."""
    names = ("name", "type", "enabled", "monitor_alerts", "notify_resolved")
    return {name: getattr(channel, name) for name in names} | {"config": configs.masked(channel.type, channel.config)}


def _audit(action: str, channel: Channel, actor: Principal, request: Any, **more: Any) -> None:
    record(actor=actor, action=action, resource="channel", resource_id=channel.pk, request=request, **more)
