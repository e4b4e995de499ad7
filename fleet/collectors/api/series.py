"""Reads of series [ours]: which an instance has, their points, and charts of them."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from config.api.errors import Invalid
from config.api.fields import milliseconds
from config.api.pagination import integer, page_body
from config.api.parameters import moment
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.collectors.models import Series
from fleet.collectors.series import charts, queries
from fleet.instances.queries import get_visible
from fleet.metrics.queries import RANGES

HOUR = timedelta(hours=1)
DAY_S = 86400
LONGEST = 255


class SeriesView(ApiView):
    """Reads of what collectors told of the instances that the caller sees."""

    roles = {"get": VIEWER}

    def text(self, name: str) -> str:
        value = self.request.GET.get(name, "").strip()
        if len(value) > LONGEST or "\x00" in value:
            raise _invalid(name, f"{name} may have at most {LONGEST} characters and no NUL")
        return value

    def span(self) -> tuple[datetime, datetime]:
        """`range`, or `from` and `to`, each with a default: the last hour. Raises Invalid."""
        now = timezone.now()
        if name := self.request.GET.get("range"):
            if name not in RANGES:
                raise _invalid("range", f"range must be one of {', '.join(RANGES)}")
            return now - timedelta(seconds=RANGES[name][0]), now
        until = moment(self.request, "to") or now
        since = moment(self.request, "from") or until - HOUR
        if since >= until:
            raise _invalid("from", "'from' must be before 'to'")
        oldest = now - timedelta(days=settings.KEEP_DAYS["samples"] + 1)
        return max(since, oldest), max(until, oldest + HOUR)


class SeriesList(SeriesView):
    """The series of an instance, by name. `search` looks for text in names, `name` for exactly one."""

    def get(self, request: Any, id: str) -> HttpResponse:
        instance = get_visible(instance_id=id, principal=request.principal)
        found = queries.of_instance(instance, search=self.text("search"), name=self.text("name"))
        size = "pageSize" if "pageSize" in request.GET else "limit"
        limit, page = integer(request, size, 20, 1, 500), integer(request, "page", 1, 1, 1_000_000)
        rows = [_wire(one) for one in found[(page - 1) * limit : page * limit]]
        return _json(page_body("series", rows, page=page, limit=limit, total=found.count()))


class SeriesPoints(SeriesView):
    """The points of one series from `from` to `to`, or what each `step` seconds come to; at most 2,000."""

    def get(self, request: Any, id: str) -> HttpResponse:
        series, (since, until) = queries.get_visible(series_id=id, principal=request.principal), self.span()
        step_s = integer(request, "step", 0, 0, DAY_S)
        found = queries.values([series], since=since, until=until, step_s=step_s).get(series.pk, [])
        points = [
            {"timestamp": milliseconds(one.at), "value": one.value, "max": one.highest, "perSecond": one.per_s}
            for one in found
        ]
        span = {"from": milliseconds(since), "to": milliseconds(until), "step": step_s}
        return _json({"series": _wire(series), **span, "points": points})


class SeriesChart(SeriesView):
    """Curves of the series with one `name`, as the pages draw them."""

    def get(self, request: Any, id: str) -> HttpResponse:
        instance = get_visible(instance_id=id, principal=request.principal)
        since, until = self.span()
        max_points = integer(request, "maxPoints", 300, 10, 2000)
        series = list(queries.of_instance(instance, name=self.text("name") or "-")[: charts.MOST_CURVES])
        return _json(charts.chart(series, since=since, until=until, max_points=max_points))


def _wire(one: Series) -> dict[str, Any]:
    return {
        "id": str(one.pk),
        "instanceId": one.instance_id,
        "name": one.name,
        "unit": one.unit or None,
        "kind": one.kind,
        "labels": one.labels,
        "firstAt": milliseconds(one.first_at),
        "lastAt": milliseconds(one.last_at),
    }


def _json(body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})
