"""What a rule's conditions may hold, by type (contract: fleet console §10)."""

from typing import Any

from rest_framework import serializers

from alerts.channels.configs import fitted
from alerts.rules.models import RuleType
from alerts.rules.words import CHECK_WORDS, EVENT_WORDS, LOAD, OPERATORS, PERCENT, PERIOD_WORDS, RATES
from fleet.instances.models import Status

# The name of a rule's metric → the name of the figure in a sample. Of counters that always grow it is the rate.
FIGURES = {
    "cpu_percent": "cpu_pct",
    "mem_percent": "mem_pct",
    "disk_percent": "disk_pct",
    "load_avg_1": "load1",
    "load_avg_5": "load5",
    "net_bytes_recv": "net_rx_bps",
    "net_bytes_sent": "net_tx_bps",
}
LEVELS, DEVIATING = (*PERCENT, *LOAD), ("cpu_percent", "mem_percent", *RATES)
HEARTBEAT_TIMEOUT_S = 120
# A destroyed instance is history: no rule looks at it.
STATUSES = [(status.value, status.label) for status in Status if status != Status.DESTROYED]
TARGET_STATUSES = [Status.ERROR.value, Status.UNKNOWN.value]
CVE_SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM")
MOST_USD = 1e12


class Number(serializers.FloatField):
    """A number; unlike DRF's field it takes neither text nor true for one."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool | str):
            self.fail("invalid")
        value = super().to_internal_value(data)
        if value != value:  # NaN passes every comparison with a limit
            self.fail("invalid")
        return value


class Whole(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ThresholdConditions(serializers.Serializer):
    metric = serializers.ChoiceField(choices=LEVELS)
    operator = serializers.ChoiceField(choices=list(OPERATORS))
    threshold = Number(min_value=0, max_value=10_000)
    duration_sec = Whole(min_value=0, max_value=3600, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["metric"] in PERCENT and attrs["threshold"] > 100:
            raise serializers.ValidationError({"threshold": ["A percentage is at most 100."]})
        return attrs


class AnomalyConditions(serializers.Serializer):
    metric = serializers.ChoiceField(choices=DEVIATING)
    deviation_percent = Number(min_value=1, max_value=1000)
    window_sec = Whole(min_value=60, max_value=86_400)


class LifecycleConditions(serializers.Serializer):
    event = serializers.ChoiceField(choices=list(EVENT_WORDS))
    timeout_sec = Whole(min_value=30, max_value=3600, required=False, allow_null=True)
    target_statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=STATUSES), min_length=1, required=False, allow_null=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only what the event reads is kept, with its default filled in."""
        event = attrs["event"]
        if event == "heartbeat_lost":
            return {"event": event, "timeout_sec": attrs.get("timeout_sec") or HEARTBEAT_TIMEOUT_S}
        if event == "status_changed":
            statuses = attrs.get("target_statuses") or TARGET_STATUSES
            return {"event": event, "target_statuses": [str(status) for status in dict.fromkeys(statuses)]}
        return {"event": event}


class SecurityConditions(serializers.Serializer):
    check = serializers.ChoiceField(choices=list(CHECK_WORDS))
    severity_threshold = serializers.ChoiceField(choices=CVE_SEVERITIES, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only vulnerabilities have a severity; HIGH is its default."""
        if attrs["check"] != "cve_detected":
            return {"check": attrs["check"]}
        return attrs | {"severity_threshold": attrs.get("severity_threshold") or "HIGH"}


class CostConditions(serializers.Serializer):
    budget_usd = Number(max_value=MOST_USD)
    period = serializers.ChoiceField(choices=list(PERIOD_WORDS))
    threshold_percent = Number(min_value=1, max_value=100)

    def validate_budget_usd(self, value: float) -> float:
        if value <= 0:
            raise serializers.ValidationError("Ensure this value is greater than 0.")
        return value


SHAPES: dict[str, type[serializers.Serializer]] = {
    RuleType.THRESHOLD: ThresholdConditions,
    RuleType.ANOMALY: AnomalyConditions,
    RuleType.LIFECYCLE: LifecycleConditions,
    RuleType.SECURITY: SecurityConditions,
    RuleType.COST: CostConditions,
}


def checked(type: str, conditions: Any) -> dict[str, Any]:
    """Conditions that fit the type, unknown names left out. Raises Invalid with the paths `conditions.<name>`."""
    fitting = fitted(SHAPES[type], conditions, name="conditions")
    return {name: value for name, value in fitting.items() if value is not None}
