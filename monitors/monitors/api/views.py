"""`/api/monitors` (contract: monitors §2)."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid, NotFound
from config.api.permissions import OPERATOR, VIEWER
from config.api.throttling import limit_request
from config.api.views import MonitorsViewSet
from monitors.bodies import PARSERS, refuse_large
from monitors.monitors import queries, services
from monitors.monitors.api.serializers import MonitorDetail, MonitorInput, MonitorSummary
from monitors.monitors.models import Monitor
from monitors.paths import known_uuid
from monitors.runs import services as runs


class MonitorViewSet(MonitorsViewSet):
    """Scheduled checks."""

    queryset = Monitor.objects.none()
    serializer_class = MonitorDetail
    parser_classes = PARSERS
    noun = "Monitor"
    default_limit = 200
    roles = {
        **{"list": VIEWER, "retrieve": VIEWER, "script": OPERATOR, "run": OPERATOR},
        **{"create": OPERATOR, "partial_update": OPERATOR, "destroy": OPERATOR},
    }

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_large(request)

    def get_queryset(self) -> QuerySet[Monitor]:
        return Monitor.objects.by_name()

    def get_object(self) -> Monitor:
        self.kwargs["pk"] = known_uuid(str(self.kwargs["pk"]), self.noun)
        return super().get_object()

    @extend_schema(responses=MonitorSummary(many=True))
    def list(self, request: Request) -> Response:
        found = queries.filtered(self.get_queryset(), queries.filters(request.query_params))
        return self.get_paginated_response(MonitorSummary(self.paginate_queryset(found), many=True).data)

    @extend_schema(request=MonitorInput, responses={201: MonitorDetail})
    def create(self, request: Request) -> Response:
        sent = MonitorInput(data=request.data)
        sent.is_valid(raise_exception=True)
        monitor = services.create(actor=request.auth, fields=sent.validated_data, request=request)
        return Response(MonitorDetail(monitor).data, status=201)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(MonitorDetail(self.get_object()).data)

    @extend_schema(request=MonitorInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        monitor = self.get_object()
        sent = MonitorInput(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        monitor = services.update(monitor=monitor, actor=request.auth, fields=sent.validated_data, request=request)
        return Response(MonitorDetail(monitor).data)

    def destroy(self, request: Request, pk: str) -> Response:
        services.delete(monitor=self.get_object(), actor=request.auth, request=request)
        return Response(status=204)

    def script(self, request: Request, pk: str) -> HttpResponse:
        script = self.get_object().script
        if script is None:
            raise NotFound("This monitor has no script")
        return HttpResponse(script.body, content_type="text/plain; charset=utf-8")

    def run(self, request: Request, pk: str) -> Response:
        monitor = self.get_object()
        queue = request.data.get("queue", False) if isinstance(request.data, dict) else False
        queue = {"true": True, "false": False}.get(queue, queue) if isinstance(queue, str) else queue
        if not isinstance(queue, bool):
            raise Invalid("queue must be true or false", details={"queue": ["This must be true or false."]})
        limit_request(request, "monitor-runs", settings.RATE_MONITOR_RUNS, by_key=True)
        run = runs.trigger(monitor=monitor, actor=request.auth, queue=queue, request=request)
        return Response({"runId": str(run.pk), "status": run.status}, status=202)
