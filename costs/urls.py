"""Routes of the app: its part of `/api/v1`, and pages."""

from django.urls import path

from config.api.routers import ApiRouter, route
from costs.anomalies.api import Anomalies
from costs.budgets import ui as budgets
from costs.budgets.api import BudgetViewSet, CostAlerts
from costs.catalog import api as catalog
from costs.catalog import ui as catalog_pages
from costs.entries import ui as entries
from costs.forecast.api import MonthForecast
from costs.idle import ui as idle
from costs.idle.api import IdleInstances, IdleInstancesForPages
from costs.llm.api import LlmOfInstance, LlmPricing, LlmSummary, LlmTrends
from costs.overview import ui as overview
from costs.pricing.api import Pricing, ProviderPricing
from costs.reports.api import Breakdown, InstanceCosts, Summary, Trends
from costs.rightsizing import ui as rightsizing
from costs.rightsizing.api import RecommendationViewSet

router = ApiRouter()
router.register("costs/budgets", BudgetViewSet, basename="budget")
router.register("costs/recommendations", RecommendationViewSet, basename="recommendation")

api_v1: list = [
    route("costs/alerts", CostAlerts.as_view()),
    route("costs/anomalies", Anomalies.as_view()),
    route("costs/forecast", MonthForecast.as_view()),
    route("costs/idle", IdleInstances.as_view()),
    route("costs/idle-instances", IdleInstancesForPages.as_view()),
    route("costs/summary", Summary.as_view()),
    route("costs/trends", Trends.as_view()),
    route("costs/breakdown", Breakdown.as_view()),
    route("costs/instances/<id>", InstanceCosts.as_view()),
    route("costs/llm/summary", LlmSummary.as_view()),
    route("costs/llm/trends", LlmTrends.as_view()),
    route("costs/llm/pricing", LlmPricing.as_view()),
    route("costs/llm/instances/<id>", LlmOfInstance.as_view()),
    route("costs/pricing", Pricing.as_view()),
    route("costs/pricing/<provider>", ProviderPricing.as_view()),
    route("providers", catalog.Providers.as_view()),
    route("providers/availability", catalog.Availability.as_view()),
    route("providers/<provider>/regions", catalog.Regions.as_view()),
    route("providers/<provider>/compute-catalog", catalog.Catalog.as_view()),
    route("providers/<provider>/compute-catalog/estimate", catalog.CatalogEstimate.as_view()),
    route("providers/<provider>/compute-catalog/refresh", catalog.CatalogRefresh.as_view()),
    *router.urls,
]
pages: list = [
    path("costs/", overview.costs, name="costs"),
    path("costs/trend/", overview.trend, name="cost-trend"),
    path("costs/idle/", idle.idle_instances, name="cost-idle"),
    path("costs/idle/part/", overview.idle_part, name="cost-idle-part"),
    path("costs/budgets/", budgets.budgets, name="cost-budgets"),
    path("costs/budgets/new/", budgets.new, name="cost-budget-new"),
    path("costs/budgets/<str:pk>/", budgets.budget, name="cost-budget"),
    path("costs/budgets/<str:pk>/edit/", budgets.edit, name="cost-budget-edit"),
    path("costs/budgets/<str:pk>/delete/", budgets.delete, name="cost-budget-delete"),
    path("costs/right-sizing/", rightsizing.recommendations, name="cost-advice"),
    path("costs/right-sizing/analyze/", rightsizing.analyze, name="cost-advice-analyze"),
    path("costs/right-sizing/<str:pk>/dismiss/", rightsizing.dismiss, name="cost-advice-dismiss"),
    path("costs/entries/", entries.entries, name="cost-entries"),
    path("costs/entries/<int:pk>/", entries.entry, name="cost-entry"),
    path("costs/sizes/", catalog_pages.catalog, name="cost-catalog"),
    path("costs/instances/<str:pk>/", entries.of_instance, name="instance-costs"),
    path("costs/instances/<str:pk>/trend/", entries.instance_trend, name="instance-cost-trend"),
]
