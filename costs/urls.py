"""Routes of the app: its part of `/api/v1`, and pages."""

from config.api.routers import ApiRouter, route
from costs.anomalies.api import Anomalies
from costs.budgets.api import BudgetViewSet, CostAlerts
from costs.forecast.api import MonthForecast
from costs.idle.api import IdleInstances, IdleInstancesForPages
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
    *router.urls,
]
pages: list = []
