"""The bodies that tell of an instance (contract: fleet console §4)."""

from typing import Any

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer
from fleet.instances.models import Distro, Provider, Status
from fleet.instances.registration import Registration

NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z"
HASH = r"^[0-9a-f]{64}\Z"
MAX_EXTENSIONS, MAX_TAGS = 200, 200
TAG_NAME = serializers.CharField(max_length=128, allow_blank=True, trim_whitespace=False)


def _tags(**more: Any) -> serializers.DictField:
    return serializers.DictField(child=serializers.CharField(max_length=256, allow_blank=True), **more)


class Carried(Body, CamelSerializer):
    """A body whose empty and null optional values count as not sent."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            data = {name: value for name, value in data.items() if value is not None and value != ""}
        return super().to_internal_value(data)

    def validate_tags(self, tags: dict[str, str]) -> dict[str, str]:
        if len(tags) > MAX_TAGS:
            raise serializers.ValidationError(f"Give at most {MAX_TAGS} tags.")
        for name in tags:
            TAG_NAME.run_validation(name)
        return tags


class GeoSerializer(Body):
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False, allow_null=True)
    lon = serializers.FloatField(min_value=-180, max_value=180, required=False, allow_null=True)
    city = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True)
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=32, required=False, allow_null=True, allow_blank=True
    )


class RegistrationSerializer(Carried):
    name = serializers.RegexField(NAME, max_length=128, trim_whitespace=False)
    provider = serializers.ChoiceField(Provider.choices)
    region = serializers.CharField(max_length=64, required=False)
    distro = serializers.ChoiceField(Distro.choices, required=False)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=MAX_EXTENSIONS, required=False
    )
    config_hash = serializers.RegexField(HASH, required=False, trim_whitespace=False)
    ssh_endpoint = serializers.CharField(max_length=256, required=False)
    tags = _tags(required=False)
    geo = GeoSerializer(required=False)

    def registration(self) -> Registration:
        given = dict(self.validated_data)
        geo = given.pop("geo", None)
        return Registration(name=given.pop("name"), given=given, geo=geo)


class AgentRegistrationSerializer(Carried):
    """What an agent sends; its members are in snake_case."""

    instance_id = serializers.CharField(max_length=128)
    provider = serializers.ChoiceField(Provider.choices)
    hostname = serializers.CharField(max_length=256, required=False)
    region = serializers.CharField(max_length=64, required=False)
    distro = serializers.ChoiceField(Distro.choices, required=False)
    agent_version = serializers.CharField(max_length=64, required=False)
    os = serializers.CharField(max_length=32, required=False)
    arch = serializers.CharField(max_length=32, required=False)
    extensions = serializers.ListField(
        child=serializers.CharField(max_length=128), max_length=MAX_EXTENSIONS, required=False
    )
    tags = _tags(required=False)
    geo = GeoSerializer(required=False)

    get_fields = serializers.Serializer.get_fields  # the wire names are the field names

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and data.get("provider") == "k8s":
            data = data | {"provider": Provider.KUBERNETES}
        return super().to_internal_value(data)

    def registration(self) -> Registration:
        given = dict(self.validated_data)
        agent_id, geo = given.pop("instance_id"), given.pop("geo", None)
        return Registration(name=given.pop("hostname", agent_id), agent_id=agent_id, given=given, geo=geo)


def read_registration(data: Any) -> Registration:
    """The body in whichever of the two shapes it has; raises Invalid with the faults of the nearer one."""
    named, agent = RegistrationSerializer(data=data), AgentRegistrationSerializer(data=data)
    if named.is_valid():
        return named.registration()
    if agent.is_valid():
        return agent.registration()
    faulty = agent if isinstance(data, dict) and "instance_id" in data else named
    raise serializers.ValidationError(faulty.errors)


class ChangeSerializer(Body, CamelSerializer):
    status = serializers.ChoiceField([Status.RUNNING, Status.SUSPENDED, Status.STOPPED], required=False)
    tags = _tags(required=False)
    team_id = serializers.CharField(max_length=128, required=False, allow_null=True)

    validate_tags = Carried.validate_tags
