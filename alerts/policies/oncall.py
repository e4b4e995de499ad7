"""Who is on call: plain rules over a rotation (turns by the wall clock of its time zone)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.policies.models import Rotation
from security.accounts.models import User


@dataclass(frozen=True)
class Turn:
    """One person's turn, in UTC."""

    user_id: str
    starts_at: datetime
    ends_at: datetime


def turn_at(rotation: Rotation, now: datetime, *, later: int = 0) -> Turn | None:
    """The turn that holds the moment, or one of those after it; None before the first turn or without members."""
    if not rotation.members:
        return None
    zone = ZoneInfo(rotation.time_zone)
    first = datetime.combine(rotation.starts_on, rotation.hands_over_at)
    days = (now.astimezone(zone).replace(tzinfo=None) - first) / timedelta(days=1)
    number = int(days // rotation.turn_days) + later
    if number < 0:
        return None

    def moment(turn: int) -> datetime:
        return (first + timedelta(days=turn * rotation.turn_days)).replace(tzinfo=zone).astimezone(UTC)

    return Turn(rotation.members[number % len(rotation.members)], moment(number), moment(number + 1))


def on_call(rotation: Rotation, now: datetime) -> Any | None:
    """Who is on call: an active user; one who has left is passed over for the next in the order."""
    if turn_at(rotation, now) is None:
        return None
    people = {user.pk: user for user in User.objects.filter(pk__in=rotation.members, is_active=True)}
    for later in range(len(rotation.members)):
        turn = turn_at(rotation, now, later=later)
        if turn and turn.user_id in people:
            return people[turn.user_id]
    return None
