"""Lines of a bill in FOCUS, the open format that providers export costs in (CSV, version 1.0 and later).

Read are ResourceId, ChargePeriodStart, ChargePeriodEnd, BilledCost and BillingCurrency, and, where they are there,
ServiceCategory, ChargeCategory, SkuId and ChargeDescription.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from costs.money import micros

NEEDED = ("ResourceId", "ChargePeriodStart", "ChargePeriodEnd", "BilledCost", "BillingCurrency")
PARTS = {"Compute": "compute", "Storage": "storage", "Networking": "network", "AI and Machine Learning": "llm"}
GIVEN_BACK = ("Credit", "Adjustment")  # charges that may be below zero
MOST_USD = Decimal(1_000_000)
LONGEST = timedelta(days=366)
MOST_LINES = 500_000
MOST_BYTES = 256 * 1024 * 1024


class Unreadable(Exception):
    """The file is no bill that can be read at all; the text says why."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line. Lines count from 1, the header being the first."""

    line: int
    text: str


@dataclass(frozen=True)
class Line:
    """One charge. `part` is compute, storage, network or llm; what is none of these counts as compute."""

    number: int
    resource: str
    since: datetime
    until: datetime
    part: str
    micros: int
    kind: tuple[str, ...]

    @property
    def about(self) -> tuple:
        """What must not be charged twice for the same time."""
        return (self.resource, self.part, self.kind)


def read(path: Path, *, today: datetime) -> tuple[list[Line], list[Fault]]:
    """The lines of a file and what is wrong with others. Raises Unreadable."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Unreadable(f"The file is larger than {MOST_BYTES // 1024**2} MiB.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read(csv.DictReader(file), today)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"The file cannot be read: {error}") from None


def _read(rows: csv.DictReader, today: datetime) -> tuple[list[Line], list[Fault]]:
    missing = [name for name in NEEDED if name not in (rows.fieldnames or ())]
    if missing:
        raise Unreadable(f"The first line lacks the columns {', '.join(missing)}.")
    lines: list[Line] = []
    faults: list[Fault] = []
    for row in rows:
        if len(lines) + len(faults) >= MOST_LINES:
            raise Unreadable(f"The file has more than {MOST_LINES} lines.")
        try:
            lines.append(_line(rows.line_num, row, today))
        except ValueError as error:
            faults.append(Fault(rows.line_num, str(error)))
    return lines, faults + list(_doubles(lines))


def _line(number: int, row: dict[str, str | None], today: datetime) -> Line:
    values = {name: (row.get(name) or "").strip() for name in (*NEEDED, "ServiceCategory", "ChargeCategory")}
    if not values["ResourceId"] or len(values["ResourceId"]) > 1024 or "\x00" in values["ResourceId"]:
        raise ValueError("ResourceId is missing or is none.")
    if values["BillingCurrency"] != "USD":
        raise ValueError(f"The currency is {values['BillingCurrency'][:20] or 'missing'}; only USD is counted.")
    since, until = (_moment(name, values[name]) for name in ("ChargePeriodStart", "ChargePeriodEnd"))
    if since >= until:
        raise ValueError("ChargePeriodEnd is not after ChargePeriodStart.")
    if until - since > LONGEST:
        raise ValueError(f"The period is longer than {LONGEST.days} days.")
    if until > today:
        raise ValueError("The period is not over yet: only whole days before today (UTC) are billed.")
    part = PARTS.get(values["ServiceCategory"], "compute")
    kind = tuple((row.get(name) or "").strip() for name in ("ChargeCategory", "SkuId", "ChargeDescription"))
    return Line(number, values["ResourceId"], since, until, part, _cost(values), kind)


def _moment(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} is no ISO 8601 time: {text[:40]!r}.") from None
    if found.year < 2000 or found.year > 2200:
        raise ValueError(f"{name} is out of all range.")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _cost(values: dict[str, str]) -> int:
    try:
        cost = Decimal(values["BilledCost"])
    except ArithmeticError:
        cost = Decimal("NaN")
    if not cost.is_finite():
        raise ValueError(f"BilledCost is no amount: {values['BilledCost'][:40]!r}.")
    if abs(cost) > MOST_USD:
        raise ValueError(f"BilledCost is above {MOST_USD} USD.")
    if cost < 0 and values["ChargeCategory"] not in GIVEN_BACK:
        raise ValueError("BilledCost is below zero, and the line is no credit.")
    return micros(cost)


def _doubles(lines: list[Line]) -> Iterator[Fault]:
    """Lines that charge the same for a time that another line charges."""
    before: dict[tuple, Line] = {}
    for line in sorted(lines, key=lambda line: (line.about, line.since, line.until, line.number)):
        other = before.get(line.about)
        if other and line.since < other.until:
            same = (line.since, line.until) == (other.since, other.until)
            word = "charges the same for the same time as" if same else "overlaps the time of"
            yield Fault(line.number, f"This {word} line {other.number}.")
        if other is None or line.until > other.until:
            before[line.about] = line
