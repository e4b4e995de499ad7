"""`/api/v1/audit` (contract: fleet console §30); export and verification are ours."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import FleetSerializer, MillisecondsField
from config.api.permissions import ADMIN
from config.api.views import ApiView, FleetViewSet, check_id
from security.audit import exporting, queries, verifying
from security.audit.models import AuditEntry, Verification


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


class ExportWanted(Wanted):
    format = serializers.ChoiceField(tuple(exporting.FORMATS), required=False, default="jsonl")


class VerificationSerializer(FleetSerializer):
    state = serializers.SerializerMethodField()

    class Meta:
        model = Verification
        fields = (
            "id", "state", "total", "checked", "ok", "first_bad", "reason", "asked_by", "started_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_state(self, found: Verification) -> str:
        return "RUNNING" if found.is_running else "DONE"


def wanted_of(request: Any, kind: type[Wanted] = Wanted) -> dict[str, Any]:
    """The filter in the address; an empty value filters nothing. Raises a validation error."""
    wanted = kind(data={name: value for name, value in request.query_params.items() if value})
    wanted.is_valid(raise_exception=True)
    return wanted.validated_data


class AuditViewSet(mixins.ListModelMixin, FleetViewSet):
    """Who did what, newest first."""

    roles = {"list": ADMIN}
    list_name = "logs"
    max_limit = 200
    serializer_class = EntrySerializer
    filter_backends = ()

    def get_queryset(self) -> Any:
        return queries.entries(**wanted_of(self.request))

    @extend_schema(parameters=[Wanted])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The entries that match the filter."""
        return super().list(request, *args, **kwargs)


class Export(ApiView):
    """The filtered log as a file of CSV or JSON lines. The export is an entry of the log itself."""

    roles = {"get": ADMIN}

    @extend_schema(parameters=[ExportWanted], responses={(200, "application/x-ndjson"): OpenApiTypes.STR})
    def get(self, request: Any) -> HttpResponseBase:
        wanted = wanted_of(request, ExportWanted)
        return exporting.answer(form=wanted.pop("format"), actor=request.auth, wanted=wanted)


class Verifications(ApiView):
    """Walk the chain of seals and tell the first entry that is not as it was written.

    202 while a long log is still being walked: ask again by the id.
    """

    roles = {"post": ADMIN}

    @extend_schema(request=None, responses={200: VerificationSerializer, 202: VerificationSerializer})
    def post(self, request: Any) -> Response:
        found = verifying.begin(actor=request.auth)
        return Response(VerificationSerializer(found).data, status=202 if found.is_running else 200)


class OneVerification(ApiView):
    """How far a verification has come, or what it found."""

    roles = {"get": ADMIN}

    @extend_schema(responses=VerificationSerializer)
    def get(self, request: Any, id: str) -> Response:
        check_id("Verification", id)
        found = Verification.objects.filter(pk=id).first()
        if found is None:
            raise NotFound(f"Verification '{id}' not found")
        return Response(VerificationSerializer(found).data)
