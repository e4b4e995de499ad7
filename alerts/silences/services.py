"""Making, changing and ending silences. What is hidden or shown by that happens in the same transaction."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.labels.matchers import in_words
from alerts.silences.applying import apply, facts
from alerts.silences.models import Silence
from alerts.silences.windows import DAYS
from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid
from monitors.monitors.cron import known_zone
from security.audit.services import record

LONGEST = timedelta(days=366)
FIELDS = ("reason", "matchers", "starts_at", "ends_at", "days", "from_time", "minutes", "time_zone")
OVER = "This silence is over; make a new one."


@transaction.atomic
def create_silence(*, actor: Principal, request: Any = None, now: datetime | None = None, **fields: Any) -> Silence:
    """A new silence; `fields` are columns of Silence. Raises Invalid."""
    now = now or timezone.now()
    silence = Silence(created_by=actor.user, **fields)
    _store(silence, now)
    _audit("CREATE", silence, actor, request, after=told(silence))
    return silence


@transaction.atomic
def change_silence(
    *, silence: Silence, actor: Principal, request: Any = None, now: datetime | None = None, **fields: Any
) -> Silence:
    """Set fields of a silence that is not over. Raises Invalid, Conflict."""
    now, before = now or timezone.now(), told(silence)
    if silence.span(now) is None:
        raise Conflict(OVER)
    for name, value in fields.items():
        setattr(silence, name, value)
    _store(silence, now)
    _audit("UPDATE", silence, actor, request, before=before, after=told(silence))
    return silence


@transaction.atomic
def end_silence(*, silence: Silence, actor: Principal, request: Any = None, now: datetime | None = None) -> Silence:
    """End it now; it is kept among the past ones. What still burns is told at once. One that is over stays so."""
    now = now or timezone.now()
    change = {"ended_at": now, "active": False, "next_at": None}
    if silence.span(now) is None or not Silence.objects.filter(pk=silence.pk, ended_at=None).update(**change):
        return silence
    for name, value in change.items():
        setattr(silence, name, value)
    apply(now=now)
    _audit("DELETE", silence, actor, request, before=told(silence))
    return silence


def told(silence: Silence) -> dict[str, Any]:
    """What the audit notes."""
    return {name: getattr(silence, name) for name in FIELDS} | {"matchers": in_words(silence.matchers)}


def _store(silence: Silence, now: datetime) -> None:
    if faults := _faults(silence, now):
        raise Invalid(next(iter(faults.values()))[0], details=faults)
    for name, value in facts(silence, now).items():
        setattr(silence, name, value)
    silence.save()
    apply(now=now)


def _faults(silence: Silence, now: datetime) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if not silence.matchers:
        found["matchers"] = ["Say which alerts: at least one matcher. To silence all, use severity =~ .*"]
    if not known_zone(silence.time_zone):
        found["timeZone"] = ["This time zone is not known. Names look like Europe/Berlin."]
    if silence.ends_at is not None and silence.ends_at <= max(silence.starts_at, now):
        found["endsAt"] = ["The end must lie ahead, and after the beginning."]
    if (silence.from_time is None) != (silence.minutes is None):
        found["minutes"] = ["A silence that repeats needs both a time of day and minutes."]
    elif silence.from_time is None and silence.ends_at is None:
        found["endsAt"] = ["A silence that does not repeat needs an end."]
    elif silence.from_time is None and silence.ends_at - silence.starts_at > LONGEST:
        found["endsAt"] = ["At most 366 days."]
    if any(not 0 <= day < len(DAYS) for day in silence.days):
        found["days"] = ["Days are 0 (Monday) to 6 (Sunday)."]
    elif silence.days and silence.from_time is None:
        found["days"] = ["Days belong to a silence that repeats: it needs a time of day and minutes."]
    return found


def _audit(action: str, silence: Silence, actor: Principal, request: Any, **more: Any) -> None:
    record(actor=actor, action=action, resource="silence", resource_id=silence.pk, request=request, **more)
