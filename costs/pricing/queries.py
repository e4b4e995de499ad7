"""Which price holds for what, where and on which day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from costs.pricing.models import PriceList
from costs.pricing.shapes import read_document
from costs.pricing.tables import PriceTable, Size, table_of

FILES = Path(__file__).with_name("files")
JSON = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True)
class Price:
    """What a size costs in a region on a day; `table` is where it stands. Amounts in USD."""

    size: Size
    per_hour: Decimal
    per_month: Decimal
    estimate: bool
    table: PriceTable


def price_of(provider: str, region: str | None, size_id: str, day: date) -> Price | None:
    """The price of a size on a UTC day; None when the provider, the size or its price is not known."""
    table = tables_on(day).get(provider)
    size = table.size(size_id) if table else None
    if table is None or size is None or size.price_source == "none":
        return None
    return Price(size, size.hour_in(region), size.month_in(region), table.is_estimate(size, region), table)


def tables_on(day: date) -> dict[str, PriceTable]:
    """The table of each provider that holds on a UTC day.

    Of what administrators put in, the newest that had begun; else the shipped file that had begun, or the first one for
    days before it.
    """
    found = {}
    for table in shipped():
        if table.provider not in found or table.valid_from <= day:
            found[table.provider] = table
    rows = PriceList.objects.filter(valid_from__lte=day).order_by("provider", "valid_from", "version")
    newest = {row["provider"]: row for row in rows.values("provider", "pk", "valid_from", "version")}
    for row in PriceList.objects.filter(pk__in=[row["pk"] for row in newest.values()]):
        found[row.provider] = of_row(row)
    return found


def table_on(provider: str, day: date) -> PriceTable | None:
    """The table of one provider that holds on a UTC day; None for a provider without one."""
    return tables_on(day).get(provider)


def document_on(provider: str, day: date) -> tuple[dict[str, Any], str]:
    """The document behind the table of a provider on a UTC day, and the table's label."""
    table = tables_on(day)[provider]
    if table.shipped:
        return document_in(FILES / f"{table.label}.json"), table.label
    rows = PriceList.objects.filter(provider=provider, valid_from__lte=day)
    return rows.order_by("-valid_from", "-version")[0].document, table.label


def of_row(row: PriceList) -> PriceTable:
    """The table that an administrator put in."""
    document = read_document(row.document | {"valid_from": row.valid_from.isoformat()})
    return table_of(document, label=f"{row.provider} version {row.version} of {row.valid_from}", shipped=False)


@cache
def shipped() -> tuple[PriceTable, ...]:
    """The tables that ship with the product, the oldest of a provider first."""
    return tuple(
        table_of(read_document(document_in(path)), label=path.stem)
        for path in sorted(FILES.glob("*.json"), key=lambda path: path.stem)
    )


def document_in(path: Path) -> Any:
    """The JSON of a file, with numbers as they are written. Raises msgspec.DecodeError, OSError."""
    return JSON.decode(path.read_bytes())
