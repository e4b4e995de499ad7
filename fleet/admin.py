"""The fleet in Django's admin, for support staff."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from fleet.instances.models import Event, Instance


class ReadOnly(admin.ModelAdmin):
    """Looked at, not edited: changes go through the product, which checks, announces and audits them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Instance)
class InstanceAdmin(ReadOnly):
    list_display = ("name", "status", "provider", "region", "team", "last_seen_at", "created_at")
    list_filter = ("status", "provider", "distro")
    list_select_related = ("team",)
    search_fields = ("id", "external_id", "name", "region")
    ordering = ("-created_at", "-id")


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("timestamp", "type", "instance", "metadata")
    list_filter = ("type",)
    list_select_related = ("instance",)
    search_fields = ("instance__id", "instance__name")
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-id")
