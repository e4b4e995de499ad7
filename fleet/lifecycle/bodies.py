"""The bodies of actions (contract: fleet console §5.3)."""

from typing import Any

from rest_framework import serializers

from config.api.errors import Invalid
from config.api.fields import Body, CamelSerializer
from fleet.instances.bodies import NAME
from fleet.instances.models import Provider
from fleet.lifecycle.models import Compression
from fleet.providers.base import DESTROY, RESUME, SUSPEND


def label() -> serializers.CharField:
    return serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True)


class DestroySerializer(Body, CamelSerializer):
    backup_volume = serializers.BooleanField(default=False)
    backup_label = label()


class BackupSerializer(Body, CamelSerializer):
    label = label()  # type: ignore[assignment]
    compression = serializers.ChoiceField(Compression.choices, default=Compression.GZIP)


class OptionsSerializer(Body, CamelSerializer):
    backup_volume = serializers.BooleanField(default=False)


class BulkSerializer(Body, CamelSerializer):
    instance_ids = serializers.ListField(child=serializers.CharField(max_length=128), min_length=1, max_length=50)
    action = serializers.ChoiceField([SUSPEND, RESUME, DESTROY])
    options = OptionsSerializer(required=False, allow_null=True)


class CloneSerializer(Body, CamelSerializer):
    name = serializers.RegexField(NAME, max_length=128, trim_whitespace=False)
    provider = serializers.ChoiceField(Provider.choices, required=False)
    region = serializers.CharField(max_length=64, required=False)


class RedeploySerializer(Body, CamelSerializer):
    config = serializers.CharField(max_length=65536, required=False, trim_whitespace=False)
    force = serializers.BooleanField(default=False)


def read(kind: type[CamelSerializer], data: Any) -> dict[str, Any]:
    """The values of a body, which may be empty. Raises Invalid."""
    if not isinstance(data, dict):
        raise Invalid("The body must be an object")
    body = kind(data=data)
    body.is_valid(raise_exception=True)
    return body.validated_data
