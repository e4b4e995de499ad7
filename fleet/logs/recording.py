"""The transaction that stores log entries: lines, counts by the hour, and word to those who follow."""

from collections import Counter, defaultdict
from datetime import timedelta

from django.core.cache import cache
from django.db import transaction

from config import live, timeseries
from fleet.logs.entries import EPOCH, Entry
from fleet.logs.models import COUNTS, ENTRIES

HOUR = timedelta(hours=1)
FOLLOWED_S = 60
MOST_IN_EVENT = 200


def record(entries: list[Entry]) -> None:
    """Store entries; all or nothing."""
    rows = [entry.row() for entry in entries]
    counts = Counter(((at - EPOCH) // HOUR, *about) for _, at, *about, _, _, _ in rows)
    with transaction.atomic():
        timeseries.insert(ENTRIES, rows)
        timeseries.add(COUNTS, [(EPOCH + hour * HOUR, *about, number) for (hour, *about), number in counts.items()])
        transaction.on_commit(lambda: _publish(entries))


def topic(instance_id: str) -> str:
    return f"logs:{instance_id}"


def follow(instance_ids: list[str]) -> None:
    """Ask for the lines of these instances as events for the next minute: nobody pays for what nobody reads."""
    cache.set_many({_followed(one): True for one in instance_ids}, FOLLOWED_S)


def _followed(instance_id: str) -> str:
    return f"logs-followed:{instance_id}"


def _publish(entries: list[Entry]) -> None:
    """Every entry of followed instances, in the order in which they came."""
    by_instance: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_instance[entry.instance_id].append(entry)
    followed = cache.get_many([_followed(one) for one in by_instance])
    live.publish_all(
        (topic(one), {"kind": "logs", "entries": [entry.wire() for entry in lines[start : start + MOST_IN_EVENT]]})
        for one, lines in by_instance.items()
        if _followed(one) in followed
        for start in range(0, len(lines), MOST_IN_EVENT)
    )
