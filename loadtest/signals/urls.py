"""Routes of the app: `/api/signals`, and pages."""

from django.urls import path

from config.api.routers import route
from loadtest.signals.events.api import Events
from loadtest.signals.running import api as running
from loadtest.signals.scraping import api as scraping
from loadtest.signals.ui import actions, detail, lists, starting

api_signals: list = [
    route("health", running.Health.as_view()),
    route("scenarios", running.Scenarios.as_view()),
    route("scenarios/metrics", scraping.AllMetrics.as_view()),
    route("scenarios/<id>", running.OneScenario.as_view()),
    route("scenarios/<id>/stats", running.Stats.as_view()),
    route("scenarios/<id>/metrics", scraping.Metrics.as_view()),
    route("events", Events.as_view()),
    route("metrics", scraping.OwnFigures.as_view()),
]
pages: list = [
    path("signals/", lists.signals, name="signals"),
    path("signals/rows/", lists.rows, name="signal-rows"),
    path("signals/new/", starting.new, name="signal-new"),
    path("signals/<pk>/", detail.signal, name="signal"),
    path("signals/<pk>/parts/<name>/", detail.part, name="signal-part"),
    path("signals/<pk>/chart/", detail.chart, name="signal-chart"),
    path("signals/<pk>/stop/", actions.stop, name="signal-stop"),
    path("signals/<pk>/delete/", actions.delete, name="signal-delete"),
]
