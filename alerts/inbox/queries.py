"""Reads of the messages that people find in the product."""

from typing import Any

from django.db.models import QuerySet

from alerts.inbox.models import InboxEntry

MOST_UNREAD = 99


def entries(user: Any) -> QuerySet[InboxEntry]:
    """A person's messages, newest first."""
    return InboxEntry.objects.filter(user=user).order_by("-created_at", "-pk")


def unread_count(user: Any) -> int:
    """How many the person has not read, counted to 99."""
    return InboxEntry.objects.filter(user=user, read_at=None)[:MOST_UNREAD].count()
