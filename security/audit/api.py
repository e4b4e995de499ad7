"""`GET /api/v1/audit` (contract: fleet console §30)."""

from dataclasses import asdict
from typing import Any

from rest_framework import mixins, serializers
from rest_framework.response import Response

from config.api.fields import FleetSerializer, MillisecondsField, camel
from config.api.permissions import ADMIN
from config.api.views import ApiView, FleetViewSet
from security.audit import queries, services
from security.audit.models import AuditEntry


class EntrySerializer(FleetSerializer):
    timestamp = MillisecondsField(source="at", read_only=True)

    class Meta:
        model = AuditEntry
        fields = (
            "id", "user_id", "user_email", "user_name", "team_id", "action", "resource", "resource_id", "metadata",
            "ip_address", "user_agent", "timestamp",
        )  # fmt: skip
        read_only_fields = fields


class Wanted(serializers.Serializer):
    user_id = serializers.CharField(required=False, max_length=128)
    team_id = serializers.CharField(required=False, max_length=128)
    action = serializers.CharField(required=False, max_length=64)
    resource = serializers.CharField(required=False, max_length=64)
    resource_id = serializers.CharField(required=False, max_length=128)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` is a word of Python."""
        fields = super().get_fields()
        for wire, name in (("from", "start"), ("to", "end")):
            fields[name].source = name
            fields[wire] = fields.pop(name)
        return fields


class AuditViewSet(mixins.ListModelMixin, FleetViewSet):
    """Who did what, newest first."""

    roles = {"list": ADMIN}
    list_name = "logs"
    max_limit = 200
    serializer_class = EntrySerializer
    filter_backends = ()

    def get_queryset(self) -> Any:
        wanted = Wanted(data={name: value for name, value in self.request.query_params.items() if value})
        wanted.is_valid(raise_exception=True)
        return queries.entries(**wanted.validated_data)


class Verification(ApiView):
    """Walk the chain of seals and tell the first entry that is not as it was written."""

    roles = {"post": ADMIN}

    def post(self, request: Any) -> Response:
        return Response({camel(name): value for name, value in asdict(services.verify()).items()})
