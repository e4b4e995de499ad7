"""What demo machines write into their logs."""

from datetime import datetime, timedelta
from random import Random

from alerts.demo.names import HOT, Machine
from fleet.logs.entries import Entry, entry
from fleet.logs.models import Level, Source

GAP = timedelta(minutes=12)  # between two lines of a machine in its history
TOLD = {
    "web": (
        (70, Level.INFO, Source.APP, "GET /products/{n} 200 in {ms} ms"),
        (14, Level.INFO, Source.APP, "POST /cart 201 in {ms} ms"),
        (9, Level.WARN, Source.APP, "slow upstream: api answered after {ms}0 ms"),
        (4, Level.ERROR, Source.APP, "GET /checkout 502: upstream time out"),
        (3, Level.INFO, Source.SYSTEM, "certificate is valid for 61 days"),
    ),
    "api": (
        (64, Level.INFO, Source.APP, "order {n} accepted in {ms} ms"),
        (20, Level.DEBUG, Source.APP, "cache hit for product {n}"),
        (11, Level.WARN, Source.APP, "retry 1 of 3 for payment {n}"),
        (5, Level.ERROR, Source.APP, "payment {n} failed: card was declined"),
    ),
    "db": (
        (66, Level.INFO, Source.SYSTEM, "checkpoint complete: wrote {n} buffers"),
        (22, Level.INFO, Source.SYSTEM, "automatic vacuum of table shop.orders"),
        (12, Level.WARN, Source.SYSTEM, "query took {ms}0 ms: SELECT … FROM orders"),
    ),
}


def line(seed: int, machine: Machine, at: datetime) -> Entry:
    """One line at a moment. The busy database complains about slow queries."""
    random = Random(f"{seed}:{machine.name}:line:{int(at.timestamp())}")  # noqa: S311 - pictures, not secrets
    choices = TOLD[machine.role][2:] if machine.name == HOT else TOLD[machine.role]
    _, level, source, text = random.choices(choices, weights=[one[0] for one in choices])[0]
    ms, n = random.randrange(12, 190), random.randrange(1000, 9999)
    facts = {"ms": ms, "role": machine.role, "place": machine.place}
    return entry(
        at,
        instance_id=machine.id,
        level=level,
        source=source,
        message=text.format(ms=ms, n=n),
        metadata=facts,
    )


def history(seed: int, machine: Machine, since: datetime, until: datetime) -> list[Entry]:
    """The lines of a stretch of time, oldest first."""
    at, found = since + timedelta(seconds=17 * machine.order), []
    while at < until:
        found.append(line(seed, machine, at))
        at += GAP
    return found
