"""Costs for support staff: to look at. What changes them goes through the services, which audit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from costs.budgets.models import Budget
from costs.ledger.models import CostEntry, DayTotal, LedgerRun, Subject
from costs.pricing.models import PriceList
from costs.rightsizing.models import Analysis, Recommendation


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CostEntry)
class CostEntryAdmin(ReadOnly):
    list_display = ("day", "instance_id", "total_micros", "source", "status", "counted_until")
    list_filter = ("source", "status")
    search_fields = ("instance_id",)
    show_full_result_count = False
    ordering = ("-day", "-pk")


@admin.register(Subject)
class SubjectAdmin(ReadOnly):
    list_display = ("instance_name", "instance_id", "provider", "region", "team_name")
    list_filter = ("provider",)
    search_fields = ("instance_id", "instance_name")
    ordering = ("instance_name", "-pk")


@admin.register(DayTotal)
class DayTotalAdmin(ReadOnly):
    list_display = ("day", "provider", "region", "team_name", "entries", "total_micros")
    list_filter = ("provider",)
    ordering = ("-day", "provider", "-pk")


@admin.register(LedgerRun)
class LedgerRunAdmin(ReadOnly):
    list_display = ("started_at", "finished_at")
    ordering = ("pk",)


@admin.register(PriceList)
class PriceListAdmin(ReadOnly):
    list_display = ("provider", "version", "valid_from", "created_by", "created_at")
    list_filter = ("provider",)
    search_fields = ("provider",)
    ordering = ("provider", "-valid_from", "-version")


@admin.register(Budget)
class BudgetAdmin(ReadOnly):
    list_display = ("name", "amount_micros", "period", "instance", "provider", "alert_threshold", "alerted_for")
    list_filter = ("period", "provider")
    list_select_related = ("instance",)
    search_fields = ("id", "name", "instance__name")
    ordering = ("-created_at", "-id")


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnly):
    list_display = ("instance", "current_tier", "suggested_tier", "savings_micros", "confidence", "dismissed")
    list_filter = ("dismissed",)
    list_select_related = ("instance",)
    search_fields = ("id", "instance__name")
    ordering = ("-savings_micros", "id")


@admin.register(Analysis)
class AnalysisAdmin(ReadOnly):
    list_display = ("started_at", "analyzed", "generated", "skipped")
    ordering = ("pk",)
