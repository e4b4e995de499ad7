"""Turns on call of somebody who leaves."""

from alerts.policies.models import Rotation
from alerts.policies.services import save_rotation
from config.api.authentication import Principal
from security.accounts.models import User
from security.audit.services import record
from security.offboarding.duties import Duty

KIND = "On-call rotation"


def duties_of(user: User) -> list[Duty]:
    """The rotations that have the person in their order."""
    return [
        Duty(KIND, one.pk, one.name, "ui:alert-rotation-edit", alone=set(one.members) == {user.pk})
        for one in Rotation.objects.order_by("name", "pk")
        if user.pk in one.members
    ]


def release(user: User, actor: Principal | None) -> int:
    """Take the person out of the rotations that have others; how many."""
    released = 0
    for duty in duties_of(user):
        if duty.alone:  # a rotation is never empty
            continue
        rotation = Rotation.objects.select_for_update().get(pk=duty.id)
        before = rotation.members
        save_rotation(rotation, members=[key for key in before if key != user.pk])
        record(
            actor=actor, action="UPDATE", resource="on_call_rotation", resource_id=rotation.pk,
            before={"members": before}, after={"members": rotation.members},
        )  # fmt: skip
        released += 1
    return released
