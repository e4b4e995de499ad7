"""How a day's amounts come about: spans of time at a price (contract: fleet console §15). No database.

A machine that runs costs compute, storage and network; one that is stopped or suspended costs storage; in any other
state it costs nothing. A month's price buys 30 days, and a span costs its share of that by the second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from costs.ledger.models import midnight
from costs.money import micros, share
from costs.pricing.tables import PriceTable
from fleet.instances.models import Event, Status

GIB = 2**30
USUAL_DISK_GB = Decimal(20)
KEPT = (Status.STOPPED, Status.SUSPENDED)
BILLED = (Status.RUNNING, *KEPT)

AFTER = {
    Event.Type.DEPLOY: Status.RUNNING,
    Event.Type.REDEPLOY: Status.DEPLOYING,
    Event.Type.SUSPEND: Status.SUSPENDED,
    Event.Type.RESUME: Status.RUNNING,
    Event.Type.DESTROY: Status.DESTROYED,
    Event.Type.HEARTBEAT_LOST: Status.ERROR,
    Event.Type.HEARTBEAT_RECOVERED: Status.RUNNING,
}
# What an instance was before the first thing that is known of it.
BEFORE = {
    Event.Type.SUSPEND: Status.RUNNING,
    Event.Type.RESUME: Status.SUSPENDED,
    Event.Type.DESTROY: Status.RUNNING,
    Event.Type.HEARTBEAT_LOST: Status.RUNNING,
}


@dataclass(frozen=True)
class Turn:
    """A moment at which the status changed."""

    at: datetime
    before: str
    after: str


def turn_of(type: str, at: datetime, metadata: dict[str, Any] | None) -> Turn:
    """What an event of the instance's history means. A removal may end in another state than DESTROYED."""
    kind = Event.Type(type)
    final = (metadata or {}).get("final_status")
    after = final if kind == Event.Type.DESTROY and final in Status.values else AFTER[kind]
    return Turn(at.replace(microsecond=0), BEFORE.get(kind, Status.UNKNOWN), after)


@dataclass(frozen=True)
class Machine:
    """What prices ask of an instance. `size_id` is what its labels or its deployment tell; None: not told."""

    region: str | None
    size_id: str | None = None
    cores: float | None = None
    memory_gb: float | None = None
    disk_gb: Decimal | None = None
    egress_gb: Decimal = Decimal(0)


@dataclass(frozen=True)
class Rate:
    """What a machine costs a month, in micro-dollars, and where that is from."""

    size: str
    compute: int
    storage: int
    network: int
    prices: str
    estimate: bool
    size_told: bool
    disk_gb: float
    disk_told: bool
    egress_gb: float


def rate_of(machine: Machine, table: PriceTable) -> Rate:
    """The monthly rates. A size that nobody told is the cheapest one that covers the machine."""
    told = table.size(machine.size_id) if machine.size_id else None
    size = told or table.covering(machine.cores, machine.memory_gb)
    disk = machine.disk_gb if machine.disk_gb is not None else USUAL_DISK_GB
    traffic = max(Decimal(0), machine.egress_gb - table.egress_free_gb)
    return Rate(
        size=size.id,
        compute=micros(size.month_in(machine.region)),
        storage=micros(disk * table.storage_gb_month),
        network=micros(traffic * table.egress_gb),
        prices=table.label,
        estimate=table.is_estimate(size, machine.region),
        size_told=told is not None or machine.cores is not None,
        disk_gb=float(disk),
        disk_told=machine.disk_gb is not None,
        egress_gb=float(machine.egress_gb),
    )


def stretches(
    turns: Sequence[Turn], *, since: datetime, until: datetime, known: str | None, current: str
) -> Iterator[tuple[date, datetime, datetime, str]]:
    """The time from `since` to `until` as (day, start, end, status), cut at midnights and at turns.

    `known` is the status at `since` if it was noted; `current` that at `until`. When the history does not lead there,
    the time since its last turn counts with the current one.
    """
    turns = [turn for turn in turns if since < turn.at <= until]
    first = known or (turns[0].before if turns else current)
    states = [first, *(turn.after for turn in turns)]
    states[-1] = current
    cuts = [since, *(turn.at for turn in turns), until]
    for (start, end), status in zip(pairwise(cuts), states, strict=True):
        while start < end:
            day = start.astimezone(UTC).date()
            edge = min(end, midnight(day) + timedelta(days=1))
            yield day, start, edge, status
            start = edge


@dataclass
class DayCount:
    """What is counted of one instance and day; grows with every look."""

    day: date
    counted_until: datetime
    status: str
    spans: list[dict[str, Any]] = field(default_factory=list)
    network: int = 0
    disk_gb: float = 0
    egress_gb: float = 0

    def add(self, start: datetime, end: datetime, status: str, rate: Rate, region: str | None) -> None:
        """Count a stretch of this day. Time that was counted already is left as it is."""
        start = max(start, self.counted_until)
        seconds = int((end - start).total_seconds())
        if seconds < 0:
            return
        if seconds and status in BILLED:
            self._span(seconds, status, rate, region)
        self.network, self.disk_gb, self.egress_gb = rate.network, rate.disk_gb, rate.egress_gb
        self.counted_until, self.status = end, status

    def _span(self, seconds: int, status: str, rate: Rate, region: str | None) -> None:
        span = {
            "status": str(status),
            "size": rate.size,
            "region": region,
            "prices": rate.prices,
            "compute": rate.compute if status == Status.RUNNING else 0,
            "storage": rate.storage,
            "estimate": rate.estimate,
            "size_told": rate.size_told,
        }
        for known in self.spans:
            if {name: value for name, value in known.items() if name != "s"} == span:
                known["s"] += seconds
                return
        self.spans.append(span | {"s": seconds})

    @property
    def billed(self) -> bool:
        return bool(self.spans)

    @property
    def compute_micros(self) -> int:
        return sum(share(span["compute"], span["s"]) for span in self.spans)

    @property
    def storage_micros(self) -> int:
        return sum(share(span["storage"], span["s"]) for span in self.spans)

    @property
    def network_micros(self) -> int:
        running = sum(span["s"] for span in self.spans if span["status"] == Status.RUNNING)
        return share(self.network, running)

    @property
    def basis(self) -> dict[str, Any]:
        return {
            "spans": self.spans,
            "network": self.network,
            "disk_gb": self.disk_gb,
            "egress_gb": self.egress_gb,
        }
