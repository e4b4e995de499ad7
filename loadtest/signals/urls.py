"""Routes of the app: `/api/signals`, and pages."""

from config.api.routers import route
from loadtest.signals.events.api import Events
from loadtest.signals.running import api as running
from loadtest.signals.scraping import api as scraping

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
pages: list = []
