"""Monitors for support staff: to look at, without secrets, scripts or logs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from monitors.agents.models import Agent, Worker
from monitors.monitors.models import Monitor, Script
from monitors.runs.models import Run
from monitors.status_page.models import PublicMonitor, StatusNote, StatusPage
from monitors.trials.models import Trial
from monitors.uptime.models import MonitorDay


class ReadOnly(admin.ModelAdmin):
    """What changes a monitor or a run goes through the services, never through a form here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Monitor)
class MonitorAdmin(ReadOnly):
    list_display = ("name", "tool", "schedule", "enabled", "last_status", "next_run_at")
    list_filter = ("tool", "enabled", "last_status")
    search_fields = ("name",)
    ordering = ("name", "pk")
    exclude = ("parameters", "request")  # values and headers may be secret


@admin.register(Script)
class ScriptAdmin(ReadOnly):
    list_display = ("monitor", "version", "name", "size", "created_at")
    search_fields = ("monitor__name", "name")
    ordering = ("-created_at", "-pk")
    exclude = ("body",)


@admin.register(Run)
class RunAdmin(ReadOnly):
    list_display = ("id", "monitor", "status", "trigger", "queued_at", "completed_at", "error_code")
    list_filter = ("status", "trigger", "tool")
    search_fields = ("monitor__name",)
    ordering = ("-queued_at", "-pk")
    exclude = ("spec",)


@admin.register(Agent)
class AgentAdmin(ReadOnly):
    list_display = ("id", "name", "location", "removed_at")
    exclude = ("token_digest",)
    ordering = ("id",)


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("host", "agent", "version", "capacity", "heartbeat_at")
    ordering = ("-heartbeat_at", "pk")


@admin.register(Trial)
class TrialAdmin(ReadOnly):
    list_display = ("id", "name", "tool", "status", "requested_by", "queued_at")
    list_filter = ("tool", "status")
    search_fields = ("name", "requested_by")
    ordering = ("-queued_at", "-pk")
    exclude = ("parameters", "request", "script", "log")


@admin.register(MonitorDay)
class MonitorDayAdmin(ReadOnly):
    list_display = ("monitor", "date", "passed", "counted")
    list_select_related = ("monitor",)
    search_fields = ("monitor__name",)
    ordering = ("-date", "-pk")


@admin.register(StatusPage)
class StatusPageAdmin(ReadOnly):
    list_display = ("title", "enabled", "noindex")


@admin.register(PublicMonitor)
class PublicMonitorAdmin(ReadOnly):
    list_display = ("name", "monitor", "place")
    list_select_related = ("monitor",)
    search_fields = ("name", "monitor__name")
    ordering = ("place", "pk")


@admin.register(StatusNote)
class StatusNoteAdmin(ReadOnly):
    list_display = ("kind", "text", "posted_at")
    list_filter = ("kind",)
    ordering = ("-posted_at", "-pk")
