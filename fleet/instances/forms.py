"""Fields of forms that are about instances."""

from config.api.authentication import Principal
from fleet.instances.models import Instance

MOST = 1000


def instance_choices(principal: Principal, least: str) -> list[tuple[str, str]]:
    """The instances on which the person has at least that role, by name."""
    visible = Instance.objects.visible_to(principal).existing().order_by("name", "pk")
    rows = visible.values_list("pk", "name", "team_id")[:MOST]
    return [(pk, name) for pk, name, team_id in rows if principal.may(least, team_id=team_id)]
