"""Ends sessions that nobody may have or needs any more (contract: fleet console §32.5, §34.1)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from fleet.terminals import recording, services
from fleet.terminals.models import TerminalSession
from fleet.terminals.rights import objection

OPEN_WITHIN = timedelta(minutes=1)
GRACE = timedelta(minutes=5)
IDLE = timedelta(hours=1)
SEEN_WITHIN = timedelta(seconds=90)
PACK_AFTER = timedelta(seconds=10)
Status = TerminalSession.Status


def look_after(*, now: datetime | None = None) -> None:
    """End what has to end; make recordings of what has ended."""
    now = now or timezone.now()
    lost = TerminalSession.objects.active().filter(seen_at__lte=now - SEEN_WITHIN, opened_at__isnull=False)
    lost.exclude(attachment__startswith=services.SHARED).update(
        status=Status.DISCONNECTED, attachment="", disconnected_at=now
    )
    for session in TerminalSession.objects.live().select_related("instance", "user").order_by("created_at", "pk"):
        if reason := _too_long(session, now) or objection(session):
            services.end(session=session, reason=reason, now=now)
    for session in TerminalSession.objects.filter(status=Status.CLOSED, packed=False, ended_at__lte=now - PACK_AFTER):
        recording.pack(session, now=now)


def _too_long(session: TerminalSession, now: datetime) -> str:
    if session.opened_at is None:
        return "it was never opened" if session.created_at <= now - OPEN_WITHIN else ""
    if session.disconnected_at and session.disconnected_at <= now - GRACE:
        return "nobody came back within 5 minutes"
    return "nothing was typed for an hour" if session.last_input_at <= now - IDLE else ""


def prune(*, now: datetime | None = None) -> None:
    """Drop ended sessions and their recordings after the days that settings keep them."""
    before = (now or timezone.now()) - timedelta(days=settings.KEEP_DAYS["terminals"])
    TerminalSession.objects.filter(status=Status.CLOSED, ended_at__lt=before).delete()
