"""Forgetting packages that no instance has any more."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from security.bom.models import Component, Installed

KEPT = timedelta(days=1)  # a list that is just being stored may mean a new one
MOST = 5_000  # in one go


def tidy(*, now: datetime) -> int:
    """Delete components without an instance; how many."""
    used = Installed.objects.filter(component_id=OuterRef("pk"))
    idle = Component.objects.filter(~Exists(used), created_at__lt=now - KEPT).order_by("pk")
    _, counts = Component.objects.filter(pk__in=list(idle.values_list("pk", flat=True)[:MOST])).delete()
    return counts.get(Component._meta.label, 0)
