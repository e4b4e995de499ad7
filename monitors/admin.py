"""Monitors for support staff: to look at, without secrets, scripts or logs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from monitors.agents.models import Agent, Worker
from monitors.monitors.models import Monitor, Script
from monitors.runs.models import Run


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
    list_display = ("id", "name", "location")
    ordering = ("id",)


@admin.register(Worker)
class WorkerAdmin(ReadOnly):
    list_display = ("host", "agent", "version", "capacity", "heartbeat_at")
    ordering = ("-heartbeat_at", "pk")
