"""Routes of the app: `/api/v1/alerts…`, `/api/alerts` of the monitors API, and pages."""

from django.urls import path

from alerts.channels.api import ChannelViewSet
from alerts.incidents.api import AlertViewSet
from alerts.monitors.api import MonitorAlertViewSet
from alerts.overview import ui as overview
from alerts.rules.api import RuleViewSet
from config.api.routers import ApiRouter

# Literal neighbours of `alerts/<id>` first.
_fleet = ApiRouter()
_fleet.register("alerts/rules", RuleViewSet, basename="alert-rule")
_fleet.register("alerts/channels", ChannelViewSet, basename="alert-channel")
_fleet.register("alerts", AlertViewSet, basename="alert")
_monitors = ApiRouter()
_monitors.register("alerts", MonitorAlertViewSet, basename="monitor-alert")

api_v1: list = _fleet.urls
api_alerts: list = _monitors.urls
pages: list = [
    path("", overview.overview, name="overview"),
    path("overview/<str:name>/", overview.part, name="overview-part"),
    path("header-state/", overview.header_state, name="header-state"),
    path("settings/status/", overview.status, name="status"),
]
