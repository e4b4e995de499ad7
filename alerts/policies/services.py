"""Storing policies with their steps, and rotations with their people."""

from typing import Any

from django.db import transaction

from alerts.channels.models import Channel
from alerts.policies.models import Policy, PolicyStep, Rotation
from config.api.errors import NotFound
from security.accounts.models import User


@transaction.atomic
def save_policy(policy: Policy, *, steps: list[dict[str, Any]] | None, **fields: Any) -> Policy:
    """Store a policy; `steps`, if given, replace those it has: `{after_s, channel_ids, rotation_id}` in their order.

    Raises NotFound for an unknown channel or rotation. Alerts under way go on with the new steps.
    """
    for name, value in fields.items():
        setattr(policy, name, value)
    policy.save()
    if steps is not None:
        policy.steps.all().delete()
        for number, given in enumerate(steps):
            step = PolicyStep.objects.create(
                policy=policy, number=number, after_s=given["after_s"], rotation=_rotation(given.get("rotation_id"))
            )
            step.channels.set(_channels(given["channel_ids"]))
    return policy


def _channels(ids: list[str]) -> list[Channel]:
    found = Channel.objects.in_bulk(ids)
    if missing := [key for key in ids if key not in found]:
        raise NotFound(f"Channel '{missing[0]}' not found")
    return list(found.values())


def _rotation(key: str | None) -> Rotation | None:
    if not key:
        return None
    found = Rotation.objects.filter(pk=key).first()
    if found is None:
        raise NotFound(f"Rotation '{key}' not found")
    return found


def save_rotation(rotation: Rotation, **fields: Any) -> Rotation:
    """Store a rotation. Raises NotFound for a member who is no user."""
    for name, value in fields.items():
        setattr(rotation, name, value)
    known = set(User.objects.filter(pk__in=rotation.members).values_list("pk", flat=True))
    if missing := [key for key in rotation.members if key not in known]:
        raise NotFound(f"User '{missing[0]}' not found")
    rotation.save()
    return rotation
