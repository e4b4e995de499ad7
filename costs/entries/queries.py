"""Entries of the ledger as people look for them, and what one is made of."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from config.api.authentication import Principal
from config.api.errors import NotFound
from costs.ledger.models import CostEntry, EntryQuerySet
from costs.ledger.queries import Amount, Days
from costs.money import share
from fleet.instances.models import Status

NONE = "-"  # the region, or the team, of what has none
USUAL_DAYS = 30


@dataclass(frozen=True)
class Wanted:
    """Which entries: of these days, and of what is named."""

    days: Days
    chosen: dict[str, str] = field(default_factory=dict)  # instance, provider, region, team


def wanted(query: dict[str, str], today: date) -> Wanted:
    """What an address asks for; what cannot be read counts as not asked."""
    if day := read_day(query.get("day", "")):
        days = Days(day, day)
    else:
        last = read_day(query.get("to", "")) or today
        days = Days(read_day(query.get("from", "")) or last - timedelta(days=USUAL_DAYS - 1), last)
    names = ("instance", "provider", "region", "team")
    given = {name: query.get(name, "").replace("\x00", "").strip()[:128] for name in names}
    return Wanted(days, {name: value for name, value in given.items() if value})


def read_day(text: str) -> date | None:
    """A day in ISO 8601; None for anything else, and for one that no ledger reaches."""
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def entries(principal: Principal | None, asked: Wanted) -> EntryQuerySet:
    """Those that the caller may see, the newest day and the dearest first."""
    columns = {"instance": "instance_id", "provider": "provider", "region": "region", "team": "team_id"}
    found = CostEntry.objects.visible_to(principal).select_related("subject")
    found = found.filter(day__gte=asked.days.first, day__lte=asked.days.last)
    for name, value in asked.chosen.items():
        found = found.filter(**{f"subject__{columns[name]}": None if value == NONE else value})
    return found.order_by("-day", "-total_micros", "pk")


def get_visible(principal: Principal | None, pk: int) -> CostEntry:
    """Raises NotFound for an unknown or invisible one."""
    known = pk < 2**63
    found = CostEntry.objects.visible_to(principal).select_related("subject").filter(pk=pk).first() if known else None
    if found is None:
        raise NotFound(f"Entry '{pk}' not found")
    return found


@dataclass(frozen=True)
class Line:
    """One part of an estimate: what, for how long, at which monthly price, and what that makes (micro-dollars)."""

    part: str
    what: str
    seconds: int
    monthly: int
    micros: int
    prices: str
    sure: bool


def lines(entry: CostEntry) -> list[Line]:
    """What the estimate of an entry is made of; empty for one that is a bill's alone."""
    basis, found = entry.basis, []
    spans = basis.get("spans", ())
    for span in spans:
        sure = not span.get("estimate")
        if span["compute"]:
            what = f"{span['size']}, {_size_known(span)}"
            found.append(_line("Compute", what, span["s"], span["compute"], span, sure))
        what = f"{basis.get('disk_gb', 0):g} GiB disk, {str(span['status']).lower()}"
        found.append(_line("Storage", what, span["s"], span["storage"], span, sure))
    running = sum(span["s"] for span in spans if span["status"] == Status.RUNNING)
    if running and basis.get("network"):
        what = f"{basis.get('egress_gb', 0):g} GB sent in 30 days, what is free taken off"
        found.append(_line("Network", what, running, basis["network"], spans[-1], True))
    return found


def _size_known(span: dict[str, Any]) -> str:
    return "its own size" if span.get("size_told") else "the smallest size, for it told nothing of itself"


def _line(part: str, what: str, seconds: int, monthly: int, span: dict[str, Any], sure: bool) -> Line:
    return Line(part, what, seconds, monthly, share(monthly, seconds), span.get("prices", ""), sure)


def amount(entry: CostEntry) -> Amount:
    return Amount(entry.compute_micros, entry.storage_micros, entry.network_micros, entry.llm_micros)
