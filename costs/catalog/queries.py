"""What machines can be rented where and for how much, and what one would cost (contract: fleet console §26)."""

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psutil
from django.conf import settings
from django.utils import timezone

from config.api.errors import NotFound, Unavailable
from config.api.fields import milliseconds
from costs.ledger.accrual import KEPT, Rate, rate_of
from costs.ledger.machines import machine_of
from costs.ledger.models import midnight
from costs.money import usd
from costs.pricing.queries import table_on
from costs.pricing.shapes import PROVIDERS
from costs.pricing.tables import HOURS_A_MONTH, PriceTable, Size
from fleet.instances.models import Instance, Provider, Status
from fleet.instances.places import regions as known_regions
from fleet.providers.base import Machine
from fleet.providers.drivers import DRIVERS
from fleet.providers.none import NoDriver

DESCRIPTIONS = {
    "fly": "Virtual machines close to users, billed by the second",
    "docker": "Containers on a machine of your own",
    "digitalocean": "Virtual machines at a price by the month",
    "e2b": "Sandboxes for code, billed by the second",
    "kubernetes": "Pods in a cluster of your own",
    "runpod": "Machines with graphics cards, billed by the second",
    "northflank": "Containers at a price by the month",
    "aws": "Virtual machines of Amazon EC2",
    "gcp": "Virtual machines of Google Compute Engine",
    "azure": "Virtual machines of Microsoft Azure",
}
OWN_PLACES = {
    "docker": ("local", "This machine", "where Pharos runs"),
    "kubernetes": ("default", "Default cluster", "your own cluster"),
    "e2b": ("default", "Default", "chosen by E2B"),
}
GIB = 2**30


@dataclass(frozen=True)
class Estimate:
    """What a machine costs a month, in USD, by part; nothing is rounded. `uncertain`: a price is not truly known."""

    compute: Decimal
    storage: Decimal
    network: Decimal
    uncertain: bool = False

    @property
    def total(self) -> Decimal:
        return self.compute + self.storage + self.network

    @property
    def per_hour(self) -> Decimal:
        return self.total / HOURS_A_MONTH


def providers() -> list[dict[str, str]]:
    """The providers that things can be deployed to, by id."""
    return [{"id": one, "name": Provider(one).label, "description": DESCRIPTIONS[one]} for one in PROVIDERS]


def check_provider(provider: str) -> None:
    """Raise NotFound for a provider that there is no catalog of."""
    if provider not in PROVIDERS:
        raise NotFound(f"Provider '{provider[:64]}' not found")


def availability() -> dict[str, dict[str, Any]]:
    """Whether something can be deployed at each provider now, and why not."""
    return {provider: _available(provider) for provider in PROVIDERS}


def _available(provider: str) -> dict[str, Any]:
    kind = DRIVERS[settings.PROVIDER_DRIVERS.get(provider, NoDriver.name)]
    if not kind.touches:
        return {"available": False, "reason": "No driver is set up for it, so Pharos keeps records only."}
    if not kind.deploys:
        return {"available": False, "reason": f"{kind.title} can act on what runs there, and cannot deploy."}
    lacking = kind(Machine(instance_id="", name="", provider=provider)).lacking
    return {"available": False, "reason": lacking} if lacking else {"available": True}


def regions(provider: str) -> list[dict[str, str]]:
    """Where the provider has machines, as its own codes."""
    check_provider(provider)
    if provider in OWN_PLACES:
        return [dict(zip(("id", "name", "location"), OWN_PLACES[provider], strict=True))]
    found = [(code, place) for (owner, code), (_, _, place) in known_regions().items() if owner == provider]
    return [{"id": code, "name": place, "location": place} for code, place in found]


def catalog(provider: str, region: str | None = None, *, today: date | None = None) -> dict[str, Any]:
    """All sizes with their prices in a region. Raises NotFound, or Unavailable when no table is known."""
    table = _table(provider, today)
    return {
        "sizes": [_described(table, size, region) for size in sizes(table, region)],
        "storage_pricing": {"gb_per_month": float(table.storage_gb_month)},
        "network_pricing": {
            "egress_gb_price": float(table.egress_gb),
            "egress_free_gb": float(table.egress_free_gb),
        },
        "fetched_at": milliseconds(midnight(table.as_of)),
        "source": "fallback",
    }


def sizes(table: PriceTable, region: str | None = None) -> list[Size]:
    """The sizes that there are in a region; of Docker those that fit on this machine, or else the smallest."""
    found = [size for size in table.sizes if not (region and size.regions) or region in size.regions]
    if table.provider != Provider.DOCKER:
        return found
    cores, memory_gb = os.cpu_count() or 1, psutil.virtual_memory().total / GIB
    return [size for size in found if size.vcpus <= cores and float(size.memory_gb) <= memory_gb] or found[:1]


def estimate(
    provider: str,
    size_id: str,
    *,
    disk_gb: Decimal = Decimal(20),
    egress_gb: Decimal = Decimal(10),
    region: str | None = None,
    today: date | None = None,
) -> Estimate:
    """What a machine of that size would cost a month. Raises NotFound for an unknown provider or size."""
    table = _table(provider, today)
    size = next((one for one in sizes(table, region) if one.id == size_id), None)
    if size is None:
        raise NotFound(f"Size '{size_id[:128]}' not found")
    return Estimate(
        compute=size.month_in(region),
        storage=disk_gb * table.storage_gb_month,
        network=max(Decimal(0), egress_gb - table.egress_free_gb) * table.egress_gb,
        uncertain=table.is_estimate(size, region) or bool(table.estimates),
    )


def estimate_of(instance: Instance) -> tuple[Estimate, Rate] | None:
    """What an instance costs a month as it is now, and what that rests on; None where no price is known.

    In a state that nothing is paid for, its costs while it runs.
    """
    now = timezone.now()
    table = table_on(instance.provider, now.date())
    if table is None or not table.priced:
        return None
    rate = rate_of(machine_of(instance, now=now), table)
    stopped = instance.status in (*KEPT, Status.DESTROYED)
    compute, network = (0, 0) if stopped else (rate.compute, rate.network)
    return Estimate(usd(compute), usd(rate.storage), usd(network), rate.estimate), rate


def _table(provider: str, today: date | None) -> PriceTable:
    check_provider(provider)
    table = table_on(provider, today or timezone.now().date())
    if table is None:
        raise Unavailable(f"No prices are known for {provider}")
    return table


def _described(table: PriceTable, size: Size, region: str | None) -> dict[str, Any]:
    gpu = {"gpu_name": size.gpu_name, "gpu_count": size.gpu_count, "gpu_memory_gb": _number(size.gpu_memory_gb)}
    return {
        "id": size.id,
        "name": size.name,
        "provider": table.provider,
        "category": size.category,
        "vcpus": _number(size.vcpus),
        "memory_gb": _number(size.memory_gb),
        "storage_gb": _number(size.storage_gb),
        **{name: value for name, value in gpu.items() if value is not None},
        "price_per_hour": float(size.hour_in(region)),
        "price_per_month": float(size.month_in(region)),
        "price_source": size.price_source,
        "estimate": table.is_estimate(size, region),
        **({"regions": list(size.regions)} if size.regions else {}),
    }


def _number(value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
