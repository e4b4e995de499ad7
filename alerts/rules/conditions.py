"""What a rule's conditions may hold, by type, and how they read (contract: fleet console §10)."""

from typing import Any

from rest_framework import serializers

from alerts.channels.configs import fitted
from alerts.rules.models import EVALUATED, RuleType
from config import formats
from config.api.errors import Invalid
from fleet.instances.models import Status

PERCENT, LOAD = ("cpu_percent", "mem_percent", "disk_percent"), ("load_avg_1", "load_avg_5")
# The name of a rule's metric → the name of the figure in a sample.
FIGURES = {
    "cpu_percent": "cpu_pct",
    "mem_percent": "mem_pct",
    "disk_percent": "disk_pct",
    "load_avg_1": "load1",
    "load_avg_5": "load5",
}
METRIC_WORDS = {
    "cpu_percent": "CPU",
    "mem_percent": "Memory",
    "disk_percent": "Disk",
    "load_avg_1": "Load (1 min)",
    "load_avg_5": "Load (5 min)",
}
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPERATOR_WORDS = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}
EVENT_WORDS = {
    "heartbeat_lost": "Heartbeat lost",
    "unresponsive": "Unresponsive",
    "status_changed": "Status changed",
}
HEARTBEAT_TIMEOUT_S = 120
# A destroyed instance is history: no rule looks at it.
STATUSES = [(status.value, status.label) for status in Status if status != Status.DESTROYED]
TARGET_STATUSES = [Status.ERROR.value, Status.UNKNOWN.value]
NOT_YET = {
    RuleType.ANOMALY: "ANOMALY rules are not evaluated in this version",
    RuleType.SECURITY: "SECURITY rules are not evaluated in this version",
    RuleType.COST: "COST rules are not evaluated in this version",
    "deploy_failed": "deploy_failed is not evaluated in this version, which makes no deployments",
}


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
    metric = serializers.ChoiceField(choices=list(FIGURES))
    operator = serializers.ChoiceField(choices=list(OPERATORS))
    threshold = Number(min_value=0, max_value=10_000)
    duration_sec = Whole(min_value=0, max_value=3600, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["metric"] in PERCENT and attrs["threshold"] > 100:
            raise serializers.ValidationError({"threshold": ["A percentage is at most 100."]})
        return attrs


class LifecycleConditions(serializers.Serializer):
    event = serializers.ChoiceField(choices=[*EVENT_WORDS, "deploy_failed"])
    timeout_sec = Whole(min_value=30, max_value=3600, required=False, allow_null=True)
    target_statuses = serializers.ListField(
        child=serializers.ChoiceField(choices=STATUSES), min_length=1, required=False, allow_null=True
    )

    def validate_event(self, value: str) -> str:
        if value in NOT_YET:
            raise serializers.ValidationError(NOT_YET[value])
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only what the event reads is kept, with its default filled in."""
        event = attrs["event"]
        if event == "heartbeat_lost":
            return {"event": event, "timeout_sec": attrs.get("timeout_sec") or HEARTBEAT_TIMEOUT_S}
        if event == "status_changed":
            statuses = attrs.get("target_statuses") or TARGET_STATUSES
            return {"event": event, "target_statuses": [str(status) for status in dict.fromkeys(statuses)]}
        return {"event": event}


SHAPES: dict[str, type[serializers.Serializer]] = {
    RuleType.THRESHOLD: ThresholdConditions,
    RuleType.LIFECYCLE: LifecycleConditions,
}


def checked(type: str, conditions: Any) -> dict[str, Any]:
    """Conditions that fit the type, unknown names left out. Raises Invalid with the paths `conditions.<name>`.

    A rule that nobody would evaluate is refused, not kept without effect.
    """
    if type not in EVALUATED:
        sentence = NOT_YET[type]
        raise Invalid(sentence, details={"type": [sentence]})
    fitting = fitted(SHAPES[type], conditions, name="conditions")
    return {name: value for name, value in fitting.items() if value is not None}


def with_unit(metric: str, value: float) -> str:
    """`94.2 %` for percentages, `3.5` for load averages."""
    text = formats.significant(value)
    return f"{text} %" if metric in PERCENT else text


def sentence(type: str, conditions: dict[str, Any]) -> str:
    """The condition in words: `CPU above 90 % for 5 min`."""
    if type == RuleType.THRESHOLD:
        metric = conditions["metric"]
        limit = with_unit(metric, conditions["threshold"])
        text = f"{METRIC_WORDS[metric]} {OPERATOR_WORDS[conditions['operator']]} {limit}"
        held_s = conditions.get("duration_sec")
        return f"{text} for {formats.duration(held_s)}" if held_s else text
    if type != RuleType.LIFECYCLE:
        return RuleType(type).label
    match conditions["event"]:
        case "heartbeat_lost":
            return f"No heartbeat for {formats.duration(conditions['timeout_sec'])}"
        case "status_changed":
            return f"Status becomes {' or '.join(conditions['target_statuses']).lower()}"
        case _:
            return "Status is error or unknown"
