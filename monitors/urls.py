"""Routes of the app: `/api/monitors` and its neighbours, and pages."""

from django.urls import path

from config.api.routers import route
from monitors.agents import distribution
from monitors.agents.api.remote import Beat, Claim, Complete, Log
from monitors.agents.api.views import AgentMetrics, Agents, AgentToken, OneAgent
from monitors.agents.ui import add as add_agent
from monitors.agents.ui import detail as agent
from monitors.agents.ui import lists as agents
from monitors.licence.api import Licence
from monitors.licence.ui import licence
from monitors.monitors.api.trials import TrialViewSet
from monitors.monitors.api.views import MonitorViewSet
from monitors.monitors.ui import detail, edit, lists
from monitors.runs import ui
from monitors.runs.api import RunViewSet
from monitors.status_page.ui import public
from monitors.status_page.ui import settings as status_page
from monitors.trials import ui as trials

monitors, runs, trials_api = MonitorViewSet.as_view, RunViewSet.as_view, TrialViewSet.as_view

api_monitors: list = [
    route("monitors", monitors({"get": "list", "post": "create"})),
    # Literal neighbours of `monitors/<pk>` first.
    route("monitors/trials", trials_api({"post": "create"})),
    route("monitors/trials/<pk>", trials_api({"get": "retrieve"}, detail=True)),
    route("monitors/trials/<pk>/logs", trials_api({"get": "logs"}, detail=True)),
    route("monitors/trials/<pk>/cancel", trials_api({"post": "cancel"}, detail=True)),
    route("monitors/<pk>", monitors({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}, detail=True)),
    route("monitors/<pk>/script", monitors({"get": "script"}, detail=True)),
    route("monitors/<pk>/run", monitors({"post": "run"}, detail=True)),
    route("monitors/<pk>/runs", runs({"get": "of_monitor"})),
    route("runs/<pk>", runs({"get": "retrieve"}, detail=True)),
    route("runs/<pk>/logs", runs({"get": "logs"}, detail=True)),
    route("runs/<pk>/screenshot", runs({"get": "screenshot"}, detail=True)),
    route("runs/<pk>/cancel", runs({"post": "cancel"}, detail=True)),
    route("agents", Agents.as_view()),
    route("agents/<id>", OneAgent.as_view()),
    route("agents/<id>/metrics", AgentMetrics.as_view()),
    route("agents/<id>/token", AgentToken.as_view()),
    route("agents/<id>/heartbeat", Beat.as_view()),
    route("agents/<id>/claim", Claim.as_view()),
    route("runs/<pk>/log", Log.as_view()),
    route("runs/<pk>/complete", Complete.as_view()),
    route("settings/license", Licence.as_view()),
]
pages: list = [
    *distribution.urls,
    path("monitors/", lists.monitors, name="monitors"),
    path("monitors/rows/", lists.rows, name="monitor-rows"),
    path("monitors/new/", edit.new, name="monitor-new"),
    path("monitors/new/try/", edit.attempt, name="monitor-try"),
    path("monitors/trials/<uuid:pk>/", trials.panel, name="trial"),
    path("monitors/trials/<uuid:pk>/cancel/", trials.cancel, name="trial-cancel"),
    path("monitors/schedule/", edit.schedule, name="monitor-schedule"),
    path("monitors/<uuid:pk>/", detail.monitor, name="monitor"),
    path("monitors/<uuid:pk>/parts/<str:name>/", detail.part, name="monitor-part"),
    path("monitors/<uuid:pk>/chart/", detail.chart, name="monitor-chart"),
    path("monitors/<uuid:pk>/edit/", edit.edit, name="monitor-edit"),
    path("monitors/<uuid:pk>/edit/try/", edit.attempt, name="monitor-edit-try"),
    path("monitors/<uuid:pk>/run/", detail.run, name="monitor-run"),
    path("monitors/<uuid:pk>/pause/", detail.switch, {"action": "pause"}, name="monitor-pause"),
    path("monitors/<uuid:pk>/resume/", detail.switch, {"action": "resume"}, name="monitor-resume"),
    path("monitors/<uuid:pk>/delete/", detail.delete, name="monitor-delete"),
    path("runs/<uuid:pk>/", ui.run, name="run"),
    path("runs/<uuid:pk>/body/", ui.body, name="run-body"),
    path("runs/<uuid:pk>/screenshot/", ui.screenshot, name="run-screenshot"),
    path("runs/<uuid:pk>/cancel/", ui.cancel, name="run-cancel"),
    path("agents/", agents.agents, name="agents"),
    path("agents/rows/", agents.rows, name="agent-rows"),
    path("agents/add/", add_agent.add, name="agent-add"),
    path("agents/<slug:id>/", agent.agent, name="agent"),
    path("agents/<slug:id>/now/", agent.now, name="agent-now"),
    path("agents/<slug:id>/charts/<slug:name>/", agent.chart, name="agent-chart"),
    path("agents/<slug:id>/join/", add_agent.join, name="agent-join"),
    path("agents/<slug:id>/steps/", add_agent.steps, name="agent-steps"),
    path("agents/<slug:id>/remove/", agent.remove, name="agent-remove"),
    path("status/", public.page, name="public-status"),
    path("status/<uuid:pk>/<str:name>.svg", public.badge, name="public-badge"),
    path("settings/licence/", licence, name="licence"),
    path("settings/status-page/", status_page.settings, name="status-page"),
    path("settings/status-page/add/", status_page.add, name="status-page-add"),
    path("settings/status-page/post/", status_page.post, name="status-page-post"),
    path("settings/status-page/notes/<uuid:pk>/take-back/", status_page.take_back, name="status-page-take-back"),
    path("settings/status-page/<uuid:pk>/", status_page.monitor, name="status-page-monitor"),
    path("settings/status-page/<uuid:pk>/up/", status_page.act, {"action": "up"}, name="status-page-up"),
    path("settings/status-page/<uuid:pk>/hide/", status_page.act, {"action": "hide"}, name="status-page-hide"),
]
