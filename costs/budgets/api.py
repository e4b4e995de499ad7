"""Budgets over HTTP (contract: fleet console §15 alerts, §16)."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import Body, CamelSerializer, milliseconds
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import ApiView, FleetViewSet
from costs.budgets import queries, services
from costs.budgets.models import Budget, BudgetQuerySet, Period
from costs.budgets.queries import MOST, Standing
from costs.forecast.answers import ForecastSerializer, forecast_body
from costs.money import wire
from fleet.instances.models import Provider

MOST_USD = 1e12
STATUSES = ("ok", "warning", "exceeded")


class Amount(serializers.FloatField):
    """USD above 0, as exact as it was written."""

    def to_internal_value(self, data: Any) -> Decimal:
        value = super().to_internal_value(data)
        if not 0 < value <= MOST_USD:  # NaN fits no comparison
            raise serializers.ValidationError("This must be above 0 and at most 1,000,000,000,000.")
        return Decimal(str(data))


class Share(serializers.FloatField):
    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not 0.01 <= value <= 1:
            raise serializers.ValidationError("This must be between 0.01 and 1.")
        return value


class NewBudgetSerializer(Body, CamelSerializer):
    name = serializers.CharField(max_length=128)
    amount_usd = Amount()
    period = serializers.ChoiceField(choices=Period.choices)
    instance_id = serializers.CharField(max_length=128, required=False, allow_null=True)
    provider = serializers.ChoiceField(choices=Provider.choices, required=False, allow_null=True)
    alert_threshold = Share(required=False)


class BudgetSerializer(CamelSerializer):
    """`overOn`: the day on which it was, or will be, used up; `forecast`: at the period's end. Null: unknown."""

    id = serializers.CharField()
    name = serializers.CharField()
    amount_usd = serializers.FloatField()
    period = serializers.ChoiceField(choices=Period.choices)
    instance_id = serializers.CharField(allow_null=True)
    provider = serializers.CharField(allow_null=True)
    alert_threshold = serializers.FloatField()
    alert_sent = serializers.BooleanField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    spent_usd = serializers.FloatField()
    spent_percent = serializers.FloatField()
    current_spend_usd = serializers.FloatField()
    percent_used = serializers.FloatField()
    remaining_usd = serializers.FloatField()
    status = serializers.ChoiceField(choices=STATUSES)
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    over_on = serializers.DateField(allow_null=True)
    forecast = ForecastSerializer(allow_null=True)


class BudgetListSerializer(serializers.Serializer):
    budgets = BudgetSerializer(many=True)
    total = serializers.IntegerField()


def budget_body(standing: Standing) -> dict[str, Any]:
    """A budget as it travels."""
    budget, fill = standing.budget, standing.fill
    spent, percent = wire(fill.spent), fill.percent
    return {
        "id": budget.pk,
        "name": budget.name,
        "amountUsd": wire(budget.amount_micros),
        "period": budget.period,
        "instanceId": budget.instance_id,
        "provider": budget.provider,
        "alertThreshold": budget.alert_threshold,
        "alertSent": standing.alert_sent,
        "createdBy": budget.created_by_id,
        "createdAt": milliseconds(budget.created_at),
        "updatedAt": milliseconds(budget.updated_at),
        "spentUsd": spent,
        "spentPercent": percent,
        "currentSpendUsd": spent,
        "percentUsed": percent,
        "remainingUsd": wire(fill.left),
        "status": fill.status,
        "periodStart": standing.begin.isoformat(),
        "periodEnd": standing.until.isoformat(),
        "overOn": standing.over_on and standing.over_on.isoformat(),
        "forecast": forecast_body(standing.forecast),
    }


class BudgetViewSet(FleetViewSet):
    """Limits of what may be spent in a day, a week or a month. The list is whole: there are at most 500."""

    queryset = Budget.objects.all()
    serializer_class = BudgetSerializer
    filter_backends = ()
    pagination_class = None  # type: ignore[assignment]
    noun, team_attr = "Budget", "team_id"
    by_team = ("create",)
    roles = {
        "list": VIEWER, "retrieve": VIEWER, "create": OPERATOR, "update": OPERATOR, "partial_update": OPERATOR,
        "destroy": OPERATOR,
    }  # fmt: skip

    def get_queryset(self) -> BudgetQuerySet:
        return queries.budgets().visible_to(self.request.auth).newest_first()

    def get_object(self) -> Budget:
        budget = queries.get_visible(principal=self.request.auth, budget_id=self.kwargs["pk"])
        self.check_object_permissions(self.request, budget)
        return budget

    @extend_schema(responses=BudgetListSerializer)
    def list(self, request: Request) -> Response:
        found = self.get_queryset()
        if instance_id := request.query_params.get("instanceId"):
            if len(instance_id) > 128 or "\x00" in instance_id:
                raise Invalid("Invalid instance ID", details={"instanceId": ["Invalid instance ID"]})
            found = found.filter(instance_id=instance_id)
        rows = [budget_body(one) for one in queries.standings(found[:MOST], timezone.now())]
        return Response({"budgets": rows, "data": rows, "total": len(rows)})

    @extend_schema(request=NewBudgetSerializer, responses={201: BudgetSerializer})
    def create(self, request: Request) -> Response:
        budget = services.create_budget(actor=request.auth, request=request, **self._body(request, partial=False))
        return Response(self._shown(budget), status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._shown(self.get_object()))

    @extend_schema(request=NewBudgetSerializer(partial=True))
    def update(self, request: Request, pk: str) -> Response:
        """Any subset."""
        fields = self._body(request, partial=True)
        budget = services.change_budget(budget=self.get_object(), actor=request.auth, request=request, **fields)
        return Response(self._shown(budget))

    @extend_schema(request=NewBudgetSerializer(partial=True))
    def partial_update(self, request: Request, pk: str) -> Response:
        """The same as PUT."""
        return self.update(request, pk)

    def destroy(self, request: Request, pk: str) -> Response:
        budget = self.get_object()
        services.delete_budget(budget=budget, actor=request.auth, request=request)
        return Response({"message": "Budget deleted", "id": pk, "name": budget.name})

    def _body(self, request: Request, *, partial: bool) -> dict[str, Any]:
        body = NewBudgetSerializer(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return body.validated_data

    def _shown(self, budget: Budget) -> dict[str, Any]:
        return budget_body(queries.standing(budget, timezone.now()))


class CostAlertSerializer(CamelSerializer):
    id = serializers.CharField()
    budget_id = serializers.CharField()
    budget_name = serializers.CharField()
    amount_usd = serializers.FloatField()
    spent_usd = serializers.FloatField()
    spent_percent = serializers.FloatField()
    period = serializers.ChoiceField(choices=Period.choices)
    fired_at = serializers.DateTimeField()


class CostAlertsSerializer(serializers.Serializer):
    alerts = CostAlertSerializer(many=True)
    total = serializers.IntegerField()


class CostAlerts(ApiView):
    """Budgets that are near or over their amount, or whose alert was sent in this period."""

    roles = {"get": VIEWER}

    @extend_schema(responses=CostAlertsSerializer)
    def get(self, request: Request) -> Response:
        found = queries.budgets().visible_to(request.auth).newest_first()[:MOST]
        noteworthy = [one for one in queries.standings(found, timezone.now()) if one.noteworthy]
        rows = [alert_body(one) for one in noteworthy]
        return Response({"alerts": rows, "total": len(rows)})


def alert_body(standing: Standing) -> dict[str, Any]:
    """One budget that needs a look. Before its alert was sent, `firedAt` is when the day that crossed began."""
    budget, fill = standing.budget, standing.fill
    return {
        "id": f"alert-{budget.pk}",
        "budgetId": budget.pk,
        "budgetName": budget.name,
        "amountUsd": wire(budget.amount_micros),
        "spentUsd": wire(fill.spent),
        "spentPercent": fill.percent,
        "period": budget.period,
        "firedAt": milliseconds(standing.fired_at),
    }
