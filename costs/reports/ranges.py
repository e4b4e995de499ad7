"""What every report is asked: a range of days, an instance, a provider (contract: fleet console §15)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from config.api.errors import Invalid, Malformed, NotFound
from config.api.fields import milliseconds
from config.api.parameters import moment
from costs.ledger.models import Subject, visible
from costs.ledger.queries import Days, Scope
from fleet.instances.models import Instance, Provider

RANGE = [
    OpenApiParameter(name, OpenApiTypes.STR, description=text)
    for name, text in (
        ("from", "ISO 8601; 30 days before `to` without it"),
        ("to", "ISO 8601; now without it"),
        ("instanceId", "only this instance"),
        ("provider", "only this provider"),
    )
]
USUAL = timedelta(days=30)
LONGEST = timedelta(days=731)
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A range of time, and whose costs in it."""

    since: datetime
    until: datetime
    scope: Scope

    @property
    def days(self) -> Days:
        return Days.between(self.since, self.until)

    @property
    def period(self) -> dict[str, str | None]:
        return {"periodStart": milliseconds(self.since), "periodEnd": milliseconds(self.until)}


def read_range(request: Any, *, instance_id: str | None = None) -> Asked:
    """The range and the filters of a request. Raises Invalid for what makes no sense, NotFound for an unseen instance.

    Without `to` it ends now, without `from` it begins 30 days before its end.
    """
    until = moment(request, "to") or timezone.now()
    try:
        since = moment(request, "from") or until - USUAL
    except OverflowError:
        raise _invalid("to", "to is before all time that is counted") from None
    if since > until:
        raise _invalid("from", "from must not be after to")
    if since < EARLIEST or until > LATEST:
        raise _invalid("from", f"Costs are counted from {EARLIEST.year} to {LATEST.year}")
    if until - since > LONGEST:
        raise _invalid("from", f"A range may be {LONGEST.days} days long")
    wanted = instance_id or request.GET.get("instanceId") or None
    if wanted:
        check_visible(wanted, request.auth)
    provider = request.GET.get("provider") or None
    if provider is not None and provider not in Provider.values:
        raise _invalid("provider", f"provider must be one of {', '.join(Provider.values)}")
    return Asked(since, until, Scope(request.auth, instance_id=wanted, provider=provider))


def check_visible(instance_id: str, principal: Any) -> None:
    """Raise NotFound unless the caller sees the instance, or, when it has gone, what it cost."""
    if len(instance_id) > 128 or "\x00" in instance_id:
        raise Malformed("Invalid instance ID")
    if Instance.objects.visible_to(principal).filter(pk=instance_id).exists():
        return
    gone = not Instance.objects.filter(pk=instance_id).exists()
    if not (gone and Subject.objects.filter(visible(principal), instance_id=instance_id).exists()):
        raise NotFound(f"Instance '{instance_id}' not found")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
