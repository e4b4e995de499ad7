"""Routes of the app: `/api/v1` and pages."""

from django.urls import path

from config.api.routers import ApiRouter, route
from fleet.agents import distribution
from fleet.agents.api import heartbeats
from fleet.instances.api import InstanceViewSet
from fleet.instances.ui import add, detail, lists
from fleet.metrics.api import AggregateView, Chart, InstanceMetrics, Latest, TimeSeries, TimeSeriesRange
from fleet.overview.api import FleetDeployments, FleetGeo, FleetStats

router = ApiRouter()
router.register("instances", InstanceViewSet, basename="instance")

api_v1: list = [
    route("fleet/stats", FleetStats.as_view()),
    route("fleet/geo", FleetGeo.as_view()),
    route("fleet/deployments", FleetDeployments.as_view()),
    route("instances/<id>/heartbeats", heartbeats),
    route("instances/<id>/metrics", InstanceMetrics.as_view()),
    route("metrics/timeseries", TimeSeries.as_view()),
    route("metrics/timeseries/range", TimeSeriesRange.as_view()),
    route("metrics/aggregate", AggregateView.as_view()),
    route("metrics/latest", Latest.as_view()),
    route("metrics/chart", Chart.as_view(), name="metrics-chart"),
    *router.urls,
]
pages: list = [
    *distribution.urls,
    path("instances/", lists.instances, name="instances"),
    path("instances/rows/", lists.rows, name="instance-rows"),
    path("instances/add/", add.add, name="instance-add"),
    path("instances/<str:pk>/", detail.instance, name="instance"),
    path("instances/<str:pk>/metrics/", detail.metrics, name="instance-metrics"),
    path("instances/<str:pk>/parts/<str:name>/", detail.part, name="instance-part"),
    path("instances/<str:pk>/connect/", add.connect, name="instance-connect"),
    path("instances/<str:pk>/connect/steps/", add.steps, name="instance-steps"),
    path("instances/<str:pk>/<str:action>/", detail.act, name="instance-action"),
]
