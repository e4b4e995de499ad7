"""API keys over HTTP: one's own (snake_case) and everybody's (camelCase) (contract: fleet console §33.1)."""

from datetime import timedelta
from typing import Any

from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import Body, CamelSerializer, FleetSerializer, milliseconds
from config.api.permissions import ADMIN, VIEWER
from config.api.scopes import WORDS
from config.api.views import ApiView, FleetViewSet, check_id
from security.accounts.models import Role
from security.keys import services
from security.keys.models import ApiKey

DAYS = {"min_value": 1, "max_value": 3650, "required": False, "allow_null": True}
HOURS = {"min_value": 0, "max_value": 720, "default": 24}


def own_body(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "key_prefix": key.key_prefix,
        "name": key.name,
        "role": key.role or None,
        "instance_id": key.instance_id,
        "scopes": key.scopes,
        "created_at": milliseconds(key.created_at),
        "expires_at": milliseconds(key.expires_at),
        "last_used_at": milliseconds(key.last_used_at),
    }


def scopes_field() -> serializers.ListField:
    """The scopes of a new key; none is those of whoever makes it."""
    return serializers.ListField(child=serializers.ChoiceField(WORDS), max_length=len(WORDS), required=False)


class NewOwnKey(Body):
    name = serializers.CharField(max_length=100)
    expires_in_days = serializers.IntegerField(**DAYS)
    role = serializers.ChoiceField(Role.choices, required=False, allow_null=True)
    instance_id = serializers.CharField(max_length=128, required=False, allow_null=True)
    scopes = scopes_field()


class Overlap(Body):
    overlap_hours = serializers.IntegerField(**HOURS)


class MyKeys(ApiView):
    """The caller's keys, newest first; POST makes one and shows it once."""

    roles = {"get": VIEWER, "post": VIEWER}

    def get(self, request: Any) -> Response:
        keys = services.keys_of(request.auth.user)
        rows = [own_body(key) for key in keys[:200]]
        return Response({"data": rows, "total": len(rows)})

    def post(self, request: Any) -> Response:
        wanted = NewOwnKey(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        key, raw = services.create_own_key(actor=request.auth, days=given.pop("expires_in_days", None), **given)
        return Response(own_body(key) | {"key": raw}, status=201)


class MyKey(ApiView):
    """DELETE revokes the key."""

    roles = {"delete": VIEWER}

    def delete(self, request: Any, id: str) -> Response:
        services.revoke(key=own_key(request, id), actor=request.auth)
        return Response({"message": "API key revoked"})


class RotateMyKey(ApiView):
    """A successor of the key, shown once; the old one ends after `overlap_hours` (0 to 720, 24)."""

    roles = {"post": VIEWER}

    def post(self, request: Any, id: str) -> Response:
        wanted = Overlap(data=request.data)
        wanted.is_valid(raise_exception=True)
        overlap = timedelta(hours=wanted.validated_data["overlap_hours"])
        key, raw = services.rotate(key=own_key(request, id), overlap=overlap, actor=request.auth)
        return Response(own_body(key) | {"key": raw}, status=201)


def own_key(request: Any, id: str) -> ApiKey:
    check_id("API key", id)
    key = services.keys_of(request.auth.user).filter(pk=id).first()
    if key is None:
        raise NotFound(f"API key '{id}' not found")
    return key


class KeySerializer(FleetSerializer):
    """Any key, as an administrator sees it."""

    user_id = serializers.CharField(read_only=True)
    user_email = serializers.CharField(source="user.email", read_only=True)
    role = serializers.SerializerMethodField(method_name="role_of")

    class Meta:
        model = ApiKey
        fields = (
            "id", "key_prefix", "name", "user_id", "user_email", "role", "instance_id", "scopes", "created_at",
            "expires_at", "last_used_at",
        )  # fmt: skip
        read_only_fields = fields

    def role_of(self, key: ApiKey) -> str:
        return services.effective_role(services.cap_of(key.role, key.instance_id), key.user.role)


class NewServiceKey(Body, CamelSerializer):
    name = serializers.CharField(max_length=100)
    role = serializers.ChoiceField(Role.choices)
    expires_in_days = serializers.IntegerField(**DAYS)
    scopes = scopes_field()


class CamelOverlap(Body, CamelSerializer):
    overlap_hours = serializers.IntegerField(**HOURS)


class KeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """Every key that is not revoked; POST makes a service user of a role and its key, shown once."""

    roles = dict.fromkeys(("list", "create", "retrieve", "destroy", "rotate"), ADMIN)
    noun = "API key"
    list_name = "keys"
    queryset = services.all_keys()
    serializer_class = KeySerializer

    def create(self, request: Any) -> Response:
        wanted = NewServiceKey(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        key, raw = services.create_service_key(actor=request.auth, days=given.pop("expires_in_days", None), **given)
        return Response(self.get_serializer(key).data | {"key": raw}, status=201)

    def destroy(self, request: Any, pk: str) -> Response:
        services.revoke(key=self.get_object(), actor=request.auth)
        return Response({"message": "API key revoked"})

    @action(detail=True, methods=["post"])
    def rotate(self, request: Any, pk: str) -> Response:
        wanted = CamelOverlap(data=request.data)
        wanted.is_valid(raise_exception=True)
        overlap = timedelta(hours=wanted.validated_data["overlap_hours"])
        key, raw = services.rotate(key=self.get_object(), overlap=overlap, actor=request.auth)
        return Response(self.get_serializer(key).data | {"key": raw}, status=201)
