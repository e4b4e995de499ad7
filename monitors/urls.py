"""Routes of the app: `/api/monitors` and its neighbours, and pages."""

from django.urls import path

from config.api.routers import route
from monitors.agents.api import AgentMetrics, Agents
from monitors.licence.api import Licence
from monitors.monitors.api.views import MonitorViewSet
from monitors.monitors.ui import detail, edit, lists
from monitors.runs import ui
from monitors.runs.api import RunViewSet

monitors, runs = MonitorViewSet.as_view, RunViewSet.as_view

api_monitors: list = [
    route("monitors", monitors({"get": "list", "post": "create"})),
    route("monitors/<pk>", monitors({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, detail=True)),
    route("monitors/<pk>/script", monitors({"get": "script"}, detail=True)),
    route("monitors/<pk>/run", monitors({"post": "run"}, detail=True)),
    route("monitors/<pk>/runs", runs({"get": "of_monitor"})),
    route("runs/<pk>", runs({"get": "retrieve"}, detail=True)),
    route("runs/<pk>/logs", runs({"get": "logs"}, detail=True)),
    route("runs/<pk>/cancel", runs({"post": "cancel"}, detail=True)),
    route("agents", Agents.as_view()),
    route("agents/<id>/metrics", AgentMetrics.as_view()),
    route("settings/license", Licence.as_view()),
]
pages: list = [
    path("monitors/", lists.monitors, name="monitors"),
    path("monitors/rows/", lists.rows, name="monitor-rows"),
    path("monitors/new/", edit.new, name="monitor-new"),
    path("monitors/schedule/", edit.schedule, name="monitor-schedule"),
    path("monitors/<uuid:pk>/", detail.monitor, name="monitor"),
    path("monitors/<uuid:pk>/parts/<str:name>/", detail.part, name="monitor-part"),
    path("monitors/<uuid:pk>/chart/", detail.chart, name="monitor-chart"),
    path("monitors/<uuid:pk>/edit/", edit.edit, name="monitor-edit"),
    path("monitors/<uuid:pk>/run/", detail.run, name="monitor-run"),
    path("monitors/<uuid:pk>/pause/", detail.switch, {"action": "pause"}, name="monitor-pause"),
    path("monitors/<uuid:pk>/resume/", detail.switch, {"action": "resume"}, name="monitor-resume"),
    path("monitors/<uuid:pk>/delete/", detail.delete, name="monitor-delete"),
    path("runs/<uuid:pk>/", ui.run, name="run"),
    path("runs/<uuid:pk>/body/", ui.body, name="run-body"),
    path("runs/<uuid:pk>/cancel/", ui.cancel, name="run-cancel"),
]
