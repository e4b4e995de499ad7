"""Reads of rules."""

from django.db.models import Count, Q

from alerts.incidents.models import OPEN
from alerts.rules.models import Rule, RuleQuerySet
from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound


def visible(principal: Principal | None) -> RuleQuerySet:
    """What the caller may see with `alert_count`, `open_count` and channels, newest first."""
    rows = Rule.objects.visible_to(principal).select_related("instance", "team").prefetch_related("channels")
    return rows.annotate(
        alert_count=Count("alerts"), open_count=Count("alerts", filter=Q(alerts__status__in=OPEN))
    ).newest_first()


def get_visible(*, principal: Principal | None, rule_id: str) -> Rule:
    """The rule if the caller may see it. Raises Malformed for an impossible id, else NotFound."""
    if len(rule_id) > 128 or "\x00" in rule_id:
        raise Malformed("Invalid rule ID")
    rule = visible(principal).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound(f"Rule '{rule_id}' not found")
    return rule
