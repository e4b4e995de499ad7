"""Reads of policies and rotations."""

from collections.abc import Iterable

from django.db.models import QuerySet

from alerts.incidents.models import Alert
from alerts.labels.matchers import matches
from alerts.policies.models import Policy, Rotation
from config.api.errors import Malformed, NotFound


def policies() -> QuerySet[Policy]:
    """Every policy with its steps, in the order in which they are asked."""
    steps = ("steps__channels", "steps__rotation")
    return Policy.objects.prefetch_related(*steps).order_by("position", "name", "pk")


def assign(alerts: Iterable[Alert]) -> None:
    """Set the policy of alerts with labels: the first that matches and has steps."""
    enabled = Policy.objects.filter(enabled=True, steps__isnull=False).distinct().order_by("position", "name", "pk")
    known = list(enabled)
    for alert in alerts:
        alert.policy = next((one for one in known if matches(one.matchers, alert.labels)), None)


def get_policy(key: str) -> Policy:
    """Raises Malformed for an impossible id, else NotFound."""
    return _found(policies(), key, "Policy")


def rotations() -> QuerySet[Rotation]:
    return Rotation.objects.prefetch_related("steps__policy").order_by("name", "pk")


def get_rotation(key: str) -> Rotation:
    """Raises Malformed for an impossible id, else NotFound."""
    return _found(rotations(), key, "Rotation")


def _found(rows: QuerySet, key: str, noun: str):
    if len(key) > 128 or "\x00" in key:
        raise Malformed(f"Invalid {noun.lower()} ID")
    row = rows.filter(pk=key).first()
    if row is None:
        raise NotFound(f"{noun} '{key}' not found")
    return row
