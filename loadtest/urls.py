"""Routes of the app: `/api/loadtest`, and pages."""

from django.urls import path

from config.api.routers import route
from loadtest.exchange import api as exchange
from loadtest.runs import api as runs
from loadtest.runs import streams
from loadtest.runs.ui import actions, compare, detail, lists, load, machines, report
from loadtest.scripting.api import Completions
from loadtest.sending.api import Send
from loadtest.workspace.api import platform, saved
from loadtest.workspace.ui import board, collections, environments, importing, sending, settings

api_loadtest: list = [
    route("health", platform.Health.as_view()),
    route("config", platform.Configuration.as_view()),
    route("shutdown", platform.Shutdown.as_view()),
    route("collections", saved.Collections.as_view()),
    route("collections/<id>", saved.OneCollection.as_view()),
    route("requests", saved.Requests.as_view()),
    route("requests/<id>", saved.OneRequest.as_view()),
    route("requests/<id>/curl", exchange.Command.as_view()),
    route("environments", saved.Environments.as_view()),
    route("environments/<id>", saved.OneEnvironment.as_view()),
    route("globals", saved.GlobalVariables.as_view()),
    route("import", exchange.Import.as_view()),
    route("import/parse", exchange.Parse.as_view()),
    route("import/fetch", exchange.Fetch.as_view()),
    route("run", runs.Start.as_view()),
    route("runs", runs.Runs.as_view()),
    route("run/<id>", runs.OneRun.as_view()),
    route("run/<id>/stop", runs.Stop.as_view()),
    route("run/<id>/report", runs.Report.as_view()),
    route("runs/<id>/baseline", runs.Baseline.as_view()),
    route("runs/<id>/compare/<other>", runs.Compare.as_view()),
    route("metrics/live/<id>", streams.Live.as_view()),
    route("stats/<id>", streams.Stats.as_view()),
    route("request", Send.as_view()),
    route("scripting/completions", Completions.as_view()),
]
pages: list = [
    path("loadtest/", board.workspace, name="loadtest"),
    path("loadtest/send/", sending.send, name="load-send"),
    path("loadtest/curl/", sending.curl, name="load-curl"),
    path("loadtest/requests/save/", sending.save, name="load-request-save"),
    path("loadtest/requests/<pk>/delete/", sending.delete, name="load-request-delete"),
    path("loadtest/collections/new/", collections.new, name="load-collection-new"),
    path("loadtest/collections/<pk>/", collections.collection, name="load-collection"),
    path("loadtest/collections/<pk>/delete/", collections.delete, name="load-collection-delete"),
    path("loadtest/environments/", environments.environments, name="load-environments"),
    path("loadtest/environments/new/", environments.new, name="load-environment-new"),
    path("loadtest/environments/globals/", environments.shared, name="load-globals"),
    path("loadtest/environments/<pk>/", environments.environment, name="load-environment"),
    path("loadtest/environments/<pk>/delete/", environments.delete, name="load-environment-delete"),
    path("loadtest/import/", importing.bring_in, name="load-import"),
    path("loadtest/settings/", settings.settings, name="load-settings"),
    path("loadtest/load/", load.new, name="load-new"),
    path("loadtest/load/plan/", load.plan, name="load-plan"),
    path("loadtest/load/start/", load.start, name="load-start"),
    path("loadtest/runs/", lists.runs, name="load-runs"),
    path("loadtest/runs/rows/", lists.rows, name="load-run-rows"),
    path("loadtest/runs/<pk>/", detail.run, name="load-run"),
    path("loadtest/runs/<pk>/parts/<name>/", detail.part, name="load-run-part"),
    path("loadtest/runs/<pk>/charts/<name>/", detail.chart, name="load-run-chart"),
    path("loadtest/runs/<pk>/machines/", machines.chart, name="load-run-machines"),
    path("loadtest/runs/<pk>/report.html", report.report, name="load-run-report"),
    path("loadtest/runs/<pk>/stop/", actions.stop, name="load-run-stop"),
    path("loadtest/runs/<pk>/pin/", actions.pin, name="load-run-pin"),
    path("loadtest/runs/<pk>/delete/", actions.delete, name="load-run-delete"),
    path("loadtest/compare/", compare.compare, name="load-compare"),
]
