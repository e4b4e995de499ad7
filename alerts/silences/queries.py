"""Reads of silences."""

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from alerts.incidents.models import Alert, Status
from alerts.labels.matchers import matches
from alerts.silences.models import Silence, SilenceQuerySet
from config.api.authentication import Principal
from config.api.errors import Malformed, NotFound

MOST = 1000  # silences that are asked at once


def covering(labels: Mapping[str, str], *, now: datetime) -> list[Silence]:
    """The silences that hide an alert with these labels at that moment."""
    return [one for one in active(now) if matches(one.matchers, labels)]


def active(now: datetime) -> list[Silence]:
    """Silences that hide alerts at that moment, oldest first."""
    return [one for one in Silence.objects.running(now).order_by("starts_at", "pk")[:MOST] if one.covers(now)]


def active_count() -> int:
    """How many silences are active, for the header of every page."""
    return Silence.objects.running(timezone.now()).filter(active=True).count()


def get_silence(silence_id: str) -> Silence:
    """The silence. Raises Malformed for an impossible id, else NotFound."""
    if len(silence_id) > 128 or "\x00" in silence_id:
        raise Malformed("Invalid silence ID")
    found = Silence.objects.select_related("created_by").filter(pk=silence_id).first()
    if found is None:
        raise NotFound(f"Silence '{silence_id}' not found")
    return found


TABS = ("active", "coming", "past")


def state_of(silence: Silence, now: datetime) -> str:
    """`active`, `coming` (a later span) or `past`."""
    span = silence.span(now)
    if span is None:
        return "past"
    return "active" if span[0] <= now else "coming"


def in_state(state: str, now: datetime) -> SilenceQuerySet:
    """Silences of a state; newest first. Which of the unfinished ones is active, the stored look says."""
    newest = Silence.objects.select_related("created_by").order_by("-starts_at", "-pk")
    if state == "past":
        return newest.exclude(pk__in=Silence.objects.unfinished(now).values("pk"))
    return newest.filter(pk__in=Silence.objects.unfinished(now).filter(active=state == "active").values("pk"))


def hidden(principal: Principal | None, silences: list[Silence]) -> dict[str, int]:
    """How many of the alerts that the reader may see each silence hides now, by its id."""
    labels = list(Alert.objects.visible_to(principal).filter(status=Status.SILENCED).values_list("labels", flat=True))
    return {one.pk: sum(matches(one.matchers, each) for each in labels) for one in silences}


def would_hide(principal: Principal | None, matchers: list[dict[str, str]]) -> list[Alert]:
    """Open alerts that the reader may see and that matchers choose, newest first."""
    waiting = Alert.objects.visible_to(principal).filter(status__in=(Status.ACTIVE, Status.SILENCED))
    return [
        alert
        for alert in waiting.select_related("instance", "monitor").newest_first()[:5000]
        if matches(matchers, alert.labels)
    ]
