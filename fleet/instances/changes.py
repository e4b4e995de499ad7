"""What a change of an instance leaves behind: an event in its history, a line in the audit log, a live hint."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from config import live
from config.api.authentication import Principal
from config.api.fields import milliseconds
from fleet.instances.models import Event, Instance, facts
from security.audit.services import record

GEO_GENERATION = "fleet:geo:generation"


def note(instance: Instance, type: str, *, now: datetime | None = None, **metadata: Any) -> Event:
    """Write into the instance's history; readers of its feed hear of it after the commit."""
    return write(instance, type, at=now or timezone.now(), metadata=metadata)


def write(instance: Instance, type: str, *, at: datetime, metadata: dict[str, Any]) -> Event:
    """As `note`, with metadata whose names come from outside."""
    event = Event.objects.create(instance=instance, type=type, timestamp=at, metadata=metadata or None)
    tell(instance, {"kind": "event", "eventType": event.type, "metadata": event.metadata})
    return event


def announce(instance: Instance) -> None:
    """Tell, after the commit, that the instance has another status or other facts."""
    transaction.on_commit(lambda: cache.set(GEO_GENERATION, timezone.now().timestamp(), None))
    event = {"kind": "status", "status": instance.status, "updatedAt": milliseconds(instance.updated_at)}
    tell(instance, event)


def tell(instance: Instance, event: dict[str, Any], *, fleet: bool = True) -> None:
    """Publish an event of the instance after the commit: on its own topic and, if `fleet`, on that of all."""
    whole = {"instanceId": instance.pk, "teamId": instance.team_id, **event}
    topics = [f"instance:{instance.pk}"] + ["fleet"] * fleet
    transaction.on_commit(lambda: live.publish_all([(topic, whole) for topic in topics]))


def forget(instance_ids: Sequence[str]) -> int:
    """Delete these records with all that hangs on them, as if they had never been there; how many.

    For data that was only lent to us; what people take away is deregistered or destroyed and stays as history.
    """
    _, counts = Instance.objects.filter(pk__in=instance_ids).delete()
    transaction.on_commit(lambda: cache.set(GEO_GENERATION, timezone.now().timestamp(), None))
    return counts.get(Instance._meta.label, 0)


def audit(
    instance: Instance,
    action: str,
    *,
    actor: Principal | None,
    request: Any = None,
    before: dict[str, Any] | None = None,
    **more: Any,
) -> None:
    """Write the change into the audit log; call it last in the transaction."""
    record(
        actor=actor,
        action=action,
        resource="instance",
        resource_id=instance.pk,
        team_id=instance.team_id,
        request=request,
        before=before,
        after=facts(instance),
        **more,
    )
