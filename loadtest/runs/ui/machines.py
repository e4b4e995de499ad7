"""What chosen instances did meanwhile, on the time axis of a run: CPU and memory."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from config.api.permissions import VIEWER
from config.pages import page
from fleet.instances.models import Instance
from fleet.metrics import charts
from fleet.metrics.sources import Scope
from loadtest.runs import beside
from loadtest.runs.models import Run
from loadtest.runs.ui import subject, ticks

MOST, OFFERED, POINTS = 4, 200, 300
ROUND_IT = timedelta(seconds=30)  # samples come seldom: those just before and after belong to the picture


@page(VIEWER)
def chart(request: HttpRequest, pk: str) -> JsonResponse:
    """The data of the chart, for the instances of the address."""
    found = subject.get(pk)
    newest = ticks.last(found)
    return JsonResponse(drawn(found, chosen(request), newest))


def about(request: HttpRequest, found: Run, newest: dict[str, Any] | None) -> dict[str, Any]:
    """`{offered, chosen, chart, url, topic, cost}` for the page; instances that one may not see are not there."""
    wanted = chosen(request)
    begun, ended = span(found, newest, timezone.now())
    offered = Instance.objects.visible_to(request.principal).order_by("name", "pk").only("id", "name")[:OFFERED]
    address = reverse("ui:load-run-machines", args=[found.pk])
    return {
        "offered": list(offered),
        "chosen": [one.pk for one in wanted],
        "chart": drawn(found, wanted, newest) if wanted else None,
        "url": f"{address}?{urlencode({'instance': [one.pk for one in wanted]}, doseq=True)}",
        "topic": "" if found.is_over else " ".join(f"instance:{one.pk}" for one in wanted),
        "cost": beside.cost(wanted, begun, ended, newest["totalRequests"] if newest else 0),
    }


def chosen(request: HttpRequest) -> list[Instance]:
    keys = [key.replace("\x00", "") for key in request.GET.getlist("instance")[:MOST]]
    return (
        list(Instance.objects.visible_to(request.principal).filter(pk__in=keys).order_by("name", "pk")) if keys else []
    )


def drawn(found: Run, instances: list[Instance], newest: dict[str, Any] | None) -> dict[str, Any]:
    """CPU and memory of each, from the run's start to its end or until now."""
    now = timezone.now()
    begun, ended = span(found, newest, now)
    series = []
    for instance in instances:
        asked = {"since": begun - ROUND_IT, "until": ended + ROUND_IT, "max_points": POINTS, "now": now}
        data = charts.chart(Scope.instance(instance.pk), metrics=["cpu", "memory"], **asked)
        series += [one | {"label": f"{instance.name} {one['label']}"} for one in data["series"]]
    return {"series": series, "from": begun.timestamp(), "to": ended.timestamp()}


def span(found: Run, newest: dict[str, Any] | None, now: datetime) -> tuple[datetime, datetime]:
    """From the first moment to the last that the run's own charts show."""
    if newest is None:
        return found.started_at, found.ended_at or now
    ended = datetime.fromtimestamp(newest["timestamp"] / 1000, now.tzinfo)
    return ended - timedelta(seconds=newest["elapsedSeconds"]), ended
