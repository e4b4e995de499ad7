"""Loading demo data, keeping it moving, and removing it without a trace."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from alerts.demo import checks, figures, fleet, loads, removal, ruled, security, spending
from alerts.demo.models import ONLY, DemoData
from alerts.demo.names import SEED, of_seed
from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict
from security.audit.services import record

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=3)  # longer than making it takes


@transaction.atomic
def ask(*, actor: Principal | None, seed: int = SEED, request: Any = None, now: datetime | None = None) -> DemoData:
    """Want demo data; a worker makes it at once. Raises Conflict when there is some."""
    try:
        with transaction.atomic():
            row = DemoData.objects.create(pk=ONLY, seed=seed, requested_at=now or timezone.now())
    except IntegrityError:
        raise Conflict("There is demo data already. Remove it first.") from None
    record(actor=actor, action="CREATE", resource="demo_data", resource_id=str(seed), request=request)
    transaction.on_commit(_wake)
    return row


def _wake() -> None:
    from alerts.demo.tasks import tend

    try:
        tend.delay()
    except Exception:  # noqa: BLE001 - whatever the broker's client raises: the tick does it
        log.warning("making demo data could not be asked for; the tick does it", exc_info=True)


def tend(*, now: datetime | None = None) -> str:
    """Make what is wanted, or move what is there; what was done: "", "loaded" or "moved"."""
    now = now or timezone.now()
    row = DemoData.objects.filter(pk=ONLY).first()
    if row is None:
        return ""
    if row.loaded_at is None:
        return "loaded" if load(row, now=now) else ""
    names = of_seed(row.seed)
    fleet.move(names, now, hot_since=row.requested_at - timedelta(seconds=figures.HOT_FOR_S))
    checks.move(names, now)
    return "moved"


def load(row: DemoData, *, now: datetime) -> bool:
    """Make all of it; False while somebody else does. What a dead worker left half done is completed."""
    free = DemoData.objects.filter(pk=ONLY, loaded_at=None).exclude(lease_until__gt=now)
    if not free.update(lease_until=now + LEASE):
        return False
    names, hot_since = of_seed(row.seed), now - timedelta(seconds=figures.HOT_FOR_S)
    # First what moves at once, so that the pages live while the history is being made.
    fleet.make(names, now)
    fleet.move(names, now, hot_since=hot_since)
    ruled.make(names)
    security.make(names, now)
    checks.make(names, now)
    checks.queue_two(names, now)
    checks.move(names, now)
    loads.make(names, now)
    fleet.make_history(names, now)
    spending.make(names, now)
    if not DemoData.objects.filter(pk=ONLY, lease_until=now + LEASE).update(loaded_at=now, lease_until=None):
        removal.remove(names, since=now - fleet.DAY)  # it was removed meanwhile
        return False
    live.publish_all([("fleet", {"kind": "demo"}), ("alerts", {"kind": "demo"}), ("monitors", {"kind": "demo"})])
    return True


def remove(*, actor: Principal | None, request: Any = None) -> bool:
    """Take all demo data away and nothing else; False when there is none. The row goes first, so nothing moves on."""
    with transaction.atomic():
        row = DemoData.objects.filter(pk=ONLY).first()
        if row is None:
            return False
        row.delete()
        record(actor=actor, action="DELETE", resource="demo_data", resource_id=str(row.seed), request=request)
    removal.remove(of_seed(row.seed), since=row.requested_at - fleet.DAY)
    live.publish_all([("fleet", {"kind": "demo"}), ("alerts", {"kind": "demo"}), ("monitors", {"kind": "demo"})])
    return True
