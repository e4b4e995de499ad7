"""What an instance's own page tells of its price."""

from decimal import Decimal

from costs.catalog.queries import estimate_of
from costs.money import cents
from fleet.instances.beside import Fact
from fleet.instances.models import Instance, Provider, Status

FINE = Decimal("0.0001")


def cost_fact(instance: Instance) -> Fact | None:
    """The estimate by the hour and month, and what it rests on; that no price is known, where none is."""
    if instance.status == Status.DESTROYED:
        return None
    found = estimate_of(instance)
    if found is None:
        provider = Provider(instance.provider).label
        return Fact("Cost", "unknown", f"There are no prices for {provider}.")
    estimate, rate = found
    text = f"{estimate.per_hour.quantize(FINE)} USD an hour, {cents(estimate.total):,} USD a month (estimate)"
    guessed = [] if rate.size_told else ["at least, since neither size nor cores are known"]
    guessed += [] if rate.disk_told else [f"disk taken as {rate.disk_gb:g} GB"]
    size = f"{rate.size} by {rate.prices}"
    return Fact("Cost", text, "; ".join([size, *guessed]), "ui:instance-costs")
