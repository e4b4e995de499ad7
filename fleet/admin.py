"""The fleet in Django's admin, for support staff."""

from django.contrib import admin

from config.admin import ReadOnlyAdmin
from fleet.instances.models import Event, Instance


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ("name", "status", "provider", "region", "team", "last_seen_at", "created_at")
    list_filter = ("status", "provider", "distro")
    list_select_related = ("team",)
    search_fields = ("id", "external_id", "name", "region")
    ordering = ("-created_at", "-id")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("timestamp", "type", "instance", "metadata")
    list_filter = ("type",)
    list_select_related = ("instance",)
    search_fields = ("instance__id", "instance__name")
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-id")
