"""Alert rules over HTTP (contract: fleet console §10)."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_filters import rest_framework as filters
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from alerts.evaluation.sources import notice
from alerts.evaluation.standing import standings
from alerts.incidents.models import Severity
from alerts.rules import queries, services
from alerts.rules.answers import standing_body, trial_body
from alerts.rules.conditions import Number, Whole
from alerts.rules.models import NoData, Rule, RuleQuerySet, RuleType
from config.api.fields import Body, CamelSerializer, FleetSerializer
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet


class RuleSerializer(FleetSerializer):
    instance_id = serializers.CharField(read_only=True, allow_null=True)
    cooldown_sec = serializers.IntegerField(source="cooldown_s", read_only=True)
    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)
    channels = serializers.SerializerMethodField(method_name="channels_of")
    alert_count = serializers.IntegerField(read_only=True, default=0)
    team_id = serializers.CharField(read_only=True, allow_null=True)
    keep_firing_sec = serializers.IntegerField(source="keep_firing_s", read_only=True)
    notice = serializers.SerializerMethodField(help_text="why the rule can find nothing here; null when it can")

    class Meta:
        model = Rule
        fields = (
            "id", "name", "description", "type", "severity", "enabled", "instance_id", "conditions", "cooldown_sec",
            "created_by", "created_at", "updated_at", "channels", "alert_count", "team_id", "clear_threshold",
            "match_count", "match_window", "keep_firing_sec", "no_data", "labels", "notice",
        )  # fmt: skip

    def channels_of(self, rule: Rule) -> list[dict[str, str]]:
        found = sorted(rule.channels.all(), key=lambda channel: (channel.name, channel.pk))
        return [{"id": channel.pk, "name": channel.name, "type": channel.type} for channel in found]

    def get_notice(self, rule: Rule) -> str | None:
        return notice(rule)


class NewRuleSerializer(Body, CamelSerializer):
    name = serializers.CharField(max_length=128)
    description = serializers.CharField(max_length=512, required=False, allow_null=True, allow_blank=True)
    type = serializers.ChoiceField(choices=RuleType.choices)
    severity = serializers.ChoiceField(choices=Severity.choices)
    enabled = serializers.BooleanField(required=False)
    instance_id = serializers.CharField(max_length=128, required=False, allow_null=True)
    conditions = serializers.DictField(source="conditions_")
    cooldown_sec = serializers.IntegerField(source="cooldown_s", min_value=0, max_value=86_400, required=False)
    channel_ids = serializers.ListField(child=serializers.CharField(max_length=128), max_length=20, required=False)
    team_id = serializers.CharField(max_length=128, required=False, allow_null=True)
    clear_threshold = Number(min_value=0, max_value=10_000, required=False, allow_null=True)
    match_count = Whole(min_value=1, max_value=60, required=False)
    match_window = Whole(min_value=1, max_value=60, required=False)
    keep_firing_sec = Whole(source="keep_firing_s", min_value=0, max_value=86_400, required=False)
    no_data = serializers.ChoiceField(choices=NoData.choices, required=False)
    labels = serializers.DictField(required=False)


class TrialSerializer(NewRuleSerializer):
    """A rule that is tried needs neither a name nor a severity yet."""

    name = serializers.CharField(max_length=128, default="Trial")
    severity = serializers.ChoiceField(choices=Severity.choices, default=Severity.INFO)


class RuleFilter(filters.FilterSet):
    type = filters.ChoiceFilter(choices=RuleType.choices)
    severity = filters.ChoiceFilter(choices=Severity.choices)
    enabled = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="switched")
    instanceId = filters.CharFilter(method="about", max_length=128)

    class Meta:
        model = Rule
        fields = ("type", "severity", "enabled")

    def switched(self, rules: RuleQuerySet, name: str, value: str) -> RuleQuerySet:
        return rules.filter(enabled=value == "true")

    def about(self, rules: RuleQuerySet, name: str, value: str) -> RuleQuerySet:
        """Rules of that instance, and those of every instance."""
        return rules.filter(Q(instance_id=value) | Q(instance_id=None))


class RuleViewSet(FleetViewSet):
    """Conditions that make alerts."""

    queryset = Rule.objects.all()
    serializer_class = RuleSerializer
    filterset_class = RuleFilter
    list_name = "rules"
    noun, team_attr = "Rule", "owner_team_id"
    by_team = ("create", "backtest")
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "destroy": OPERATOR,
        "enable": OPERATOR, "disable": OPERATOR, "backtest": OPERATOR, "states": VIEWER,
    }  # fmt: skip

    def get_queryset(self) -> RuleQuerySet:
        return queries.visible(self.request.auth)

    def get_object(self) -> Rule:
        rule = queries.get_visible(principal=self.request.auth, rule_id=self.kwargs["pk"])
        self.check_object_permissions(self.request, rule)
        return rule

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        rule = services.create_rule(actor=request.auth, request=request, **self._body(request, partial=False))
        return Response(self.get_serializer(rule).data, status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def update(self, request: Request, pk: str) -> Response:
        rule = self.get_object()
        services.change_rule(rule=rule, actor=request.auth, request=request, **self._body(request, partial=True))
        return Response(self.get_serializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str) -> Response:
        rule = self.get_object()
        services.delete_rule(rule=rule, actor=request.auth, request=request)
        return Response({"message": "Rule deleted", "id": rule.pk, "name": rule.name})

    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        rule = services.set_enabled(rule=self.get_object(), enabled=True, actor=request.auth, request=request)
        return Response({"id": rule.pk, "enabled": True})

    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        rule = services.set_enabled(rule=self.get_object(), enabled=False, actor=request.auth, request=request)
        return Response({"id": rule.pk, "enabled": False})

    @action(detail=False, methods=["post"])
    def backtest(self, request: Request) -> Response:
        """What the rule in the body would have done over the last 7 days, and whom it would fire for now."""
        body = TrialSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = {"instance_id": None, "team_id": None} | body.validated_data
        given.pop("channel_ids", None)
        rule = services.built(actor=request.auth, **given)
        return Response(trial_body(rule, request.auth, timezone.now()))

    @action(detail=True, methods=["get"])
    def states(self, request: Request, pk: str) -> Response:
        """What the rule finds for each instance, the worst first."""
        page = self.paginate_queryset(standings(self.get_object(), request.auth, timezone.now()))
        self.paginator.list_name = "states"
        return self.get_paginated_response([standing_body(one) for one in page])

    def _body(self, request: Request, *, partial: bool) -> dict[str, Any]:
        body = NewRuleSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return body.validated_data
