"""Routes of the app: `/api/v1/alerts…`, `/api/alerts` of the monitors API, and pages."""

from django.urls import path

from alerts.channels import ui as channels
from alerts.channels.api import ChannelViewSet
from alerts.demo import ui as demo
from alerts.dependencies import ui as dependencies
from alerts.dependencies.api import DependencyViewSet
from alerts.drills import ui as drills
from alerts.drills.api import DrillViewSet
from alerts.grouping import ui as grouping
from alerts.grouping.api import GroupingViewSet
from alerts.inbox import ui as inbox
from alerts.incidents.api import AlertViewSet
from alerts.incidents.ui import detail, lists
from alerts.monitors import ui as monitors
from alerts.monitors.api import MonitorAlertViewSet
from alerts.objectives import ui as objectives
from alerts.objectives.api import ObjectiveViewSet
from alerts.overview import status_ui
from alerts.overview import ui as overview
from alerts.policies import ui as policies
from alerts.policies.api import PolicyViewSet, RotationViewSet
from alerts.rules.api import RuleViewSet
from alerts.rules.ui import detail as rule
from alerts.rules.ui import editor as rule_editor
from alerts.rules.ui import lists as rules
from alerts.search import ui as search
from alerts.silences import ui as silences
from alerts.silences.api import SilenceViewSet
from config.api.routers import ApiRouter

# Literal neighbours of `alerts/<id>` first.
_fleet = ApiRouter()
_fleet.register("alerts/rules", RuleViewSet, basename="alert-rule")
_fleet.register("alerts/channels", ChannelViewSet, basename="alert-channel")
_fleet.register("alerts/silences", SilenceViewSet, basename="alert-silence")
_fleet.register("alerts/groupings", GroupingViewSet, basename="alert-grouping")
_fleet.register("alerts/dependencies", DependencyViewSet, basename="alert-dependency")
_fleet.register("alerts/drills", DrillViewSet, basename="alert-drill")
_fleet.register("alerts/objectives", ObjectiveViewSet, basename="alert-objective")
_fleet.register("alerts/policies", PolicyViewSet, basename="alert-policy")
_fleet.register("alerts/rotations", RotationViewSet, basename="alert-rotation")
_fleet.register("alerts", AlertViewSet, basename="alert")
_monitors = ApiRouter()
_monitors.register("alerts", MonitorAlertViewSet, basename="monitor-alert")

api_v1: list = _fleet.urls
api_alerts: list = _monitors.urls
pages: list = [
    path("", overview.overview, name="overview"),
    path("overview/<str:name>/", overview.part, name="overview-part"),
    path("search/", search.search, name="search"),
    path("header-state/", overview.header_state, name="header-state"),
    path("settings/demo/", demo.demo, name="demo"),
    path("settings/demo/load/", demo.load, name="demo-load"),
    path("settings/demo/remove/", demo.remove, name="demo-remove"),
    path("settings/status/", status_ui.status, name="status"),
    path("alerts/", lists.alerts, name="alerts"),
    path("alerts/rows/", lists.rows, name="alert-rows"),
    path("alerts/bulk/", lists.bulk, name="alerts-bulk"),
    path("alerts/of-monitor/<uuid:pk>/", monitors.alerts, name="monitor-alerts"),
    path("alerts/rules/", rules.rules, name="alert-rules"),
    path("alerts/rules/new/", rule_editor.new, name="alert-rule-new"),
    path("alerts/rules/preview/", rule_editor.preview, name="alert-rule-preview"),
    path("alerts/rules/<str:pk>/", rule.rule, name="alert-rule"),
    path("alerts/rules/<str:pk>/drill/", drills.new, name="alert-rule-drill"),
    path("alerts/drills/<str:pk>/", drills.drill, name="drill"),
    path("alerts/rules/<str:pk>/standing/", rule.standing, name="alert-rule-standing"),
    path("alerts/rules/<str:pk>/trial/", rule.trial, name="alert-rule-trial"),
    path("alerts/rules/<str:pk>/edit/", rule_editor.edit, name="alert-rule-edit"),
    path("alerts/rules/<str:pk>/enable/", rule.switch, {"on": True}, name="alert-rule-enable"),
    path("alerts/rules/<str:pk>/disable/", rule.switch, {"on": False}, name="alert-rule-disable"),
    path("alerts/rules/<str:pk>/delete/", rule.delete, name="alert-rule-delete"),
    path("alerts/channels/", channels.channels, name="alert-channels"),
    path("alerts/channels/new/", channels.new, name="alert-channel-new"),
    path("alerts/channels/<str:pk>/edit/", channels.edit, name="alert-channel-edit"),
    path("alerts/channels/<str:pk>/test/", channels.test, name="alert-channel-test"),
    path("alerts/channels/<str:pk>/delete/", channels.delete, name="alert-channel-delete"),
    path("alerts/inbox/", inbox.messages_of, name="inbox"),
    path("alerts/inbox/read/", inbox.read, name="inbox-read"),
    path("alerts/silences/", silences.silences, name="silences"),
    path("alerts/silences/new/", silences.new, name="silence-new"),
    path("alerts/silences/<str:pk>/edit/", silences.edit, name="silence-edit"),
    path("alerts/silences/<str:pk>/end/", silences.end, name="silence-end"),
    path("alerts/objectives/", objectives.objectives, name="objectives"),
    path("alerts/objectives/new/", objectives.new, name="objective-new"),
    path("alerts/objectives/<str:pk>/", objectives.objective, name="objective"),
    path("alerts/objectives/<str:pk>/edit/", objectives.edit, name="objective-edit"),
    path("alerts/objectives/<str:pk>/delete/", objectives.delete, name="objective-delete"),
    path("alerts/policies/", policies.policies, name="alert-policies"),
    path("alerts/policies/new/", policies.new, name="alert-policy-new"),
    path("alerts/policies/<str:pk>/edit/", policies.edit, name="alert-policy-edit"),
    path("alerts/policies/<str:pk>/delete/", policies.delete, name="alert-policy-delete"),
    path("alerts/rotations/new/", policies.new_rotation, name="alert-rotation-new"),
    path("alerts/rotations/<str:pk>/edit/", policies.edit_rotation, name="alert-rotation-edit"),
    path("alerts/rotations/<str:pk>/delete/", policies.delete_rotation, name="alert-rotation-delete"),
    path("alerts/groupings/new/", grouping.new, name="alert-grouping-new"),
    path("alerts/groupings/<str:pk>/edit/", grouping.edit, name="alert-grouping-edit"),
    path("alerts/groupings/<str:pk>/delete/", grouping.delete, name="alert-grouping-delete"),
    path("alerts/dependencies/new/", dependencies.new, name="alert-dependency-new"),
    path("alerts/dependencies/<str:pk>/delete/", dependencies.delete, name="alert-dependency-delete"),
    path("alerts/<str:pk>/", detail.alert, name="alert"),
    path("alerts/<str:pk>/parts/<str:name>/", detail.part, name="alert-part"),
    path("alerts/<str:pk>/chart/", detail.chart_data, name="alert-chart"),
    path("alerts/<str:pk>/acknowledge/", detail.acknowledge, name="alert-acknowledge"),
    path("alerts/<str:pk>/resolve/", detail.resolve, name="alert-resolve"),
]
