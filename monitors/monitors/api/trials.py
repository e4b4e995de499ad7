"""`/api/monitors/trials`: settings of a monitor, tried once without saving them."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import MonitorsSerializer
from config.api.permissions import OPERATOR
from config.api.throttling import limit_request
from config.api.views import MonitorsViewSet
from monitors.bodies import PARSERS, refuse_large
from monitors.monitors import services as monitors
from monitors.monitors.api.serializers import MonitorInput
from monitors.paths import known_uuid
from monitors.trials import services
from monitors.trials.models import Trial


class TrialOut(MonitorsSerializer):
    threshold_breaches = serializers.JSONField(source="breaches")
    duration_ms = serializers.IntegerField()
    error = serializers.JSONField()

    class Meta:
        model = Trial
        fields = (
            *("id", "name", "tool", "status", "queued_at", "started_at", "completed_at", "duration_ms"),
            *("metrics", "threshold_breaches", "exit_code", "error"),
        )


class TrialViewSet(MonitorsViewSet):
    """Trials: nothing of one is saved as a monitor, and it is forgotten after an hour."""

    queryset = Trial.objects.none()
    serializer_class = TrialOut
    parser_classes = PARSERS
    noun = "Trial"
    roles = {"create": OPERATOR, "retrieve": OPERATOR, "logs": OPERATOR, "cancel": OPERATOR}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_large(request)

    def get_queryset(self) -> Any:
        return Trial.objects.order_by("-queued_at", "pk")

    def get_object(self) -> Trial:
        self.kwargs["pk"] = known_uuid(str(self.kwargs["pk"]), self.noun)
        return super().get_object()

    @extend_schema(request=MonitorInput, responses={202: TrialOut})
    def create(self, request: Request) -> Response:
        """Try what would make a monitor. 202 with the trial."""
        sent = MonitorInput(data=request.data)
        sent.is_valid(raise_exception=True)
        limit_request(request, "monitor-runs", settings.RATE_MONITOR_RUNS, by_key=True)
        draft, script = monitors.draft(actor=request.auth, fields=sent.validated_data)
        trial = services.start(draft=draft, script=script, actor=request.auth, request=request)
        return Response(self.get_serializer(trial).data, status=202)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def logs(self, request: Request, pk: str) -> HttpResponse:
        """The log as plain text."""
        return HttpResponse(self.get_object().log, content_type="text/plain; charset=utf-8")

    def cancel(self, request: Request, pk: str) -> Response:
        trial = self.get_object()
        services.cancel(trial=trial, now=timezone.now())
        trial.refresh_from_db()
        return Response(self.get_serializer(trial).data, status=202)
