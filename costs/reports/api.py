"""Reports of the ledger over HTTP (contract: fleet console §15)."""

from datetime import date, timedelta
from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from config.api.errors import Invalid
from config.api.fields import milliseconds
from config.api.permissions import VIEWER
from config.api.views import ApiView
from costs.ledger import queries as ledger
from costs.ledger.models import CostEntry
from costs.ledger.queries import Amount
from costs.money import percent, wire
from costs.reports import queries
from costs.reports.ranges import RANGE, read_range
from fleet.instances.models import Instance

GROUPS = ("instance", "provider", "region", "team", "label")
BY = OpenApiParameter("by", OpenApiTypes.STR, description="instance, provider, region, team or label")
LABEL = OpenApiParameter("label", OpenApiTypes.STR, description="the label's name, with by=label")


def _json(body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


class Summary(ApiView):
    """What everything cost, by part, provider and instance."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponse:
        asked = read_range(request)
        providers = ledger.totals_by("provider", asked.days, asked.scope)
        body = {
            **queries.figures(sum(providers.values(), Amount())),
            "byProvider": {provider: wire(amount.total) for provider, amount in providers.items()},
            "byInstance": queries.by_instance(asked.days, asked.scope),
        }
        return _json(body | asked.period)


class Trends(ApiView):
    """What each day cost, by provider too, and what each team cost."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE, responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponse:
        asked = read_range(request)
        daily = ledger.daily_totals_by("provider", asked.days, asked.scope)
        points: dict[date, Amount] = {}
        for (day, _), amount in daily.items():
            points[day] = points.get(day, Amount()) + amount
        total = sum(points.values(), Amount())
        before = ledger.total(asked.days.before(), asked.scope)
        summary = {
            **queries.figures(total),
            **asked.period,
            "instanceCount": ledger.instance_count(asked.days, asked.scope),
            "changePercent": queries.change_percent(total, before),
        }
        return _json(
            {
                "granularity": "day",
                "points": [{"date": str(day)} | queries.figures(amount) for day, amount in points.items()],
                "byProvider": [
                    {"date": str(day), "provider": provider, "totalUsd": wire(amount.total)}
                    for (day, provider), amount in daily.items()
                ],
                "byTeam": queries.by_team(asked.days, asked.scope),
                "summary": summary,
            }
        )


class Breakdown(ApiView):
    """What each instance cost, or each provider, region, team or value of a label, and its share of it all."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=[*RANGE, BY, LABEL], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> HttpResponse:
        asked, by = read_range(request), _grouping(request)
        groups = queries.breakdown(asked.days, asked.scope, by=by)
        whole = sum(group.amount.total for group in groups)
        rows = [
            _about(group) | queries.figures(group.amount) | {"percentOfTotal": percent(group.amount.total, whole)}
            for group in groups
        ]
        return _json({"rows": rows, "totalUsd": wire(whole), **asked.period})


class InstanceCosts(ApiView):
    """What one instance cost, day by day, and what each amount is made of."""

    roles = {"get": VIEWER}

    @extend_schema(parameters=RANGE[:2], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, id: str) -> HttpResponse:
        asked = read_range(request, instance_id=id)
        entries = list(ledger.entries(asked.days, asked.scope).newest_first().select_related("subject"))
        name, provider = _named(id, entries)
        total = sum((ledger.amount_of(entry) for entry in entries), Amount())
        about = {"instanceId": id, "instanceName": name, "provider": provider}
        return _json(about | queries.figures(total) | {"entries": [_entry(entry) for entry in entries]})


def _grouping(request: Request) -> str:
    by = request.query_params.get("by") or "instance"
    if by not in GROUPS:
        raise Invalid("There is no such grouping", details={"by": [f"by must be one of {', '.join(GROUPS)}"]})
    label = request.query_params.get("label", "")
    if by == "label" and not 1 <= len(label) <= 128:
        raise Invalid("Give the name of the label", details={"label": ["Give a name of 1 to 128 characters."]})
    return f"label:{label}" if by == "label" else by


def _about(group: queries.Group) -> dict[str, Any]:
    if subject := group.subject:
        about = {"instanceId": subject.instance_id, "instanceName": subject.instance_name}
        return about | {"provider": subject.provider, "region": subject.region}
    return {"key": group.key, "name": group.name, "instanceCount": group.instances}


def _named(instance_id: str, entries: list[CostEntry]) -> tuple[str, str]:
    """Name and provider now, else as the ledger knew them last."""
    now = Instance.objects.filter(pk=instance_id).values_list("name", "provider").first()
    if now:
        return now
    subject = entries[0].subject if entries else ledger.last_subject(instance_id)
    return subject.instance_name, subject.provider


def _entry(entry: CostEntry) -> dict[str, Any]:
    """`basis` tells the spans of time and prices, or the bill, that the amounts are made of."""
    whole_day = entry.period_start + timedelta(days=1)
    return {
        "id": str(entry.pk),
        "periodStart": milliseconds(entry.period_start),
        "periodEnd": milliseconds(min(entry.counted_until, whole_day)),
        **queries.figures(ledger.amount_of(entry)),
        "currency": "USD",
        "source": entry.source,
        "estimatedUsd": None if entry.estimated_micros is None else wire(entry.estimated_micros),
        "basis": entry.basis,
    }
