"""The fleet in Django's admin, for support staff."""

from django.contrib import admin

from config.admin import ReadOnlyAdmin
from fleet.commands.models import Batch, Execution
from fleet.instances.models import Event, Instance


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ("name", "status", "provider", "region", "team", "last_seen_at", "created_at")
    list_filter = ("status", "provider", "distro")
    list_select_related = ("team",)
    search_fields = ("id", "external_id", "name", "region")
    ordering = ("-created_at", "-id")


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "command", "args", "has_script", "asked_by", "approval", "decided_by")
    list_filter = ("approval", "has_script")
    search_fields = ("id", "command", "asked_by")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")


@admin.register(Execution)
class ExecutionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "batch", "instance", "status", "exit_code", "duration_ms", "fault")
    list_filter = ("status",)
    list_select_related = ("batch", "instance")
    search_fields = ("id", "correlation_id", "instance__name", "batch__command")
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "type", "instance", "metadata")
    list_filter = ("type",)
    list_select_related = ("instance",)
    search_fields = ("instance__id", "instance__name")
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-id")
