"""What workers do: backups, and destructions that make one first. The rows are the queue."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from config.stopping import stopping
from fleet.lifecycle import endings, operations
from fleet.lifecycle.acting import act, back_up
from fleet.lifecycle.leases import kept
from fleet.lifecycle.models import Operation
from fleet.providers.base import DESTROY, DriverFailed
from fleet.providers.drivers import driver_of

UNTAKEN = timedelta(seconds=10)
AT_ONCE = 50
LOST = "The process that did this has stopped. Whether the machine was acted upon is not known."
# A backup may take an hour: ticks and other work must find threads meanwhile.
places = threading.BoundedSemaphore(max(1, settings.WORKER_THREADS // 2))


def carry_out(operation_id: UUID) -> None:
    """Make the backup, then destroy if that was asked for. For an operation that is taken or over it does nothing."""
    if stopping.is_set() or not places.acquire(blocking=False):
        return  # the tick sends it again
    try:
        operation = Operation.objects.select_related("instance", "backup").filter(pk=operation_id).first()
        if operation and operations.claim(operation, now=timezone.now()):
            with kept([operation.pk]):
                _do(operation)
    finally:
        places.release()


def _do(operation: Operation) -> None:
    assert operation.backup is not None  # noqa: S101 - only such come here
    try:
        driver = driver_of(operation.instance)
        endings.keep(operation, back_up(driver, operation.backup), now=timezone.now())
        if operation.action == DESTROY:
            act(driver, DESTROY)
        endings.complete(operation, touched=driver.touches, now=timezone.now())
    except DriverFailed as failure:
        endings.fail(operation, str(failure), now=timezone.now())


def tend(*, send: Callable[[str], object], now: datetime) -> int:
    """Settle what was abandoned, send again what nobody took; how many were settled."""
    lost = Operation.objects.abandoned(now).select_related("instance").order_by("lease_until")[:AT_ONCE]
    settled = sum(endings.fail(one, LOST, now=now, lease_until__lt=now) for one in lost)
    for pk in Operation.objects.untaken(now - UNTAKEN).order_by("created_at").values_list("pk", flat=True)[:AT_ONCE]:
        send(str(pk))
    return settled
