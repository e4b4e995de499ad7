"""Reads of advice about sizes."""

from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound
from costs.rightsizing.models import Analysis, Recommendation, RecommendationQuerySet


def advice(principal: Principal | None, *, dismissed: bool = False) -> RecommendationQuerySet:
    """What the caller may see, the largest saving first; what was dismissed only when asked for."""
    found = Recommendation.objects.visible_to(principal).select_related("instance").largest_first()
    return found if dismissed else found.open()


def get_visible(*, principal: Principal | None, pk: str) -> Recommendation:
    """Raises Malformed for an impossible id, NotFound for an unknown or invisible one."""
    if len(pk) > 128 or "\x00" in pk:
        raise Malformed("Invalid recommendation ID")
    found = advice(principal, dismissed=True).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"Recommendation '{pk}' not found")
    return found


def last_pass() -> Analysis | None:
    """When the fleet was looked at last, and what came of it; None before the first time."""
    return Analysis.objects.filter(pk=1, started_at__year__gt=1970).first()
