"""SSH keys over HTTP (contract: fleet console §24)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.fields import Body, CamelSerializer, MomentField, milliseconds
from config.api.permissions import ADMIN, VIEWER
from config.api.views import ApiView
from fleet.instances.queries import get_visible as visible_instance
from security.ssh_keys import queries, server_key, services
from security.ssh_keys.models import ServerKey, SshKey, Status

MOST = 1000  # in one answer; `count` tells how many there are


class FiltersSerializer(serializers.Serializer):
    instanceId = serializers.CharField(required=False, max_length=128)  # noqa: N815 - the wire's name
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000, default=1)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=MOST)


class NewSshKeySerializer(Body, CamelSerializer):
    instance_id = serializers.CharField(max_length=128)
    fingerprint = serializers.CharField(max_length=256)
    comment = serializers.CharField(max_length=256, required=False, allow_null=True, allow_blank=True)
    key_type = serializers.CharField(max_length=32)
    key_bits = serializers.IntegerField(required=False, allow_null=True, min_value=256, max_value=16384)
    expires_at = MomentField(required=False, allow_null=True)
    last_used_at = MomentField(required=False, allow_null=True)


class SshKeySerializer(CamelSerializer):
    id = serializers.CharField()
    instance_id = serializers.CharField()
    instance_name = serializers.CharField()
    fingerprint = serializers.CharField()
    comment = serializers.CharField(allow_null=True)
    key_type = serializers.CharField()
    key_bits = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(choices=Status.choices)
    is_weak = serializers.BooleanField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    is_expired = serializers.BooleanField()


class CountsSerializer(CamelSerializer):
    total = serializers.IntegerField()
    active = serializers.IntegerField()
    revoked = serializers.IntegerField()
    expired = serializers.IntegerField()
    weak = serializers.IntegerField()
    by_type = serializers.DictField(child=serializers.IntegerField())


class SshKeysSerializer(serializers.Serializer):
    keys = SshKeySerializer(many=True)
    summary = CountsSerializer()
    count = serializers.IntegerField()


class EnteredSerializer(CamelSerializer):
    id = serializers.CharField()
    instance_id = serializers.CharField()
    fingerprint = serializers.CharField()
    key_type = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)


class RevokedSerializer(serializers.Serializer):
    id = serializers.CharField()
    status = serializers.ChoiceField(choices=[Status.REVOKED])


class SshKeys(ApiView):
    """Keys that open the instances that the caller sees, the newest first. `summary` counts what the filters leave."""

    roles = {"get": VIEWER, "post": VIEWER}

    @extend_schema(parameters=[FiltersSerializer], responses=SshKeysSerializer)
    def get(self, request: Request) -> Response:
        form = FiltersSerializer(data={name: value for name, value in request.query_params.items() if value})
        form.is_valid(raise_exception=True)
        asked, now = form.validated_data, timezone.now()
        found = SshKey.objects.visible_to(request.auth).current()
        if pk := asked.get("instanceId"):
            found = SshKey.objects.filter(instance=visible_instance(instance_id=pk, principal=request.auth))
        if wanted := asked.get("status"):
            found = found.in_status(wanted, now)
        begin = (asked["page"] - 1) * asked["limit"]
        rows = queries.newest_first(found)[begin : begin + asked["limit"]]
        summary = queries.counts(found, now)
        return Response({"keys": [key_body(one, now) for one in rows], "summary": summary, "count": summary["total"]})

    @extend_schema(request=NewSshKeySerializer, responses={201: EnteredSerializer})
    def post(self, request: Request) -> Response:
        """New, or a change of the one with that fingerprint on the instance: what is not sent stays as it was."""
        form = NewSshKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = dict(form.validated_data)
        instance = visible_instance(instance_id=fields.pop("instance_id"), principal=request.auth)
        key = services.enter(instance=instance, actor=request.auth, request=request, **fields)
        body = {
            "id": key.pk,
            "instanceId": key.instance_id,
            "fingerprint": key.fingerprint,
            "keyType": key.key_type,
            "status": key.status(timezone.now()),
        }
        return Response(body, status=status.HTTP_201_CREATED)


class Revoke(ApiView):
    """Note that a key must not open its machine any more; the machine itself is not touched."""

    roles = {"post": VIEWER}

    @extend_schema(request=None, responses=RevokedSerializer)
    def post(self, request: Request, id: str) -> Response:
        key = services.get_visible(principal=request.auth, pk=id)
        services.revoke(key=key, actor=request.auth, now=timezone.now(), request=request)
        return Response({"id": key.pk, "status": Status.REVOKED})


class ServerKeySerializer(CamelSerializer):
    exists = serializers.BooleanField()
    public_key = serializers.CharField(allow_null=True)
    key_type = serializers.CharField(required=False)
    comment = serializers.CharField(required=False)
    message = serializers.CharField(required=False)


class NewServerKeySerializer(Body, CamelSerializer):
    replace = serializers.BooleanField(required=False, default=False)


class ServerKeyView(ApiView):
    """The public key with which Pharos opens machines."""

    roles = {"get": VIEWER}

    @extend_schema(responses=ServerKeySerializer)
    def get(self, request: Request) -> Response:
        return Response(server_key_body(server_key.get()))


class GenerateServerKey(ApiView):
    """Make the server's key, ed25519. The private part is never told."""

    roles = {"post": ADMIN}

    @extend_schema(request=NewServerKeySerializer, responses={201: ServerKeySerializer})
    def post(self, request: Request) -> Response:
        """409 when there is one, unless `replace` is true: machines that trust the old one refuse the new one."""
        form = NewServerKeySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = server_key.generate(actor=request.auth, now=timezone.now(), request=request, **form.validated_data)
        return Response(server_key_body(made), status=status.HTTP_201_CREATED)


def key_body(key: SshKey, now: datetime) -> dict[str, Any]:
    """A key as it travels."""
    return {
        "id": key.pk,
        "instanceId": key.instance_id,
        "instanceName": key.instance.name,
        "fingerprint": key.fingerprint,
        "comment": key.comment,
        "keyType": key.key_type,
        "keyBits": key.key_bits,
        "status": key.status(now),
        "isWeak": key.is_weak,
        "lastUsedAt": milliseconds(key.last_used_at),
        "createdAt": milliseconds(key.created_at),
        "expiresAt": milliseconds(key.expires_at),
        "isExpired": key.is_expired(now),
    }


def server_key_body(key: ServerKey | None) -> dict[str, Any]:
    """The server's key as it travels, without its private part."""
    if key is None:
        return {"exists": False, "publicKey": None, "message": "There is no server key yet."}
    return {"exists": True, "publicKey": key.public_key, "keyType": "ed25519", "comment": key.comment}
