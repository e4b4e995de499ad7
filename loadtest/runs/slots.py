"""The places for load tests in one worker process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


def capacity() -> int:
    """Load tests that one worker process makes at once: as set, else some of its threads, for ticks need theirs."""
    return settings.LOAD_MAX_CONCURRENT or max(1, settings.WORKER_THREADS * 3 // 8)


class Slots:
    """`with slots.taken() as free:` holds a place; `free` is False when there was none."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), 0

    @contextmanager
    def taken(self) -> Iterator[bool]:
        with self._lock:
            free = self._taken < capacity()
            self._taken += free
        try:
            yield free
        finally:
            with self._lock:
                self._taken -= free


slots = Slots()
coordinators = Slots()  # of runs that other workers make: they only wait and add up
