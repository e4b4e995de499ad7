"""The routes of metrics (contract: fleet console §6). Answers are encoded straight from rows: they are long."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import HttpResponse
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Invalid, NotFound
from config.api.fields import milliseconds
from config.api.pagination import integer
from config.api.parameters import moment
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.instances.models import Instance
from fleet.instances.queries import get_visible
from fleet.metrics import charts, queries
from fleet.metrics.panels import marked
from fleet.metrics.queries import Point
from fleet.metrics.sources import Scope

STEPS_S = {"raw": 0, "1m": 60, "5m": 300, "1h": 3600, "1d": 86400}
MAX_IDS_LENGTH = 2048


class MetricsView(ApiView):
    """Reads of metrics within what the caller may see."""

    roles = {"get": VIEWER}

    def scope(self, instance_id: str | None = None) -> tuple[Scope, int]:
        """The instance of the URL or of `instanceId`, else all that the caller sees; and how many those are."""
        principal: Principal = self.request.principal
        wanted = instance_id or self.request.query_params.get("instanceId")
        if wanted:
            return Scope.instance(get_visible(instance_id=wanted, principal=principal).pk), 1
        visible = Instance.objects.visible_to(principal)
        return Scope.instances(visible), visible.count()

    def choice(self, name: str, allowed: Mapping[str, Any], default: str) -> str:
        value = self.request.query_params.get(name) or default
        if value not in allowed:
            raise _invalid(name, f"{name} must be one of {', '.join(allowed)}")
        return value

    def span(self) -> tuple[datetime, datetime]:
        """`from` and `to`; raises Invalid when one is missing or no moment, or when they are the wrong way round."""
        since, until = (self._required(name) for name in ("from", "to"))
        if since >= until:
            raise _invalid("from", "'from' must be before 'to'")
        return since, until

    def _required(self, name: str) -> datetime:
        found = moment(self.request, name)
        if found is None:
            raise _invalid(name, f"{name} must be an ISO 8601 instant, such as 2026-03-01T12:00:00Z")
        return found


class TimeSeries(MetricsView):
    """Points of the last hours or days: single samples, or means over steps that suit the range."""

    def get(self, request: Any) -> HttpResponse:
        name, now = self.choice("range", queries.RANGES, "1h"), timezone.now()
        scope, subjects = self.scope()
        since, found = queries.recent(scope, range=name, subjects=subjects, now=now)
        return _json({"range": name, "since": milliseconds(since), "datapoints": [_datapoint(one) for one in found]})


class InstanceMetrics(MetricsView):
    """The same for one instance."""

    def get(self, request: Any, id: str) -> HttpResponse:
        name, now = self.choice("range", queries.RANGES, "1h"), timezone.now()
        scope, _ = self.scope(id)
        since, found = queries.recent(scope, range=name, subjects=1, now=now)
        points = [_datapoint(one, with_instance=False) for one in found]
        body = {"instanceId": scope.instance_id, "range": name, "since": milliseconds(since), "datapoints": points}
        return _json(body)


class TimeSeriesRange(MetricsView):
    """Points of any range, by granularity."""

    def get(self, request: Any) -> HttpResponse:
        since, until = self.span()
        granularity = self.choice("granularity", STEPS_S, "1m")
        limit = integer(request, "limit", 500, 1, 2000)
        scope, subjects = self.scope()
        found = queries.points(
            scope,
            since=since,
            until=until,
            step_s=STEPS_S[granularity],
            limit=limit,
            subjects=subjects,
            now=timezone.now(),
        )
        meta = _meta(scope, since, until) | {"granularity": granularity, "count": len(found)}
        points = [_point(one.at, one.instance_id, one.values) for one in found]
        return _json({"points": points, "meta": meta})


class AggregateView(MetricsView):
    """Means and maxima of a range, by instance."""

    def get(self, request: Any) -> HttpResponse:
        since, until = self.span()
        scope, _ = self.scope()
        found = queries.aggregates(scope, since=since, until=until, now=timezone.now())
        span = {"from": milliseconds(since), "to": milliseconds(until)}
        rows = [
            {
                "instanceId": one.instance_id,
                **span,
                "avgCpuPercent": _number(one.cpu_pct_avg),
                "maxCpuPercent": _number(one.cpu_pct_max),
                "avgMemUsed": _text(one.mem_used_avg),
                "maxMemUsed": _text(one.mem_used_max),
                "avgDiskUsed": _text(one.disk_used_avg),
                "maxDiskUsed": _text(one.disk_used_max),
                "avgLoadAvg1": _number(one.load1_avg),
                "sampleCount": one.n,
            }
            for one in found
        ]
        return _json({"aggregates": rows, "meta": _meta(scope, since, until) | {"count": len(rows)}})


class Latest(MetricsView):
    """The newest figures of each instance; ids that the caller does not see are left out, like missing ones."""

    def get(self, request: Any) -> HttpResponse:
        visible = Instance.objects.visible_to(request.principal).existing()
        if ids := request.query_params.get("instanceIds"):
            if len(ids) > MAX_IDS_LENGTH:
                raise _invalid("instanceIds", f"instanceIds may have {MAX_IDS_LENGTH} characters")
            visible = visible.filter(pk__in={one.strip() for one in ids.replace("\x00", "").split(",")})
        found = [
            _point(datetime.fromisoformat(values["at"]), instance_id, values)
            | {
                "memPercent": _share(values.get("mem_used"), values.get("mem_total")),
                "diskPercent": _share(values.get("disk_used"), values.get("disk_total")),
            }
            for instance_id, values in queries.latest(visible)
        ]
        return _json({"metrics": found, "count": len(found)})


class Chart(MetricsView):
    """Curves for the pages [ours].

    `metrics` (comma list), `instanceId` or `teamId` or neither for the fleet, `range` or `from` and `to`, `maxPoints`.
    """

    def get(self, request: Any) -> HttpResponse:
        names = (request.query_params.get("metrics") or "cpu").split(",")
        if unknown := set(names) - set(charts.CHARTS):
            raise _invalid("metrics", f"there is no metric {min(unknown)!r}; known: {', '.join(charts.CHARTS)}")
        max_points = integer(request, "maxPoints", 300, 10, 2000)
        now = timezone.now()
        if "from" in request.query_params or "to" in request.query_params:
            since, until = self.span()
        else:
            length_s, _ = queries.RANGES[self.choice("range", queries.RANGES, "1h")]
            since, until = datetime.fromtimestamp(now.timestamp() - length_s, UTC), now
        subject = self._subject()
        body = charts.chart(subject, metrics=names, since=since, until=until, max_points=max_points, now=now)
        if subject.instance_id:
            body["marks"] = marked(subject.instance_id, self.request.principal, since, until)
        return _json(body)

    def _subject(self) -> Scope:
        """Whose curves: who does not see all instances gets the mean of those it sees."""
        principal: Principal = self.request.principal
        if self.request.query_params.get("instanceId"):
            return self.scope()[0]
        if team_id := self.request.query_params.get("teamId"):
            if not (principal.sees_all or team_id in principal.teams):
                raise NotFound(f"Team '{team_id}' not found")
            return Scope.team(team_id)
        return Scope.fleet() if principal.sees_all else self.scope()[0]


def _json(body: Any) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json")


def _invalid(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, details={field: [sentence]})


def _meta(scope: Scope, since: datetime, until: datetime) -> dict[str, Any]:
    return {"instanceId": scope.instance_id, "from": milliseconds(since), "to": milliseconds(until)}


def _datapoint(one: Point, *, with_instance: bool = True) -> dict[str, Any]:
    values = one.values
    body = {"instanceId": one.instance_id} if with_instance else {}
    return body | {
        "timestamp": milliseconds(one.at),
        "cpuPercent": _number(values["cpu_pct"]) or 0,
        "memUsedBytes": _whole(values["mem_used"]) or 0,
        "memTotalBytes": _whole(values["mem_total"]) or 0,
        "diskUsedBytes": _whole(values["disk_used"]) or 0,
        "diskTotalBytes": _whole(values["disk_total"]) or 0,
        "netBytesSent": _whole(values["net_tx"]) or 0,
        "netBytesRecv": _whole(values["net_rx"]) or 0,
        "loadAvg1": _number(values["load1"]),
    }


def _point(at: datetime, instance_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": milliseconds(at),
        "instanceId": instance_id,
        "cpuPercent": _number(values.get("cpu_pct")),
        "memUsed": _text(values.get("mem_used")),
        "memTotal": _text(values.get("mem_total")),
        "diskUsed": _text(values.get("disk_used")),
        "diskTotal": _text(values.get("disk_total")),
        "loadAvg1": _number(values.get("load1")),
        "loadAvg5": _number(values.get("load5")),
        "loadAvg15": _number(values.get("load15")),
        "netBytesSent": _text(values.get("net_tx")),
        "netBytesRecv": _text(values.get("net_rx")),
        "netBytesSentPerSec": _number(values.get("net_tx_bps")),
        "netBytesRecvPerSec": _number(values.get("net_rx_bps")),
    }


def _number(value: float | None) -> float | None:
    """Seven significant digits, as many as a stored figure has."""
    return None if value is None else float(f"{value:.7g}")


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _text(value: float | None) -> str | None:
    return None if value is None else str(round(value))


def _share(used: int | None, whole: int | None) -> float | None:
    """Percent with 2 decimals; 0 of nothing is 0, what is not known stays so."""
    if used is None or whole is None:
        return None
    return round(100 * used / whole, 2) if whole else 0
