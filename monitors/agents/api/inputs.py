"""What people and agents send, checked (contract: monitors §7.2)."""

import base64
import binascii
import math
import re
from typing import Any
from uuid import UUID

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer
from monitors.runs.remote import Report
from monitors.tools.base import Outcome
from monitors.tools.k6.summary import is_summary, outcome_of

MOST_RUNS = 500
MOST_METRICS = 60
NEEDED = ("p50", "p95", "avg", "errorRate", "throughput")
ERRORS = ("tool_unavailable", "script_error", "no_samples", "bad_result", "worker_lost", "output_limit", "internal")
SCREENSHOT_BYTES = 512 * 1024
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")


class NewAgent(CamelSerializer, Body):
    name = serializers.CharField(max_length=200)
    location = serializers.CharField(max_length=200, required=False, allow_blank=True)
    id = serializers.CharField(max_length=63, required=False, source="slug")


class Figures(CamelSerializer, Body):
    """How the agent's machine does; what an agent does not know it leaves out or sends as null."""

    cpu_percent = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=100)
    memory_percent = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=100)
    memory_used_mb = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1e12)
    load_average = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1e6), required=False, allow_null=True, max_length=3
    )
    uptime_seconds = serializers.FloatField(
        required=False, allow_null=True, min_value=0, max_value=3e9, source="uptime_s"
    )

    def validate_loadAverage(self, value: list[float] | None) -> list[float] | None:  # noqa: N802 - as on the wire
        if value is not None and len(value) != 3:
            raise serializers.ValidationError("Three numbers: the last 1, 5 and 15 minutes.")
        return value


class Heartbeat(CamelSerializer, Body):
    version = serializers.CharField(max_length=40, required=False, allow_blank=True)
    host = serializers.CharField(max_length=200, required=False)
    tools = serializers.DictField(child=serializers.CharField(max_length=40), required=False)
    capacity = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    active_runs = serializers.JSONField(required=False)
    metrics = Figures(required=False, allow_null=True)

    def validate_tools(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > 20 or any(not _NAME.fullmatch(name) for name in value):
            raise serializers.ValidationError("At most 20 tools, each named by letters and digits.")
        return value

    def validate_activeRuns(self, value: Any) -> list[UUID] | int:  # noqa: N802
        """The ids of the runs that the agent is making, or only how many there are."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_RUNS:
            return value
        if not isinstance(value, list) or len(value) > MOST_RUNS:
            raise serializers.ValidationError(f"A list of at most {MOST_RUNS} run ids, or their number.")
        try:
            return [UUID(key) for key in value]
        except (ValueError, AttributeError, TypeError):
            raise serializers.ValidationError("A run id is a UUID.") from None


class Fault(Body):
    code = serializers.ChoiceField(choices=ERRORS)
    message = serializers.CharField(max_length=2000)


class Completion(CamelSerializer, Body):
    """The end of a run.

    `result` holds figures in the form of a run's `metrics`, or k6's summary as it wrote it, or is null.
    """

    exit_code = serializers.IntegerField(required=False, allow_null=True, min_value=-255, max_value=2**31 - 1)
    timed_out = serializers.BooleanField(required=False)
    cancelled = serializers.BooleanField(required=False)
    result = serializers.JSONField(required=False, allow_null=True)
    breaches = serializers.JSONField(required=False)
    error = Fault(required=False, allow_null=True)
    screenshot = serializers.CharField(required=False, allow_null=True)

    def validate_result(self, value: Any) -> dict[str, Any] | None:
        if value is None or is_summary(value):
            return value
        return self._figures(value)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """A summary becomes figures, the limits that the script crossed, and what the exit code tells."""
        if not is_summary(data.get("result")):
            return data
        try:
            told = outcome_of(
                data["result"], exit_code=data.get("exit_code") or 0, timed_out=data.get("timed_out", False)
            )
        except ValueError:
            raise serializers.ValidationError({"result": ["This summary cannot be read."]}) from None
        figures = {name: value for name, value in (told.metrics or {}).items() if value is not None}
        fault = {"code": told.error[0], "message": told.error[1]} if told.error else None
        return {"breaches": told.breaches, "error": fault} | data | {"result": figures and self._checked(figures)}

    def _checked(self, figures: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._figures(figures)
        except serializers.ValidationError as fault:
            raise serializers.ValidationError({"result": fault.detail}) from None

    @staticmethod
    def _figures(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > MOST_METRICS or not all(map(_NAME.fullmatch, value)):
            raise serializers.ValidationError("An object of figures, as a run's metrics.")
        faults = {name: ["A number is needed."] for name in NEEDED if not _is_number(value.get(name))}
        faults |= {n: ["A number or null."] for n, v in value.items() if v is not None and not _is_number(v)}
        if not faults and not 0 <= value["errorRate"] <= 1:
            faults["errorRate"] = ["A fraction from 0 to 1."]
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def validate_breaches(self, value: Any) -> list[dict[str, Any]]:
        """Limits inside the script that were crossed; those of the monitor are judged here, not by the agent."""
        if not isinstance(value, list) or len(value) > 100 or not all(map(_is_breach, value)):
            raise serializers.ValidationError("A list of at most 100 breaches, each an object with a message.")
        kept = ("metric", "expression", "limit", "actual", "unit", "message")
        return [{"threshold": "script"} | {name: one[name] for name in kept if name in one} for one in value]

    def validate_screenshot(self, value: str | None) -> bytes | None:
        try:
            data = base64.b64decode(value or "", validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is not standard base64.") from None
        if len(data) > SCREENSHOT_BYTES:
            raise serializers.ValidationError(f"At most {SCREENSHOT_BYTES} bytes.")
        return data or None

    @property
    def report(self) -> Report:
        sent = self.validated_data
        fault = sent.get("error")
        error = (fault["code"], fault["message"]) if fault else None
        if not sent.get("result") and error is None and not sent.get("timed_out") and not sent.get("breaches"):
            code = sent.get("exit_code")
            said = f"The tool ended with exit code {code}, and the agent handed in no figures."
            error = ("script_error", said) if code else ("no_samples", "The agent handed in no figures.")
        outcome = Outcome(
            metrics=sent.get("result") or None,
            breaches=sent.get("breaches", []),
            exit_code=sent.get("exit_code"),
            timed_out=sent.get("timed_out", False),
            error=error,
            screenshot=sent.get("screenshot"),
        )
        return Report(outcome, cancelled=sent.get("cancelled", False))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_breach(value: Any) -> bool:
    """A flat object whose message is a sentence."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("message"), str)
        and all(item is None or isinstance(item, str | int | float) for item in value.values())
        and sum(len(str(item)) for item in value.values()) < 4000
    )
