"""The list of instances, and its rows that move by themselves."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from config.api.permissions import DEVELOPER, OPERATOR, VIEWER
from config.pages import page
from fleet.instances.listing import (
    SILENT,
    SORTS,
    STATES,
    Filters,
    figures_of,
    in_order_of,
    ordered,
    regions,
    state_of,
    with_columns,
)
from fleet.instances.models import Instance, Provider
from security.saved import services as saved

PER_PAGE = 50


@page(VIEWER)
def instances(request: HttpRequest) -> HttpResponse:
    """All instances that the reader may see; filters, order and page are in the address."""
    now = timezone.now()
    filters, sort = chosen(request)
    shown = Paginator(listed(request, filters, sort, now), PER_PAGE).get_page(request.GET.get("page"))
    mine = Instance.objects.visible_to(request.principal)
    filtered = any(vars(filters).values())
    context = {
        "page": shown,
        "filters": filters,
        "filtered": filtered,
        "states": STATES,
        "providers": Provider.choices,
        "regions": regions(mine),
        "none_at_all": not shown.paginator.count and not (filtered and mine.existing().exists()),
        "may_add": request.principal.may_somewhere(OPERATOR),
        "api_path": api_path(filters),
        "views": saved.views(request.principal, "instances"),
        "view_query": saved.cleaned(request.GET.urlencode()),
        **rows_of(request, list(shown.object_list), sort, now),
    }
    return render(request, "fleet/instances.html", context)


@page(VIEWER)
def rows(request: HttpRequest) -> HttpResponse:
    """The same rows in the same order as the page has them (`shown`, ids with commas between), with fresh figures.

    When the order or the set has changed, a pill offers to load the list anew.
    """
    now = timezone.now()
    filters, sort = chosen(request)
    query = request.GET.copy()
    ids = [one for one in "".join(query.pop("shown", [])).split(",") if one][:PER_PAGE]
    request.GET = query  # type: ignore[assignment] # without what only this address has: links are made from it
    found = in_order_of(ids, with_columns(Instance.objects.visible_to(request.principal)))
    fresh = Paginator(listed(request, filters, sort, now).values_list("pk", flat=True), PER_PAGE)
    now_shown = list(fresh.get_page(request.GET.get("page")).object_list)
    context = rows_of(request, found, sort, now) | {
        "new": len(set(now_shown) - set(ids)),
        "moved": now_shown != ids,
        "fresh_url": f"{reverse('ui:instances')}?{request.GET.urlencode()}",
    }
    return render(request, "fleet/instance_rows.html", context)


def chosen(request: HttpRequest) -> tuple[Filters, str]:
    """Filters and sort order of the address; what is not known counts as not chosen."""
    values = {name: request.GET.get(name, "").replace("\x00", "").strip()[:256] for name in Filters.__annotations__}
    values["state"] = values["state"].upper()
    if values["state"] not in dict(STATES):
        values["state"] = ""
    if values["provider"] not in Provider.values:
        values["provider"] = ""
    sort = request.GET.get("sort", "name")
    return Filters(**values), sort if sort.removeprefix("-") in SORTS else "name"


def listed(request: HttpRequest, filters: Filters, sort: str, now: datetime) -> QuerySet[Instance]:
    mine = with_columns(Instance.objects.visible_to(request.principal))
    return ordered(filters.apply(mine, now), sort, now)


def rows_of(request: HttpRequest, found: list[Instance], sort: str, now: datetime) -> dict[str, Any]:
    """What the rows' template reads."""
    query = request.GET.copy()
    query["shown"] = ",".join(instance.pk for instance in found)
    return {
        "rows": [{"instance": one, "state": state_of(one, now), **figures_of(one, now)} for one in found],
        "rows_url": f"{reverse('ui:instance-rows')}?{query.urlencode(safe=',')}",
        "sort": sort,
        "may_select": request.principal.may_somewhere(DEVELOPER),
        "may_operate": request.principal.may_somewhere(OPERATOR),
    }


def api_path(filters: Filters) -> str:
    """The same list through the API; it knows no labels and no silence."""
    asked = {"status": "" if filters.state == SILENT else filters.state, "provider": filters.provider}
    asked |= {"region": filters.region, "search": filters.q}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/api/v1/instances?{query}" if query else "/api/v1/instances"
