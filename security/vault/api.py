"""Secrets over HTTP: `/api/v1/secrets` (contract: fleet console §25). Only `value` ever tells a value."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import Body, CamelSerializer, FleetSerializer, MillisecondsField
from config.api.permissions import ADMIN, OPERATOR, VIEWER
from config.api.views import FleetViewSet, check_id
from security.vault import queries, services
from security.vault.models import NAME_PATTERN, Secret, SecretQuerySet, SecretType, SecretVersion


class SecretSerializer(FleetSerializer):
    """`daysUntilExpiry` is rounded up; null for one that does not expire."""

    instance_id = serializers.CharField(read_only=True, allow_null=True)
    scope = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_expired = serializers.SerializerMethodField(method_name="expired")
    days_until_expiry = serializers.SerializerMethodField(method_name="days_left")
    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)
    needs_rotation = serializers.BooleanField(read_only=True)

    class Meta:
        model = Secret
        fields = (
            "id", "name", "description", "type", "instance_id", "scope", "version", "expires_at", "is_expired",
            "days_until_expiry", "created_by", "created_at", "updated_at", "last_rotated_at", "last_read_at",
            "needs_rotation",
        )  # fmt: skip

    def expired(self, secret: Secret) -> bool:
        return secret.is_expired(timezone.now())

    def days_left(self, secret: Secret) -> int | None:
        return queries.days_until_expiry(secret, timezone.now())


class ValueSerializer(Body, CamelSerializer):
    value = serializers.CharField(trim_whitespace=False, max_length=services.MOST_BYTES)


class ChangeSerializer(Body, CamelSerializer):
    """Unlike in a new one, a missing member leaves what is there."""

    description = serializers.CharField(max_length=512, required=False, allow_null=True, allow_blank=True)
    value = serializers.CharField(trim_whitespace=False, max_length=services.MOST_BYTES, required=False)
    scope = serializers.ListField(child=serializers.CharField(max_length=128), max_length=50, required=False)
    expires_at = MillisecondsField(required=False, allow_null=True)


class NewSecretSerializer(ChangeSerializer):
    name = serializers.RegexField(NAME_PATTERN, max_length=256)
    type = serializers.ChoiceField(choices=SecretType.choices, required=False)
    instance_id = serializers.CharField(required=False, allow_null=True)
    value = serializers.CharField(trim_whitespace=False, max_length=services.MOST_BYTES)


class VersionSerializer(FleetSerializer):
    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)

    class Meta:
        model = SecretVersion
        fields = ("number", "created_by", "created_at")


class VersionsSerializer(serializers.Serializer):
    """`version` is the one in force; the last ten are kept."""

    versions = VersionSerializer(many=True)
    version = serializers.IntegerField()


class DeletedSerializer(serializers.Serializer):
    message = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()


class RollBackSerializer(Body, CamelSerializer):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class SecretViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """Named secrets, global or of an instance. A role in the instance's team counts, except for reading a value."""

    queryset = Secret.objects.all()
    serializer_class = SecretSerializer
    filter_backends = ()
    list_name, noun, team_attr = "secrets", "Secret", "team_id"
    by_team = ("create",)
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "destroy": OPERATOR,
        "rotate": OPERATOR, "roll_back": OPERATOR, "versions": VIEWER, "value": ADMIN,
    }  # fmt: skip

    def get_queryset(self) -> SecretQuerySet:
        """`instanceId` and `type` narrow the list; newest first."""
        found = queries.visible(self.request.auth).order_by("-created_at", "-pk")
        if instance_id := self.request.query_params.get("instanceId"):
            check_id("instance", instance_id)
            found = found.filter(instance_id=instance_id)
        if kind := self.request.query_params.get("type"):
            if kind not in SecretType.values:
                raise Invalid("Unknown type", details={"type": [f"One of {', '.join(SecretType.values)}."]})
            found = found.filter(type=kind)
        return found

    def get_object(self) -> Secret:
        secret = queries.get_visible(secret_id=self.kwargs["pk"], principal=self.request.auth)
        self.check_object_permissions(self.request, secret)
        return secret

    @extend_schema(parameters=[OpenApiParameter("instanceId"), OpenApiParameter("type", enum=SecretType.values)])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=NewSecretSerializer, responses={201: SecretSerializer})
    def create(self, request: Request) -> Response:
        secret = services.create(actor=request.auth, request=request, **self._body(NewSecretSerializer))
        return Response(self.get_serializer(secret).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChangeSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Any subset; a new value is a new version."""
        secret = self.get_object()
        changed = services.update(secret=secret, actor=request.auth, request=request, **self._body(ChangeSerializer))
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={200: DeletedSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        secret = self.get_object()
        services.delete(secret=secret, actor=request.auth, request=request)
        return Response({"message": "Secret deleted", "id": pk, "name": secret.name})

    @extend_schema(request=ValueSerializer)
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Give it a new value."""
        secret = self.get_object()
        changed = services.rotate(secret=secret, actor=request.auth, request=request, **self._body(ValueSerializer))
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses=VersionsSerializer)
    @action(detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        """The kept versions, newest first."""
        secret = self.get_object()
        rows = VersionSerializer(queries.versions_of(secret), many=True).data
        return Response({"versions": rows, "version": secret.version})

    @extend_schema(request=RollBackSerializer)
    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request, pk: str) -> Response:
        """Put a kept version into force again."""
        secret, number = self.get_object(), self._body(RollBackSerializer)["version"]
        changed = services.roll_back(secret=secret, actor=request.auth, number=number, request=request)
        return Response(self.get_serializer(changed).data)

    @extend_schema(
        parameters=[OpenApiParameter("reason", description="written to the audit")], responses=ValueSerializer
    )
    @action(detail=True)
    def value(self, request: Request, pk: str) -> Response:
        """The value. The audit tells of it before this answers."""
        secret, reason = self.get_object(), request.query_params.get("reason", "")
        value = services.reveal(secret=secret, actor=request.auth, reason=reason, request=request)
        return Response({"value": value}, headers={"Cache-Control": "no-store"})

    def _body(self, shape: type[serializers.Serializer]) -> dict[str, Any]:
        body = shape(data=self.request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data
