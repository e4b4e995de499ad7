"""Alerts for support staff: to look at. Configurations of channels hold secrets and are not shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from alerts.channels.models import Attempt, Channel, Notification
from alerts.evaluation.models import EvaluationPass
from alerts.incidents.models import Alert, AlertEvent
from alerts.monitors.models import MonitorState
from alerts.rules.models import Rule


class ReadOnly(admin.ModelAdmin):
    """What changes an alert goes through the services, which tell, notify and audit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    list_display = ("title", "severity", "status", "source", "fired_at", "resolved_at", "acknowledged_by_name")
    list_filter = ("status", "severity", "source")
    search_fields = ("id", "title", "instance__name", "monitor__name")
    date_hierarchy = "fired_at"
    ordering = ("-fired_at", "-id")


@admin.register(AlertEvent)
class AlertEventAdmin(ReadOnly):
    list_display = ("at", "kind", "alert", "user", "text")
    list_filter = ("kind",)
    list_select_related = ("alert", "user")
    search_fields = ("alert__id", "alert__title")
    ordering = ("-at", "-pk")


@admin.register(Rule)
class RuleAdmin(ReadOnly):
    list_display = ("name", "type", "severity", "enabled", "instance", "conditions", "cooldown_s")
    list_filter = ("type", "severity", "enabled")
    list_select_related = ("instance",)
    search_fields = ("id", "name", "instance__name")
    ordering = ("-created_at", "-id")


@admin.register(Channel)
class ChannelAdmin(ReadOnly):
    list_display = ("name", "type", "enabled", "monitor_alerts", "notify_resolved", "updated_at")
    list_filter = ("type", "enabled")
    search_fields = ("id", "name")
    ordering = ("name", "pk")
    exclude = ("sealed_config",)


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    list_display = ("created_at", "kind", "state", "channel", "alert", "attempts", "due_at")
    list_filter = ("state", "kind")
    list_select_related = ("channel", "alert")
    search_fields = ("alert__id", "alert__title", "channel__name")
    ordering = ("-created_at", "-pk")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("sent_at", "success", "error", "duration_ms", "notification")
    list_filter = ("success",)
    list_select_related = ("notification",)
    search_fields = ("notification__alert__id", "notification__channel__name")
    ordering = ("-sent_at", "-pk")


@admin.register(EvaluationPass)
class EvaluationPassAdmin(ReadOnly):
    list_display = ("next_at", "finished_at", "duration_ms")
    search_fields = ("pk",)
    ordering = ("pk",)


@admin.register(MonitorState)
class MonitorStateAdmin(ReadOnly):
    list_display = ("monitor", "outcomes", "bad_in_row", "good_in_row", "flapping")
    list_filter = ("flapping",)
    list_select_related = ("monitor",)
    search_fields = ("monitor__name",)
    ordering = ("monitor__name", "pk")
