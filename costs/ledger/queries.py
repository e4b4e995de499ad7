"""Sums of the ledger. Amounts are whole micro-dollars; every figure of a report comes from here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from config.api.authentication import Principal
from config.timeseries import Query, rows_of
from costs.ledger.models import (
    PARTS,
    ClosedWeek,
    CostEntry,
    DayTotal,
    EntryQuerySet,
    Subject,
    WeekTotal,
    midnight,
    visible,
)
from costs.ledger.totals import WEEK
from costs.money import usd

COLUMNS = tuple(f"{part}_micros" for part in PARTS)
SUBJECT = ("instance_id", "instance_name", "provider", "region", "team_id", "team_name", "labels")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """UTC days from `first` to `last`, both in it; empty when `last` is before `first`."""

    first: date
    last: date

    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    @classmethod
    def between(cls, since: datetime, until: datetime) -> "Days":
        """The days whose first moment lies from `since` to `until`, both in it (contract: fleet console §15)."""
        first = since.date() if since == midnight(since.date()) else since.date() + ONE_DAY
        return cls(first, until.date())

    def before(self) -> "Days":
        """As many days, right before these."""
        return Days(self.first - len(self) * ONE_DAY, self.first - ONE_DAY)


@dataclass(frozen=True)
class Scope:
    """Whose costs. Without a `principal` everything (`Scope()` is the whole fleet, for the platform's own checks)."""

    principal: Principal | None = None
    instance_id: str | None = None
    provider: str | None = None
    region: str | None = None
    team_id: str | None = None

    def where(self, prefix: str) -> Q:
        """The condition on entries (`prefix` "subject__"), or on subjects and day totals ("")."""
        found = visible(self.principal, prefix) if self.principal is not None else Q()
        for name in ("instance_id", "provider", "region", "team_id"):
            if (value := getattr(self, name)) is not None:
                found &= Q(**{f"{prefix}{name}": value})
        return found

    @property
    def of_single(self) -> bool:
        """Whether it names one instance: day totals do not tell instances apart."""
        return self.instance_id is not None or bool(self.principal and self.principal.instance_id)


@dataclass(frozen=True)
class Amount:
    """Micro-dollars by part; `total` is their sum."""

    compute: int = 0
    storage: int = 0
    network: int = 0
    llm: int = 0

    @property
    def total(self) -> int:
        return self.compute + self.storage + self.network + self.llm

    @property
    def usd(self) -> Any:
        """The total in USD, exact (Decimal)."""
        return usd(self.total)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(*(getattr(self, part) + getattr(other, part) for part in PARTS))


def amount_of(entry: CostEntry) -> Amount:
    return Amount(entry.compute_micros, entry.storage_micros, entry.network_micros, entry.llm_micros)


def entries(days: Days, scope: Scope) -> EntryQuerySet:
    """The entries of these days."""
    return CostEntry.objects.filter(scope.where("subject__"), day__gte=days.first, day__lte=days.last)


def total(days: Days, scope: Scope) -> Amount:
    """What all of it cost."""
    return sum(daily_totals(days, scope).values(), Amount())


def daily_totals(days: Days, scope: Scope) -> dict[date, Amount]:
    """By day, in order; only days with entries."""
    return {day: amount for (day,), amount in _sums(_rows(days, scope), ["day"])}


def totals_by(field: str, days: Days, scope: Scope) -> dict[Any, Amount]:
    """By `provider`, `region` or `team_id` (None: of no team or region), the dearest first."""
    prefix = "subject__" if scope.of_single else ""
    found = [(key, amount) for (key,), amount in _sums(_rows(days, scope), [prefix + field])]
    return dict(sorted(found, key=lambda pair: (-pair[1].total, pair[0] or "")))


def daily_totals_by(field: str, days: Days, scope: Scope) -> dict[tuple[date, Any], Amount]:
    """By day and `provider`, `region` or `team_id`, in order of the day."""
    prefix = "subject__" if scope.of_single else ""
    return dict(_sums(_rows(days, scope), ["day", prefix + field]))


def by_subject(days: Days, scope: Scope) -> list[tuple[Subject, Amount]]:
    """By what instances were; one row for each subject that has entries in these days, the oldest first."""
    rows = _subject_rows(days, scope, ["id", *SUBJECT], COLUMNS)
    width = 1 + len(SUBJECT)
    found = []
    for row in rows:
        facts = dict(zip(("id", *SUBJECT), row[:width], strict=True))
        facts["labels"] = json.loads(facts["labels"]) if isinstance(facts["labels"], str) else facts["labels"]
        found.append((Subject(**facts), Amount(*row[width:])))
    return found


def subject_totals(days: Days, scope: Scope) -> list[tuple[str, str, int]]:
    """Instance, its name and the total of each subject with entries in these days, the newest subject last."""
    return _subject_rows(days, scope, ["instance_id", "instance_name"], ["total_micros"])


def _subject_rows(days: Days, scope: Scope, about: list[str], amounts: Sequence[str]) -> list[tuple]:
    """Columns of subjects and their sums: closed weeks from their totals, the other days from entries, in one read."""
    weeks, spans = _split(days)
    sources, params = [], []
    columns = ", ".join(amounts)
    if weeks:
        marks = ", ".join(["%s"] * len(weeks))
        sources.append(f"SELECT subject_id, {columns} FROM {WeekTotal._meta.db_table} WHERE week IN ({marks})")  # noqa: S608
        params += weeks
    for first, last in spans:
        sources.append(f"SELECT subject_id, {columns} FROM {CostEntry._meta.db_table} WHERE day >= %s AND day <= %s")  # noqa: S608
        params += [first, last]
    if not sources:
        return []
    sums = ", ".join(f"CAST(SUM({name}) AS bigint) AS {name}" for name in amounts)
    chosen, more = Subject.objects.filter(scope.where("")).order_by().values("pk").query.sql_with_params()
    sql = f"""
        SELECT {", ".join(f"s.{name}" for name in about)}, {", ".join(f"t.{name}" for name in amounts)}
        FROM (SELECT subject_id, {sums} FROM ({" UNION ALL ".join(sources)}) parts GROUP BY subject_id) t
        JOIN {Subject._meta.db_table} s ON s.id = t.subject_id
        WHERE s.id IN ({chosen}) ORDER BY s.id
    """  # noqa: S608 - names from here, values as parameters
    return rows_of(Query(sql, [*params, *more]))


def _split(days: Days) -> tuple[list[date], list[tuple[date, date]]]:
    """The closed weeks that lie in these days, and the spans of days beside them."""
    closed = ClosedWeek.objects.filter(week__gte=days.first, week__lte=days.last - WEEK + ONE_DAY)
    weeks = list(closed.order_by("week").values_list("week", flat=True))
    spans, start = [], days.first
    for week in [*weeks, days.last + ONE_DAY]:
        if start < week:
            spans.append((start, week - ONE_DAY))
        start = week + WEEK
    return weeks, spans


def instance_count(days: Days, scope: Scope) -> int:
    """How many instances have an entry in these days."""
    some = CostEntry.objects.filter(subject=OuterRef("pk"), day__gte=days.first, day__lte=days.last)
    return Subject.objects.filter(scope.where(""), Exists(some)).aggregate(n=Count("instance_id", distinct=True))["n"]


def month_to_date(scope: Scope, *, today: date | None = None) -> Amount:
    """What was spent since the first of the month (UTC), today's part included as far as it is counted."""
    today = today or timezone.now().date()
    return total(Days(today.replace(day=1), today), scope)


def last_entry(instance_id: str) -> CostEntry | None:
    """The newest entry of an instance."""
    return CostEntry.objects.filter(instance_id=instance_id).order_by("-day").first()


def last_subject(instance_id: str) -> Subject:
    """What an instance was last. Raises Subject.DoesNotExist when the ledger never knew it."""
    return Subject.objects.filter(instance_id=instance_id).latest("pk")


def counted_s(entry: CostEntry) -> int:
    """Seconds of its day that an estimate covers; a whole day's has 86,400."""
    return sum(span["s"] for span in entry.basis.get("spans", ()))


def _rows(days: Days, scope: Scope) -> QuerySet:
    """Day totals, or entries when single instances are asked for."""
    if scope.of_single:
        return entries(days, scope)
    return DayTotal.objects.filter(scope.where(""), day__gte=days.first, day__lte=days.last)


def _sums(rows: QuerySet, keys: Iterable[str]) -> list[tuple[tuple, Amount]]:
    keys = list(keys)
    found: Iterable[Mapping[str, Any]] = (
        rows.order_by(*keys)
        .values(*keys)
        .annotate(rows=Count("pk"), **{f"{part}_sum": Sum(f"{part}_micros") for part in PARTS})
    )
    return [(tuple(row[key] for key in keys), Amount(*(int(row[f"{part}_sum"]) for part in PARTS))) for row in found]
