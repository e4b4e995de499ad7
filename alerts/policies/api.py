"""Policies and rotations over HTTP: `/api/v1/alerts/policies`, `/api/v1/alerts/rotations`."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers

from alerts.labels.matchers import MatchersField
from alerts.labels.viewsets import HandlingViewSet
from alerts.policies import queries, services
from alerts.policies.models import Policy, PolicyStep, Rotation
from alerts.policies.oncall import on_call
from config.api.fields import Body, CamelSerializer, FleetSerializer
from monitors.monitors.cron import known_zone

Key = serializers.CharField


class StepSerializer(Body, CamelSerializer):
    """`afterS` seconds after the step before; with a rotation the message is for who is on call then."""

    after_s = serializers.IntegerField(min_value=0, max_value=86_400)
    channel_ids = serializers.ListField(child=Key(max_length=128), min_length=1, max_length=20)
    rotation_id = Key(required=False, allow_null=True, max_length=128)

    def to_representation(self, instance: PolicyStep) -> dict[str, Any]:
        return {
            "afterS": instance.after_s,
            "channelIds": [channel.pk for channel in instance.channels.all()],
            "rotationId": instance.rotation_id,
        }


class PolicySerializer(Body, FleetSerializer):
    matchers = MatchersField(required=False)
    position = serializers.IntegerField(min_value=0, max_value=9999, required=False)
    repeats = serializers.IntegerField(min_value=0, max_value=20, required=False)
    steps = serializers.SerializerMethodField(method_name="steps_of")

    class Meta:
        model = Policy
        fields = (
            "id", "name", "position", "enabled", "matchers", "repeats", "steps", "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs = {"name": {"validators": []}}  # the database answers: a name that is taken is a conflict

    def steps_of(self, policy: Policy) -> list[dict[str, Any]]:
        steps = sorted(policy.steps.all(), key=lambda step: step.number)
        return list(StepSerializer(steps, many=True).data)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Steps are checked here: they are read in another shape than they are written."""
        given = self.initial_data.get("steps")
        if given is None and self.instance is None:
            raise serializers.ValidationError({"steps": ["A policy needs at least one step."]})
        if given is not None:
            body = serializers.ListSerializer(child=StepSerializer(), data=given, allow_empty=False, max_length=20)
            if not body.is_valid():
                raise serializers.ValidationError({"steps": body.errors})
            data["steps"] = body.validated_data
        if "matchers" in data:
            data["matchers"] = [dict(one) for one in data["matchers"]]
        return data

    def create(self, validated_data: dict[str, Any]) -> Policy:
        made = Policy(created_by=self.context["request"].auth.user) if "request" in self.context else Policy()
        return services.save_policy(made, **validated_data)

    def update(self, instance: Policy, validated_data: dict[str, Any]) -> Policy:
        return services.save_policy(instance, steps=validated_data.pop("steps", None), **validated_data)


class RotationSerializer(Body, FleetSerializer):
    """`members` are ids of users in their order; `onCall` is who has it now."""

    members = serializers.ListField(child=Key(max_length=64), min_length=1, max_length=50)
    turn_days = serializers.IntegerField(min_value=1, max_value=366, required=False)
    hands_over_at = serializers.TimeField(format="%H:%M")
    on_call = serializers.SerializerMethodField(method_name="who")

    class Meta:
        model = Rotation
        fields = (
            "id", "name", "time_zone", "starts_on", "hands_over_at", "turn_days", "members", "on_call", "created_at",
            "updated_at",
        )  # fmt: skip
        extra_kwargs = {"name": {"validators": []}}  # the database answers: a name that is taken is a conflict

    def who(self, rotation: Rotation) -> dict[str, str] | None:
        person = on_call(rotation, timezone.now())
        return {"id": person.pk, "name": person.label} if person else None

    def validate_timeZone(self, value: str) -> str:
        if not known_zone(value):
            raise serializers.ValidationError("This time zone is not known. Names look like Europe/Berlin.")
        return value

    def create(self, validated_data: dict[str, Any]) -> Rotation:
        return services.save_rotation(Rotation(), **validated_data)

    def update(self, instance: Rotation, validated_data: dict[str, Any]) -> Rotation:
        return services.save_rotation(instance, **validated_data)


class PolicyViewSet(HandlingViewSet):
    """Who is told next while nobody takes an alert on."""

    queryset = Policy.objects.all()
    serializer_class = PolicySerializer
    list_name, noun, resource = "policies", "Policy", "alert_policy"

    def get_queryset(self) -> QuerySet[Policy]:
        return queries.policies()


class RotationViewSet(HandlingViewSet):
    """Who is on call, and when the next one takes over."""

    queryset = Rotation.objects.all()
    serializer_class = RotationSerializer
    list_name, noun, resource = "rotations", "Rotation", "on_call_rotation"

    def get_queryset(self) -> QuerySet[Rotation]:
        return queries.rotations()
