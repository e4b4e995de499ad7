"""Whoever acts on a machine says so all the time; when it falls silent, somebody else settles the matter."""

import logging
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import Error, connection
from django.utils import timezone

from fleet.lifecycle.models import Operation, Progress

log = logging.getLogger(__name__)
LEASE = timedelta(seconds=60)
RENEW_S = 15.0


@contextmanager
def kept(operations: Iterable[UUID]) -> Any:
    """Renew the leases of these operations within the block, from a thread of its own."""
    ids, over = list(operations), threading.Event()
    thread = threading.Thread(target=_renew, args=(ids, over), name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(ids: list[UUID], over: threading.Event) -> None:
    try:
        while not over.wait(RENEW_S):
            mine = Operation.objects.filter(pk__in=ids, status=Progress.IN_PROGRESS)
            try:
                mine.update(lease_until=timezone.now() + LEASE)
            except Error:  # the next time is early enough
                log.warning("leases could not be renewed", exc_info=True)
                connection.close()
    finally:
        connection.close()
