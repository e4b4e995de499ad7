"""Taking a bill into the ledger: all of it or nothing (contract: fleet console §15).

A bill takes the place of the estimate of a day, which stays beside it. What was billed before is left as it is: the
same amounts change nothing, and others are refused unless they are to replace the earlier ones.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from costs.billing.lines import Fault, Line, read
from costs.ledger import machines
from costs.ledger.models import PARTS, CostEntry, Source, Subject, midnight
from costs.ledger.queries import Amount, amount_of
from costs.ledger.totals import close_weeks, sum_up
from costs.money import cents
from fleet.instances.models import Instance
from security.audit.services import record

BATCH = 500
RESOURCE_LABEL = "resource_id"
MOST_LINES_KEPT = 20  # numbers of lines that an entry names


class Refused(Exception):
    """The bill was not taken in; `faults` tell why, line by line."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} lines cannot be taken in")
        self.faults = sorted(faults, key=lambda fault: (fault.line, fault.text))


@dataclass
class Taken:
    """What came of a bill. Amounts in micro-dollars; `estimated` is what the same days were estimated to cost."""

    lines: int = 0
    skipped: int = 0
    new: int = 0
    reconciled: int = 0
    replaced: int = 0
    unchanged: int = 0
    billed: int = 0
    estimated: int = 0
    days: set[date] = field(default_factory=set)


@dataclass
class Charge:
    """What a bill says of one instance and day."""

    amount: Amount = field(default_factory=Amount)
    lines: list[int] = field(default_factory=list)


@transaction.atomic
def take_in(path: Path, *, replace: bool = False, skip_unknown: bool = False, now: datetime | None = None) -> Taken:
    """Take a bill into the ledger. Raises Unreadable, or Refused with every fault; then nothing was changed."""
    now = (now or timezone.now()).astimezone(UTC)
    lines, faults = read(path, today=midnight(now.date()))
    owners, unknown = _owners(lines)
    if not skip_unknown:
        faults += unknown
    known = [line for line in lines if line.resource in owners]
    charges: dict[tuple[str, date], Charge] = defaultdict(Charge)
    for line in known:
        for day, share in _by_day(line):
            charge = charges[owners[line.resource], day]
            charge.amount += Amount(**{line.part: share})
            charge.lines.append(line.number)
    entries = _entries(charges)
    faults += _against(charges, entries, replace)
    if faults:
        raise Refused(faults)
    taken = Taken(lines=len(known), skipped=len(lines) - len(known))
    _write(charges, entries, path.name, taken, now)
    facts = {"file": path.name[:200], "lines": taken.lines, "billed_usd": str(cents(taken.billed))}
    record(actor=None, action="CREATE", resource="cost_import", resource_id=None, after=facts)
    return taken


def _owners(lines: list[Line]) -> tuple[dict[str, str], list[Fault]]:
    """The instance of each resource: by its id, the agent's id, the label `resource_id`, or a name that only it has."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted.setdefault(line.resource, line.number)
    found: dict[str, set[str]] = defaultdict(set)
    by_name: dict[str, set[str]] = defaultdict(set)
    rows = Instance.objects.values_list("pk", "external_id", "name", "tags")
    for pk, external_id, name, tags in rows.iterator(chunk_size=2000):
        for key in {pk, external_id, (tags or {}).get(RESOURCE_LABEL)} & wanted.keys():
            found[key].add(pk)
        if name in wanted:
            by_name[name].add(pk)
    owners, faults = {}, []
    for resource, number in wanted.items():
        several = found.get(resource) or by_name.get(resource) or set()
        if len(several) == 1:
            owners[resource] = next(iter(several))
        else:
            what = "more than one instance" if several else "no instance"
            faults.append(Fault(number, f"The resource {resource[:100]!r} is {what} here."))
    return owners, faults


def _by_day(line: Line) -> Iterator[tuple[date, int]]:
    """A line's cost by UTC day, by the share of time; the days add up to the line."""
    whole, passed, given = line.until - line.since, timedelta(0), 0
    start = line.since
    while start < line.until:
        end = min(line.until, midnight(start.date()) + timedelta(days=1))
        passed += end - start
        so_far = line.micros * passed // whole if passed < whole else line.micros
        yield start.date(), so_far - given
        given, start = so_far, end


def _entries(charges: dict[tuple[str, date], Charge]) -> dict[tuple[str, date], CostEntry]:
    ids, days = sorted({id for id, _ in charges}), {day for _, day in charges}
    found = {}
    for start in range(0, len(ids), BATCH):
        rows = CostEntry.objects.filter(instance_id__in=ids[start : start + BATCH])
        rows = rows.filter(day__gte=min(days), day__lte=max(days)).select_for_update()
        found |= {(row.instance_id, row.day): row for row in rows}
    return {key: found[key] for key in charges if key in found}


def _against(
    charges: dict[tuple[str, date], Charge], entries: dict[tuple[str, date], CostEntry], replace: bool
) -> Iterator[Fault]:
    """What speaks against the amounts of single days."""
    for key, charge in charges.items():
        entry = entries.get(key)
        if any(getattr(charge.amount, part) < 0 for part in PARTS):
            yield Fault(charge.lines[-1], f"The credits of {key[1]} are more than its charges.")
        elif entry and entry.source != Source.ESTIMATED and not replace and amount_of(entry) != charge.amount:
            text = f"{key[1]} is billed with {cents(entry.total_micros)} USD already, and this bill says"
            yield Fault(charge.lines[0], f"{text} {cents(charge.amount.total)} USD. Replace it to take the new amount.")


def _write(
    charges: dict[tuple[str, date], Charge],
    entries: dict[tuple[str, date], CostEntry],
    file: str,
    taken: Taken,
    now: datetime,
) -> None:
    subjects = _subjects(sorted({id for id, _ in charges}), now)
    changed = []
    for (instance_id, day), charge in charges.items():
        entry = entries.get((instance_id, day))
        taken.billed += charge.amount.total
        taken.estimated += (entry.estimated_micros or 0) if entry else 0
        if entry and entry.source != Source.ESTIMATED and amount_of(entry) == charge.amount:
            taken.unchanged += 1
            continue
        if entry is None:
            entry = CostEntry(instance_id=instance_id, day=day, subject_id=subjects[instance_id], status="UNKNOWN")
            entry.source = Source.ACTUAL
            taken.new += 1
        elif entry.source == Source.ESTIMATED:
            entry.source = Source.RECONCILED
            taken.reconciled += 1
        else:
            taken.replaced += 1
        for part in PARTS:
            setattr(entry, f"{part}_micros", getattr(charge.amount, part))
        entry.total_micros, entry.counted_until = charge.amount.total, midnight(day) + timedelta(days=1)
        entry.basis = entry.basis | {"bill": {"file": file[:200], "lines": charge.lines[:MOST_LINES_KEPT]}}
        taken.days.add(day)
        changed.append(entry)
    new = [entry for entry in changed if entry.pk is None]
    CostEntry.objects.bulk_update(
        [entry for entry in changed if entry.pk is not None],
        [*(f"{part}_micros" for part in (*PARTS, "total")), "source", "counted_until", "basis"],
        batch_size=BATCH,
    )
    CostEntry.objects.bulk_create(new, batch_size=BATCH)
    sum_up(taken.days)
    close_weeks(today=now.date())


def _subjects(ids: list[str], now: datetime) -> dict[str, int]:
    """What each instance is now, for days that the ledger did not know."""
    found = {}
    for start in range(0, len(ids), BATCH):
        instances = Instance.objects.filter(pk__in=ids[start : start + BATCH])
        known = machines.read(instances, now=now, turns_since=now)
        keys = Subject.keys_of({one.digest: one.facts for one in known})
        found |= {one.id: keys[one.digest] for one in known}
    return found
