"""Routes of the app: `/api/v1` and pages."""

from config.api.routers import ApiRouter, route
from fleet.agents import distribution
from fleet.agents.api import heartbeats
from fleet.instances.api import InstanceViewSet
from fleet.overview.api import FleetDeployments, FleetGeo, FleetStats

router = ApiRouter()
router.register("instances", InstanceViewSet, basename="instance")

api_v1: list = [
    route("fleet/stats", FleetStats.as_view()),
    route("fleet/geo", FleetGeo.as_view()),
    route("fleet/deployments", FleetDeployments.as_view()),
    route("instances/<id>/heartbeats", heartbeats),
    *router.urls,
]
pages: list = [*distribution.urls]
