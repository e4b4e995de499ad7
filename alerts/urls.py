"""Routes of the app: `/api/v1/alerts…`, `/api/alerts` of the monitors API, and pages."""

from django.urls import path

from alerts.channels import ui as channels
from alerts.channels.api import ChannelViewSet
from alerts.incidents.api import AlertViewSet
from alerts.incidents.ui import detail, lists
from alerts.monitors.api import MonitorAlertViewSet
from alerts.overview import status_ui
from alerts.overview import ui as overview
from alerts.rules import ui as rules
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
    path("settings/status/", status_ui.status, name="status"),
    path("alerts/", lists.alerts, name="alerts"),
    path("alerts/rows/", lists.rows, name="alert-rows"),
    path("alerts/bulk/", lists.bulk, name="alerts-bulk"),
    path("alerts/rules/", rules.rules, name="alert-rules"),
    path("alerts/rules/new/", rules.new, name="alert-rule-new"),
    path("alerts/rules/preview/", rules.preview, name="alert-rule-preview"),
    path("alerts/rules/<str:pk>/edit/", rules.edit, name="alert-rule-edit"),
    path("alerts/rules/<str:pk>/enable/", rules.switch, {"on": True}, name="alert-rule-enable"),
    path("alerts/rules/<str:pk>/disable/", rules.switch, {"on": False}, name="alert-rule-disable"),
    path("alerts/rules/<str:pk>/delete/", rules.delete, name="alert-rule-delete"),
    path("alerts/channels/", channels.channels, name="alert-channels"),
    path("alerts/channels/new/", channels.new, name="alert-channel-new"),
    path("alerts/channels/<str:pk>/edit/", channels.edit, name="alert-channel-edit"),
    path("alerts/channels/<str:pk>/test/", channels.test, name="alert-channel-test"),
    path("alerts/channels/<str:pk>/delete/", channels.delete, name="alert-channel-delete"),
    path("alerts/<str:pk>/", detail.alert, name="alert"),
    path("alerts/<str:pk>/parts/<str:name>/", detail.part, name="alert-part"),
    path("alerts/<str:pk>/chart/", detail.chart_data, name="alert-chart"),
    path("alerts/<str:pk>/acknowledge/", detail.acknowledge, name="alert-acknowledge"),
    path("alerts/<str:pk>/resolve/", detail.resolve, name="alert-resolve"),
]
