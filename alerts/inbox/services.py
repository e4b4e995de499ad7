"""Putting messages into people's boxes, and reading them."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from alerts.inbox.models import InboxEntry
from config import live
from security.accounts.models import Role, User


@transaction.atomic
def put(*, key: str, users: QuerySet[User], alert_id: str | None, now: datetime, **facts: Any) -> int:
    """One entry for each of the users, once for each key; how many users there are. `facts` are columns."""
    facts["title"], facts["text"] = facts["title"][:400], facts["text"][:4000]
    keys = list(users.order_by("pk").values_list("pk", flat=True))
    entries = [InboxEntry(user_id=pk, key=key, alert_id=alert_id, created_at=now, **facts) for pk in keys]
    InboxEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=500)
    transaction.on_commit(lambda: live.publish("alerts", {"kind": "told"}))
    return len(keys)


def readers(*, user_ids: list[str] | None, team_id: str | None) -> QuerySet[User]:
    """Active people, or those of them that are named, who may see what belongs to the team."""
    found = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
    if user_ids is not None:
        found = found.filter(pk__in=user_ids)
    if team_id is not None:
        found = found.filter(Q(role=Role.ADMIN) | Q(pk__in=User.objects.filter(memberships__team=team_id).values("pk")))
    return found


def mark_read(*, user: Any, now: datetime) -> int:
    """Everything of a person is read; how many entries were not."""
    return InboxEntry.objects.filter(user=user, read_at=None).update(read_at=now)
