"""Silences over HTTP: `/api/v1/alerts/silences`."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.labels.matchers import MatchersField
from alerts.silences import queries, services
from alerts.silences.models import Silence, SilenceQuerySet
from config.api.errors import Malformed
from config.api.fields import Body, CamelSerializer, FleetSerializer, MillisecondsField
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet

NAMED = 20  # alerts that a preview names


class SilenceSerializer(FleetSerializer):
    """`state` is active, coming or past; `nextAt` when it begins or ends next."""

    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)
    state = serializers.SerializerMethodField(method_name="state_of")
    from_time = serializers.TimeField(format="%H:%M", read_only=True)

    class Meta:
        model = Silence
        fields = (
            "id", "reason", "matchers", "starts_at", "ends_at", "days", "from_time", "minutes", "time_zone", "state",
            "next_at", "ended_at", "created_by", "created_at", "updated_at",
        )  # fmt: skip

    def state_of(self, silence: Silence) -> str:
        return queries.state_of(silence, timezone.now())


class MatchersSerializer(Body, CamelSerializer):
    matchers = MatchersField(allow_empty=False)


class NewSilenceSerializer(MatchersSerializer):
    reason = serializers.CharField(max_length=500)
    starts_at = MillisecondsField(required=False)
    ends_at = MillisecondsField(required=False, allow_null=True)
    days = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), required=False, max_length=7)
    from_time = serializers.TimeField(required=False, allow_null=True)
    minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_080)
    time_zone = serializers.CharField(required=False, max_length=64)


class SilenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """Times in which nobody is told of some alerts."""

    queryset = Silence.objects.all()
    serializer_class = SilenceSerializer
    filter_backends = ()
    list_name = "silences"
    noun = "Silence"
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "destroy": OPERATOR,
        "preview": OPERATOR,
    }  # fmt: skip

    def get_queryset(self) -> SilenceQuerySet:
        state = self.request.query_params.get("state")
        if state and state not in queries.TABS:
            raise Malformed(f"state must be one of {', '.join(queries.TABS)}")
        if state:
            return queries.in_state(state, timezone.now())
        return Silence.objects.order_by("-starts_at", "-pk")

    def get_object(self) -> Silence:
        return queries.get_silence(self.kwargs["pk"])

    def create(self, request: Request) -> Response:
        fields = {"starts_at": timezone.now()} | self._fields(request)
        silence = services.create_silence(actor=request.auth, request=request, **fields)
        return Response(self.get_serializer(silence).data, status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        silence = services.change_silence(
            silence=self.get_object(), actor=request.auth, request=request, **self._fields(request, partial=True)
        )
        return Response(self.get_serializer(silence).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """End it now; it stays in the list as past."""
        silence = services.end_silence(silence=self.get_object(), actor=request.auth, request=request)
        return Response(self.get_serializer(silence).data)

    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """How many open alerts these matchers would hide now, and the newest of them."""
        body = MatchersSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        found = queries.would_hide(request.auth, body.validated_data["matchers"])
        named = [{"id": alert.pk, "title": alert.title} for alert in found[:NAMED]]
        return Response({"count": len(found), "alerts": named})

    def _fields(self, request: Request, **kwargs: Any) -> dict[str, Any]:
        body = NewSilenceSerializer(data=request.data, **kwargs)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        if "matchers" in fields:
            fields["matchers"] = [dict(one) for one in fields["matchers"]]
        return fields
