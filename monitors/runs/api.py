"""`/api/runs` and the runs of a monitor (contract: monitors §2, §5)."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid, NotFound
from config.api.fields import MonitorsSerializer
from config.api.pagination import integer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import MonitorsViewSet
from monitors.bodies import PARSERS, refuse_large
from monitors.monitors.models import Monitor
from monitors.paths import known_uuid
from monitors.runs import logs, screenshots, services
from monitors.runs.models import Run, Status

LONGEST_TAIL = 10_000


class RunOut(MonitorsSerializer):
    monitor_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    threshold_breaches = serializers.JSONField(source="breaches")
    duration_ms = serializers.IntegerField()
    error = serializers.JSONField()
    requested_by = serializers.SerializerMethodField()
    script_version = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = (
            *("id", "monitor_id", "started_at", "completed_at", "status", "tool", "metrics", "threshold_breaches"),
            *(
                "agent_id",
                "queued_at",
                "trigger",
                "duration_ms",
                "exit_code",
                "error",
                "script_version",
                "requested_by",
            ),
        )

    def get_requestedBy(self, run: Run) -> str | None:  # noqa: N802 - DRF looks for the name on the wire
        return run.requested_by or None

    def get_scriptVersion(self, run: Run) -> int | None:  # noqa: N802
        return run.script.version if run.script else None


class RunViewSet(MonitorsViewSet):
    """Runs of monitors."""

    queryset = Run.objects.none()
    serializer_class = RunOut
    parser_classes = PARSERS
    noun = "Run"
    default_limit = 20
    roles = {"of_monitor": VIEWER, "retrieve": VIEWER, "logs": VIEWER, "screenshot": VIEWER, "cancel": OPERATOR}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_large(request)

    def get_queryset(self) -> Any:
        return Run.objects.select_related("script").defer("script__body", "spec").newest_first()

    def get_object(self) -> Run:
        self.kwargs["pk"] = known_uuid(str(self.kwargs["pk"]), self.noun)
        return super().get_object()

    def of_monitor(self, request: Request, pk: str) -> Response:
        """The runs of one monitor, the newest first."""
        monitor_id = known_uuid(pk, "Monitor")
        if not Monitor.objects.filter(pk=monitor_id).exists():
            raise NotFound(f"Monitor '{pk}' not found")
        found = self.get_queryset().filter(monitor_id=monitor_id)
        if status := request.query_params.get("status"):
            if status not in Status.values:
                sentence = f"One of {', '.join(Status.values)}."
                raise Invalid("A filter has an unknown value", details={"status": [sentence]})
            found = found.filter(status=status)
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def logs(self, request: Request, pk: str) -> HttpResponse:
        """The log as plain text; `tail` for its last lines."""
        run = self.get_object()
        tail = integer(request, "tail", 0, 1, LONGEST_TAIL)
        return HttpResponse(logs.read(run.pk, tail=tail or None), content_type="text/plain; charset=utf-8")

    def screenshot(self, request: Request, pk: str) -> HttpResponse:
        """What the browser showed when something failed, as JPEG; 404 for a run without one."""
        return screenshots.answer(self.get_object().pk)

    def cancel(self, request: Request, pk: str) -> Response:
        """202 when the run will end, 200 when it was over already."""
        run, changed = services.cancel(run=self.get_object(), actor=request.auth, request=request)
        return Response(self.get_serializer(run).data, status=202 if changed else 200)
