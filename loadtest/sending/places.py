"""How many requests one process sends by hand at once: each takes a thread that answers requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings

from config.api.errors import TooMany

SPARED = 2  # threads that are left for everything else
WAIT_S = 1.0

_places = BoundedSemaphore(max(1, settings.ASGI_THREADS - SPARED))


@contextmanager
def place() -> Iterator[None]:
    """Hold a place; raises TooMany when none becomes free within a second."""
    if not _places.acquire(timeout=WAIT_S):
        raise TooMany("Too many requests are being sent at this moment; try again in a second", retry_after=1)
    try:
        yield
    finally:
        _places.release()
