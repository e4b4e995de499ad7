"""Verifications that somebody waits for on the page or over the API: a row that workers move on, step by step.

`pharos audit verify` needs no row: it walks in its own process and trusts nothing in the database but the log.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from security.audit import walking
from security.audit.models import Verification
from security.audit.services import record
from security.audit.walking import Place

log = logging.getLogger(__name__)
AT_ONCE_S = 1.0  # what a request may take for a log that is short
TURN_S = 2.0  # what a worker does before others have their turn
LOST_AFTER = timedelta(seconds=15)


def begin(*, actor: Principal) -> Verification:
    """Verify the log. A short one is done when this returns; a long one goes on in a worker.

    While one walks, everybody gets the same.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            found = Verification.objects.create(
                asked_by=actor.name, started_at=now, moved_at=now, total=walking.length()
            )
            record(actor=actor, action="EXECUTE", resource="audit_log", resource_id=None, verification=found.pk)
    except IntegrityError:
        if running := Verification.objects.filter(is_running=True).first():
            return running
        raise
    if not walk(found, seconds=AT_ONCE_S):
        transaction.on_commit(lambda: send(found.pk))
    return found


def walk(found: Verification, *, seconds: float) -> bool:
    """Go on for so long; True when it is over. Another worker that was quicker has the row, and this one stops."""
    end = time.monotonic() + seconds
    while found.is_running and time.monotonic() < end:
        if not _move(found, timezone.now()):
            found.refresh_from_db()
            break
    return not found.is_running


def _move(found: Verification, now: datetime) -> bool:
    reached = walking.step(Place(found.checked, found.number, found.seal))
    if isinstance(reached, Place):
        news = {"number": reached.number, "seal": reached.seal, "total": max(found.total, walking.length())}
    else:
        news = {"ok": reached.ok, "first_bad": reached.first_bad, "reason": reached.reason}
        news |= {"is_running": False, "ended_at": now}
    news |= {"checked": reached.checked, "moved_at": now}
    seen = Verification.objects.filter(pk=found.pk, is_running=True, number=found.number)
    if not seen.update(**news):
        return False
    for name, value in news.items():
        setattr(found, name, value)
    return True


def send(key: str) -> None:
    """Have a worker go on with it. What gets lost is sent again by the tick."""
    from security.audit.tasks import walk_on

    try:
        walk_on.apply_async((key,), expires=30, retry=False)
    except Exception:  # noqa: BLE001 - whatever the broker's client raises: the row waits for the tick
        log.warning("verification %s could not be sent; it will be sent again", key, exc_info=True)


def tend(*, now: datetime) -> None:
    """Send again what no worker has moved for a while."""
    for found in Verification.objects.filter(is_running=True, moved_at__lt=now - LOST_AFTER)[:1]:
        send(found.pk)
