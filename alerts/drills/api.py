"""Drills over HTTP: `/api/v1/alerts/drills`."""

from django.db.models import QuerySet
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.channels.models import Channel
from alerts.drills import queries, services
from alerts.drills.models import Drill
from alerts.rules.queries import get_visible
from config.api.errors import NotFound
from config.api.fields import Body, CamelSerializer, FleetSerializer
from config.api.permissions import OPERATOR, VIEWER, require
from config.api.views import FleetViewSet


class DrillSerializer(FleetSerializer):
    """The four moments are null until they are reached."""

    class Meta:
        model = Drill
        fields = (
            "id", "rule_id", "state", "asked_by", "recipients", "title", "fault", "started_at", "accepted_at",
            "fired_at", "sent_at", "delivered_at", "ended_at",
        )  # fmt: skip


class NewDrillSerializer(Body, CamelSerializer):
    rule_id = serializers.CharField(max_length=128)
    channel_ids = serializers.ListField(child=serializers.CharField(max_length=128), min_length=1, max_length=20)


class DrillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """Proofs that a rule reaches its recipients."""

    queryset = Drill.objects.all()
    serializer_class = DrillSerializer
    filter_backends = ()
    list_name, noun, team_attr = "drills", "Drill", "rule.owner_team_id"
    by_team = ("create",)
    roles = {"list": VIEWER, "retrieve": VIEWER, "create": OPERATOR}

    def get_queryset(self) -> QuerySet[Drill]:
        found = queries.visible(self.request.auth)
        if rule_id := self.request.query_params.get("ruleId"):
            found = found.filter(rule=rule_id[:128].replace("\x00", ""))
        return found

    def create(self, request: Request) -> Response:
        body = NewDrillSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rule = get_visible(principal=request.auth, rule_id=body.validated_data["rule_id"])
        require(request.auth, OPERATOR, team_id=rule.owner_team_id)
        wanted = body.validated_data["channel_ids"]
        found = Channel.objects.in_bulk(wanted)
        if missing := [key for key in wanted if key not in found]:
            raise NotFound(f"Channel '{missing[0]}' not found")
        drill = services.start(rule=rule, channels=list(found.values()), actor=request.auth, request=request)
        return Response(DrillSerializer(drill).data, status=status.HTTP_202_ACCEPTED)
