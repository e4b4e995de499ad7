"""What a price table says, as plain values. Prices are exact decimals in USD."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

HOURS_A_MONTH = 730  # what a month's price is when a provider tells only that of an hour


@dataclass(frozen=True)
class Size:
    """A machine that can be rented. `estimate`: the true price is not known."""

    id: str
    name: str
    vcpus: Decimal
    memory_gb: Decimal
    per_hour: Decimal
    per_month: Decimal
    category: str = "cpu"
    storage_gb: Decimal = Decimal(0)
    estimate: bool = False
    price_source: str = "static"
    gpu_name: str | None = None
    gpu_count: int | None = None
    gpu_memory_gb: Decimal | None = None
    regions: tuple[str, ...] = ()
    regional: dict[str, Decimal] = field(default_factory=dict)  # price of an hour where it differs

    def month_in(self, region: str | None) -> Decimal:
        """The price of a month in a region; where nothing else is told, that of the table."""
        if region in self.regional:
            return self.regional[region] * HOURS_A_MONTH
        return self.per_month

    def hour_in(self, region: str | None) -> Decimal:
        return self.regional.get(region or "", self.per_hour)


@dataclass(frozen=True)
class PriceTable:
    """The prices of one provider from the UTC day `valid_from` on.

    `label` names it wherever a figure rests on it. A price counts as an estimate when the table says so, or when the
    region is not the one that the prices are of and the table has no price for it.
    """

    provider: str
    name: str
    label: str
    valid_from: date
    source: str
    as_of: date
    base_region: str | None
    sizes: tuple[Size, ...]
    storage_gb_month: Decimal
    egress_gb: Decimal
    egress_free_gb: Decimal
    notes: str = ""
    estimates: tuple[str, ...] = ()
    shipped: bool = True

    @property
    def priced(self) -> bool:
        """Whether it tells what a machine costs; machines at one's own place have sizes and no prices."""
        return any(size.price_source != "none" for size in self.sizes)

    def size(self, id: str) -> Size | None:
        return next((size for size in self.sizes if size.id == id), None)

    @cached_property
    def ordered(self) -> list[Size]:
        """The sizes without a graphics card (with one, if there are no others), the cheapest first."""
        plain = [size for size in self.sizes if size.category == "cpu"] or list(self.sizes)
        return sorted(plain, key=lambda size: (size.per_month, size.memory_gb, size.vcpus, size.id))

    def covering(self, cores: float | None, memory_gb: float | None) -> Size:
        """The cheapest size that has as many cores and as much memory; the largest when none has.

        What is not known asks for nothing.
        """
        sizes = self.ordered
        for size in sizes:
            if float(size.vcpus) >= (cores or 0) and float(size.memory_gb) >= (memory_gb or 0):
                return size
        return max(sizes, key=lambda size: (size.memory_gb, size.vcpus, size.per_month))

    def is_estimate(self, size: Size, region: str | None) -> bool:
        elsewhere = region is not None and self.base_region is not None and region != self.base_region
        return size.estimate or (elsewhere and region not in size.regional)


def table_of(document: dict[str, Any], *, label: str, shipped: bool = True) -> PriceTable:
    """The table of a checked document (`costs.pricing.shapes`)."""
    return PriceTable(
        provider=document["provider"],
        name=document["name"],
        label=label,
        valid_from=document["valid_from"],
        source=document["source"],
        as_of=document["as_of"],
        base_region=document.get("base_region"),
        sizes=tuple(_size(one) for one in document["sizes"]),
        storage_gb_month=document["storage"]["gb_per_month"],
        egress_gb=document["network"]["egress_gb_price"],
        egress_free_gb=document["network"]["egress_gb_free"],
        notes=document.get("notes", ""),
        estimates=tuple(name for name in ("storage", "network") if document[name].get("estimate")),
        shipped=shipped,
    )


def _size(given: dict[str, Any]) -> Size:
    fields = {name: value for name, value in given.items() if name not in ("price_per_hour", "price_per_month")}
    hour, month = prices(given.get("price_per_hour"), given.get("price_per_month"))
    fields["regions"] = tuple(fields.get("regions", ()))
    return Size(per_hour=hour, per_month=month, **fields)


def prices(hour: Decimal | None, month: Decimal | None) -> tuple[Decimal, Decimal]:
    """Both prices, of which at least one is told."""
    if month is None:
        month = (hour or Decimal(0)) * HOURS_A_MONTH
    if hour is None:
        hour = (month / HOURS_A_MONTH).quantize(Decimal("0.000001"))
    return hour, month
