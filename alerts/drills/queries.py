"""Reads of drills."""

from django.db.models import QuerySet

from alerts.drills.models import Drill
from alerts.rules.models import Rule
from config.api.authentication import Principal
from config.api.errors import NotFound


def visible(principal: Principal | None) -> QuerySet[Drill]:
    """Drills of the rules that the caller may see, the newest first."""
    rules = Rule.objects.visible_to(principal)
    return Drill.objects.filter(rule__in=rules).select_related("rule").order_by("-started_at", "-pk")


def get_visible(*, principal: Principal | None, pk: str) -> Drill:
    """Raises NotFound."""
    drill = visible(principal).filter(pk=pk[:64].replace("\x00", "")).first()
    if drill is None:
        raise NotFound(f"Drill '{pk[:64]}' not found")
    return drill
