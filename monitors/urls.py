"""Routes of the app: `/api/monitors` and its neighbours, and pages."""

from config.api.routers import route
from monitors.agents.api import AgentMetrics, Agents
from monitors.licence.api import Licence
from monitors.monitors.api.views import MonitorViewSet
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
pages: list = []
