"""The page of sizes: what can be rented, for how much, and what one would cost."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.api.errors import ApiError
from config.api.permissions import VIEWER
from config.pages import page
from costs.catalog import queries
from costs.catalog.queries import Estimate
from costs.pricing.shapes import PROVIDERS

USUAL = {"disk_gb": "20", "egress_gb": "10"}
MOST = Decimal(10**6)


@page(VIEWER)
def catalog(request: HttpRequest) -> HttpResponse:
    """The sizes of a provider; with a size chosen its estimate. All choices are in the address."""
    given = request.GET.get("provider", "")
    provider = given if given in PROVIDERS else PROVIDERS[0]
    places = queries.regions(provider)
    region = request.GET.get("region", "")
    region = region if region in {one["id"] for one in places} else ""
    amounts = {name: request.GET.get(name, usual)[:20] for name, usual in USUAL.items()}
    context: dict[str, Any] = {
        "place": "catalog",
        "provider": provider,
        "providers": queries.providers(),
        "regions": places,
        "region": region,
        "size": request.GET.get("size", "").replace("\x00", "")[:128],
        "amounts": amounts,
        "api_path": f"/api/v1/providers/{provider}/compute-catalog",
    }
    try:
        context["catalog"] = queries.catalog(provider, region or None)
        context["estimate"] = _estimate(context) if context["size"] else None
    except ApiError as error:
        context["fault"] = error.message
    return render(request, "costs/catalog.html", context)


def _estimate(context: dict[str, Any]) -> Estimate:
    """Raises NotFound for an unknown size, Malformed amounts count as a fault of the form."""
    return queries.estimate(
        context["provider"],
        context["size"],
        region=context["region"] or None,
        **{name: _number(text) for name, text in context["amounts"].items()},
    )


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ApiError(f"{text!r} is no number of gigabytes") from None
    if not value.is_finite() or not 0 <= value <= MOST:
        raise ApiError("Gigabytes are from 0 to 1,000,000")
    return value
