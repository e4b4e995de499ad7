"""The lines that wait for a scraper (contract: signals §7.1)."""

from collections import deque

from django.db import transaction

from loadtest.signals.running.models import Chunk

MOST_LINES = 1000


def take(scenario_id: str, *, limit: int) -> list[str]:
    """The most recent `limit` lines, oldest first; the buffer is empty then. Each line goes to one caller only."""
    with transaction.atomic():
        chunks = list(Chunk.objects.select_for_update().filter(scenario=scenario_id).order_by("pk"))
        Chunk.objects.filter(pk__in=[chunk.pk for chunk in chunks]).delete()
    lines: deque[str] = deque(maxlen=min(limit, MOST_LINES))
    for chunk in chunks:
        lines.extend(chunk.lines.split("\n"))
    return list(lines)
