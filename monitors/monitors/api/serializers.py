"""Monitors on the wire (contract: monitors §3)."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

from config.api.fields import Body, CamelSerializer, MonitorsSerializer, SecondsField
from monitors.monitors import cron
from monitors.monitors.api.fields import HttpRequest, Parameters, Thresholds
from monitors.monitors.models import Monitor
from monitors.tools.registry import refusal

SCRIPT_BYTES = 1024 * 1024


class MonitorSummary(MonitorsSerializer):
    last_run = SecondsField(source="last_run_at", read_only=True)
    thresholds = Thresholds()

    class Meta:
        model = Monitor
        fields = ("id", "name", "tool", "schedule", "enabled", "thresholds", "last_run", "last_status")


class MonitorDetail(MonitorSummary):
    parameters = Parameters()
    timezone = serializers.CharField(source="time_zone")
    timeout_seconds = serializers.IntegerField(source="effective_timeout_s")
    agent_id = serializers.CharField()
    next_run = serializers.SerializerMethodField()
    script_name = serializers.SerializerMethodField()
    script_size = serializers.SerializerMethodField()
    script_sha256 = serializers.SerializerMethodField()
    active_run_id = serializers.SerializerMethodField()

    class Meta:
        model = Monitor
        fields = (
            *MonitorSummary.Meta.fields,
            *("parameters", "timezone", "timeout_seconds", "agent_id", "request", "alert_after", "recover_after"),
            *("reminder_minutes", "tags", "next_run", "script_name", "script_size", "script_sha256", "script_version"),
            *("active_run_id", "skipped_runs", "created_at", "updated_at"),
        )

    def to_representation(self, monitor: Monitor) -> dict[str, Any]:
        self._script = monitor.script
        return super().to_representation(monitor)

    def get_nextRun(self, monitor: Monitor) -> str | None:  # noqa: N802 - DRF looks for the name on the wire
        return SecondsField().to_representation(monitor.next_run_at) if monitor.enabled else None

    def get_scriptName(self, monitor: Monitor) -> str | None:  # noqa: N802
        return self._script.name if self._script else None

    def get_scriptSize(self, monitor: Monitor) -> int | None:  # noqa: N802
        return self._script.size if self._script else None

    def get_scriptSha256(self, monitor: Monitor) -> str | None:  # noqa: N802
        return self._script.sha256 if self._script else None

    def get_activeRunId(self, monitor: Monitor) -> str | None:  # noqa: N802
        from monitors.runs.models import Run

        active = Run.objects.active().filter(monitor=monitor).values_list("pk", flat=True).first()
        return str(active) if active else None


READ_ONLY = {
    *("id", "lastRun", "lastStatus", "nextRun", "scriptName", "scriptSize", "scriptSha256", "scriptVersion"),
    *("activeRunId", "skippedRuns", "createdAt", "updatedAt"),
}


class MonitorInput(CamelSerializer, Body):
    """A monitor as it is sent. `partial=True` for a change.

    A new one may come with more than we know: existing clients send it. A change names what it changes, so there a
    name that cannot be set, or does not exist, is refused.
    """

    name = serializers.CharField(max_length=200)
    schedule = serializers.CharField(max_length=200)
    tool = serializers.CharField()
    script = serializers.FileField(required=False, allow_empty_file=True)
    script_content = serializers.CharField(required=False, allow_blank=True)
    thresholds = Thresholds(required=False)
    parameters = Parameters(required=False)
    enabled = serializers.BooleanField(required=False)
    timezone = serializers.CharField(required=False, source="time_zone")
    timeout_seconds = serializers.IntegerField(
        required=False, allow_null=True, min_value=5, max_value=3600, source="timeout_s"
    )
    agent_id = serializers.CharField(required=False)
    request = HttpRequest(required=False, allow_null=True)
    alert_after = serializers.IntegerField(required=False, min_value=1, max_value=20)
    recover_after = serializers.IntegerField(required=False, min_value=1, max_value=20)
    reminder_minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_080)
    tags = serializers.ListField(child=serializers.CharField(max_length=50), required=False, max_length=20)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        strange = [name for name in data if name not in self.fields] if self.partial else []
        if strange:
            said = {True: "This field cannot be set.", False: "There is no such field."}
            raise serializers.ValidationError({name: [said[name in READ_ONLY]] for name in strange})
        return super().to_internal_value(data)

    def validate_schedule(self, value: str) -> str:
        try:
            return cron.normalise(value)
        except cron.BadSchedule as error:
            raise serializers.ValidationError(str(error)) from None

    def validate_tool(self, value: str) -> str:
        if why := refusal(value):
            raise serializers.ValidationError(why)
        return value

    def validate_timezone(self, value: str) -> str:
        if not cron.known_zone(value):
            raise serializers.ValidationError(f"'{value[:64]}' is no IANA time zone.")
        return value

    def validate_tags(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))

    def validate_script(self, file: Any) -> tuple[str, str]:
        return file.name[:200], _text(file.read(SCRIPT_BYTES + 1))

    def validate_scriptContent(self, value: str) -> tuple[str, str]:  # noqa: N802 - the name on the wire
        try:
            raw = base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("This is not standard base64.") from None
        return "", _text(raw)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """One `script` as `(name or "", text)`, whichever way it came."""
        content = data.pop("script_content", None)
        if content and "script" in data:
            raise serializers.ValidationError({"script": ["Send either script or scriptContent, not both."]})
        return data | ({"script": content} if content else {})


def _text(raw: bytes) -> str:
    if not raw:
        raise serializers.ValidationError("The script is empty.")
    if len(raw) > SCRIPT_BYTES:
        raise serializers.ValidationError(f"The script is larger than {SCRIPT_BYTES} bytes.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise serializers.ValidationError("The script is not UTF-8 text.") from None
    if "\x00" in text:
        raise serializers.ValidationError("The script holds a NUL character.")
    return text
