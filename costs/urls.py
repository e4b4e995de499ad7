"""Routes of the app: its part of `/api/v1`, and pages."""

from config.api.routers import ApiRouter, route
from costs.anomalies.api import Anomalies
from costs.budgets.api import BudgetViewSet, CostAlerts
from costs.catalog import api as catalog
from costs.forecast.api import MonthForecast
from costs.idle.api import IdleInstances, IdleInstancesForPages
from costs.pricing.api import Pricing, ProviderPricing
from costs.reports.api import Breakdown, InstanceCosts, Summary, Trends
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
pages: list = []
