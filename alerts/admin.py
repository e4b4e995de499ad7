"""Alerts for support staff: to look at. Configurations of channels hold secrets and are not shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from alerts.channels.models import Attempt, Channel, Notification
from alerts.dependencies.models import Dependency
from alerts.evaluation.models import EvaluationPass
from alerts.grouping.models import AlertGroup, Grouping
from alerts.inbox.models import InboxEntry
from alerts.incidents.models import Alert, AlertEvent
from alerts.monitors.models import MonitorState
from alerts.notices.models import Notice
from alerts.policies.models import Policy, PolicyStep, Rotation
from alerts.rules.models import Rule
from alerts.silences.models import Silence


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


@admin.register(Silence)
class SilenceAdmin(ReadOnly):
    list_display = ("reason", "active", "starts_at", "ends_at", "from_time", "time_zone", "ended_at")
    list_filter = ("active",)
    search_fields = ("id", "reason")
    ordering = ("-starts_at", "-pk")


@admin.register(Grouping)
class GroupingAdmin(ReadOnly):
    list_display = ("name", "position", "enabled", "labels", "wait_s", "interval_s", "repeat_s")
    list_filter = ("enabled",)
    search_fields = ("id", "name")
    ordering = ("position", "name", "pk")


@admin.register(AlertGroup)
class AlertGroupAdmin(ReadOnly):
    list_display = ("pk", "grouping", "labels", "turn", "next_at", "spoke_at", "repeat_at")
    list_select_related = ("grouping",)
    search_fields = ("key",)
    ordering = ("-pk",)


@admin.register(Notice)
class NoticeAdmin(ReadOnly):
    list_display = ("created_at", "kind", "step", "alert", "channel", "recipient", "message")
    list_filter = ("kind",)
    list_select_related = ("alert", "channel", "recipient", "message")
    search_fields = ("alert__id", "alert__title", "channel__name")
    ordering = ("-created_at", "-pk")


@admin.register(Dependency)
class DependencyAdmin(ReadOnly):
    list_display = ("parent", "child", "created_at")
    list_select_related = ("parent_instance", "parent_monitor", "child_instance", "child_monitor")
    search_fields = ("id", "parent_instance__name", "child_instance__name")
    ordering = ("-created_at", "-pk")


@admin.register(Policy)
class PolicyAdmin(ReadOnly):
    list_display = ("name", "position", "enabled", "repeats", "updated_at")
    list_filter = ("enabled",)
    search_fields = ("id", "name")
    ordering = ("position", "name", "pk")


@admin.register(PolicyStep)
class PolicyStepAdmin(ReadOnly):
    list_display = ("policy", "number", "after_s", "rotation")
    list_select_related = ("policy", "rotation")
    search_fields = ("policy__name",)
    ordering = ("policy", "number")


@admin.register(Rotation)
class RotationAdmin(ReadOnly):
    list_display = ("name", "time_zone", "starts_on", "hands_over_at", "turn_days")
    search_fields = ("id", "name")
    ordering = ("name", "pk")


@admin.register(InboxEntry)
class InboxEntryAdmin(ReadOnly):
    list_display = ("created_at", "user", "title", "severity", "read_at")
    list_select_related = ("user",)
    search_fields = ("title", "user__email")
    ordering = ("-created_at", "-pk")
