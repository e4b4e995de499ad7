"""`/run` and `/runs` (contract: load testing §10, §13, §14). Thin: each calls one service or query."""

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.pagination import FURTHEST, integer
from config.api.permissions import OPERATOR, VIEWER
from loadtest.bodies import json_object
from loadtest.runs import comparison, queries, reporting, services, shapes
from loadtest.runs.models import Status
from loadtest.runs.services import NOT_ACTIVE
from loadtest.views import LoadtestView, documented
from loadtest.workspace import configuration

MOST_ON_A_PAGE = 500  # as in the series of a run, who asks for more gets that many
FILTERS = ("limit", "offset", "type", "status", "requestId", "collectionId", "q")


class Start(LoadtestView):
    """Start a load test."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.RUN, answer=shapes.STARTED)
    def post(self, request: Request) -> Response:
        run = services.start(body=json_object(request), actor=request.auth, request=request)
        return Response({"runId": run.pk, "status": Status.RUNNING, "message": "Load test started"})


class Runs(LoadtestView):
    """Runs of both kinds, the newest first; in pages when anything is asked for."""

    roles = {"get": VIEWER}

    @documented(query=FILTERS)
    def get(self, request: Request) -> Response:
        asked = request.query_params
        found = queries.runs(
            kind=asked.get("type", ""),
            status=asked.get("status", ""),
            request_id=asked.get("requestId", ""),
            collection_id=asked.get("collectionId", ""),
            text=asked.get("q", "").strip(),
        )
        most = configuration.value("maxJsonFieldSize")
        if not any(name in asked for name in FILTERS):
            return Response([queries.element(run, most=most) for run in found[: queries.MOST_LISTED]])
        limit, offset = integer(request, "limit", 50, 1, FURTHEST), integer(request, "offset", 0, 0, 1 << 31)
        limit = min(limit, MOST_ON_A_PAGE)
        total, data = found.count(), [queries.element(run, most=most) for run in found[offset : offset + limit]]
        more = offset + len(data) < total
        facts = {"total": total, "limit": limit, "offset": offset, "hasMore": more, "returned": len(data)}
        return Response({"data": data, "pagination": facts})


class OneRun(LoadtestView):
    """One run."""

    roles = {"get": VIEWER, "delete": OPERATOR}

    @documented()
    def get(self, request: Request, id: str) -> Response:
        return Response(queries.detail(queries.get(id)))

    @documented()
    def delete(self, request: Request, id: str) -> Response:
        services.delete(run=queries.get(id), actor=request.auth, request=request)
        return Response({"message": "Run deleted successfully", "runId": id})


class Stop(LoadtestView):
    """Stop a run; the answer comes when it has settled."""

    roles = {"post": OPERATOR}

    @documented()
    def post(self, request: Request, id: str) -> Response:
        run, ended = services.stop(run=queries.get(id), actor=request.auth, request=request)
        return Response(
            {
                "message": _told(run.status, run.message, ended),
                "runId": run.pk,
                "status": run.status,
                "summary": queries.stop_summary(run),
            }
        )


def _told(status: str, message: str, ended: bool) -> str:
    if not ended or status in (Status.COMPLETED, Status.FAILED):
        return f"Run already {status}"
    if status != Status.STOPPED:
        return "The run is stopping"
    return NOT_ACTIVE if message == NOT_ACTIVE else "Run stopped"


class Report(LoadtestView):
    """The report of a run, in any state."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Request, id: str) -> Response:
        return Response(reporting.of(queries.get(id)))


class Baseline(LoadtestView):
    """Keep a run as a baseline."""

    roles = {"put": OPERATOR}

    @documented(body=shapes.BASELINE)
    def put(self, request: Request, id: str) -> Response:
        wanted = json_object(request).get("baseline")
        if not isinstance(wanted, bool):
            raise Invalid("'baseline' must be true or false")
        run = services.pin(run=queries.get(id), pinned=wanted, actor=request.auth, request=request)
        return Response(queries.element(run))


class Compare(LoadtestView):
    """What changed from one run to another."""

    roles = {"get": VIEWER}

    @documented()
    def get(self, request: Request, id: str, other: str) -> Response:
        before, after = (reporting.of(queries.get(run_id)) for run_id in (id, other))
        return Response({"runId": id, "otherRunId": other, "differences": comparison.compare(before, after)})
