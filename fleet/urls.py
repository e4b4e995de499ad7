"""Routes of the app: `/api/v1` and pages."""

from django.urls import path

from config.api.routers import ApiRouter, route
from fleet.agents import distribution
from fleet.agents.api import heartbeats
from fleet.collectors.api.otlp import take_logs, take_metrics, take_traces
from fleet.collectors.api.prometheus import take_remote_write
from fleet.collectors.api.series import SeriesChart, SeriesList, SeriesPoints
from fleet.collectors.ui import series
from fleet.commands.api.reading import Cancel, Command, Decide, History
from fleet.commands.api.starting import Bulk, One, Script
from fleet.commands.streams import CommandStream
from fleet.commands.ui import asking as command_asking
from fleet.commands.ui import detail as command_detail
from fleet.commands.ui import listing as command_lists
from fleet.deployments.api import Deployments, OneDeployment
from fleet.instances.api import InstanceViewSet
from fleet.instances.ui import add, detail, lists, tabs
from fleet.lifecycle.api.many import BulkAction
from fleet.lifecycle.api.single import LifecycleViewSet
from fleet.lifecycle.ui import many as bulk
from fleet.lifecycle.ui import single as lifecycle
from fleet.logfiles import ui as log_files
from fleet.logfiles.api import LogFile, LogSources
from fleet.logs import ui as logs
from fleet.logs.api import Ingest, IngestBatch, Log, Logs, LogStats
from fleet.logs.streams import LogStream
from fleet.metrics.api import AggregateView, Chart, InstanceMetrics, Latest, TimeSeries, TimeSeriesRange
from fleet.overview.api import FleetDeployments, FleetGeo, FleetStats
from fleet.providers import ui as drivers
from fleet.providers.api import InstanceDriver
from fleet.registry import api as registry
from fleet.terminals import ui as terminals
from fleet.terminals.api import InstanceTerminal, InstanceTerminalSession, Recording

router = ApiRouter()
router.register("instances", LifecycleViewSet, basename="lifecycle")
router.register("instances", InstanceViewSet, basename="instance")

api_v1: list = [
    route("fleet/stats", FleetStats.as_view()),
    route("fleet/geo", FleetGeo.as_view()),
    route("fleet/deployments", FleetDeployments.as_view()),
    route("deployments", Deployments.as_view()),
    route("deployments/<id>", OneDeployment.as_view()),
    route("instances/bulk-action", BulkAction.as_view()),
    route("instances/<id>/driver", InstanceDriver.as_view()),
    route("instances/<id>/heartbeats", heartbeats),
    route("instances/<id>/metrics", InstanceMetrics.as_view()),
    route("metrics/timeseries", TimeSeries.as_view()),
    route("metrics/timeseries/range", TimeSeriesRange.as_view()),
    route("metrics/aggregate", AggregateView.as_view()),
    route("metrics/latest", Latest.as_view()),
    route("metrics/chart", Chart.as_view(), name="metrics-chart"),
    route("logs", Logs.as_view()),
    route("logs/stats", LogStats.as_view()),
    route("logs/stream", LogStream.as_view()),
    route("logs/ingest", Ingest.as_view()),
    route("logs/ingest/batch", IngestBatch.as_view()),
    route("logs/<id>", Log.as_view()),
    route("otel/v1/logs", take_logs),
    route("otel/v1/metrics", take_metrics),
    route("otel/v1/traces", take_traces),
    route("prometheus/write", take_remote_write),
    route("instances/<id>/series", SeriesList.as_view()),
    route("instances/<id>/series/chart", SeriesChart.as_view()),
    route("series/<id>/points", SeriesPoints.as_view()),
    route("instances/<id>/terminal", InstanceTerminal.as_view()),
    route("instances/<id>/terminal/<session_id>", InstanceTerminalSession.as_view()),
    route("terminals/<session_id>/recording", Recording.as_view(), name="terminal-recording"),
    route("commands", One.as_view()),
    route("commands/bulk", Bulk.as_view()),
    route("commands/script", Script.as_view()),
    route("commands/history", History.as_view()),
    route("commands/<id>", Command.as_view()),
    route("commands/<id>/stream", CommandStream.as_view(), name="command-stream"),
    route("commands/<id>/cancel", Cancel.as_view()),
    route("commands/<id>/approve", Decide.as_view(approve=True)),
    route("commands/<id>/reject", Decide.as_view(approve=False)),
    route("instances/<id>/logs", Logs.as_view()),
    route("instances/<id>/logs/sources", LogSources.as_view()),
    route("instances/<id>/logs/file", LogFile.as_view()),
    route("instances/<id>/logs/stats", LogStats.as_view()),
    route("instances/<id>/logs/stream", LogStream.as_view()),
    *registry.urls,
    *router.urls,
]
pages: list = [
    *distribution.urls,
    path("instances/", lists.instances, name="instances"),
    path("instances/rows/", lists.rows, name="instance-rows"),
    path("instances/add/", add.add, name="instance-add"),
    path("instances/bulk/", bulk.bulk, name="instances-bulk"),
    path("instances/<str:pk>/", detail.instance, name="instance"),
    path("instances/<str:pk>/metrics/", detail.metrics, name="instance-metrics"),
    path("instances/<str:pk>/metrics/more/", series, name="instance-series"),
    path("instances/<str:pk>/logs/", logs.instance_logs, name="instance-logs"),
    path("instances/<str:pk>/commands/", command_lists.of_instance, name="instance-commands"),
    path("instances/<str:pk>/files/", log_files.files, name="instance-files"),
    path("instances/<str:pk>/terminal/", terminals.terminal, name="instance-terminal"),
    path("terminals/<str:session_id>/", terminals.replay, name="terminal-replay"),
    path("instances/<str:pk>/events/", tabs.events, name="instance-events"),
    path("instances/<str:pk>/extensions/", tabs.extensions, name="instance-extensions"),
    path("instances/<str:pk>/audit/", tabs.audit, name="instance-audit"),
    path("instances/<str:pk>/parts/<str:name>/", detail.part, name="instance-part"),
    path("instances/<str:pk>/connect/", add.connect, name="instance-connect"),
    path("instances/<str:pk>/connect/steps/", add.steps, name="instance-steps"),
    path("instances/<str:pk>/driver/", drivers.driver, name="instance-driver"),
    path("instances/<str:pk>/remove/", lifecycle.remove, name="instance-remove"),
    path("instances/<str:pk>/backup/", lifecycle.backup, name="instance-backup"),
    path("instances/<str:pk>/destroy/", lifecycle.destroy, name="instance-destroy"),
    path("instances/<str:pk>/<str:action>/", lifecycle.act, name="instance-action"),
    path("commands/", command_lists.commands, name="commands"),
    path("commands/rows/", command_lists.rows, name="command-rows"),
    path("commands/new/", command_asking.new, name="command-new"),
    path("commands/new/targets/", command_asking.targets, name="command-targets"),
    path("commands/<str:pk>/", command_detail.command, name="command"),
    path("commands/<str:pk>/body/", command_detail.body, name="command-body"),
    path("commands/<str:pk>/output/", command_detail.output, name="command-output"),
    path("commands/<str:pk>/<str:name>/", command_detail.act, name="command-act"),
    path("logs/", logs.logs, name="logs"),
    path("logs/rows/", logs.rows, name="logs-rows"),
    path("logs/file/", logs.file, name="logs-file"),
]
