"""Every mount of the product. An app's `urls.py` is a list of registrations."""

from typing import Any

from django.contrib import admin
from django.urls import include, path, re_path

from alerts.urls import api_alerts
from alerts.urls import api_v1 as alerts_v1
from alerts.urls import pages as alerts_pages
from config import about, pages, probes
from config.api.documents import Document
from config.api.routers import route
from costs.urls import api_v1 as costs_v1
from costs.urls import pages as costs_pages
from fleet.urls import api_v1 as fleet_v1
from fleet.urls import pages as fleet_pages
from loadtest.replay.urls import api_replay, at_the_root
from loadtest.replay.urls import pages as replay_pages
from loadtest.signals.urls import api_signals
from loadtest.signals.urls import pages as signals_pages
from loadtest.urls import api_loadtest
from loadtest.urls import pages as loadtest_pages
from monitors.urls import api_monitors
from monitors.urls import pages as monitors_pages
from security.urls import api_auth
from security.urls import api_v1 as security_v1
from security.urls import pages as security_pages

handler400 = "config.api.envelopes.bad_request"
handler403 = "config.api.envelopes.permission_denied"
handler404 = "config.api.envelopes.not_found"
handler500 = "config.api.envelopes.server_error"

api: list[Any] = [
    path("v1/", include([*security_v1, *alerts_v1, *costs_v1, *fleet_v1])),
    path("auth/", include(api_auth)),
    path("loadtest/", include(api_loadtest)),
    path("signals/", include(api_signals)),
    path("replay/", include(api_replay)),
    route("config", about.RuntimeConfig.as_view()),
    route("schema/<name>", Document.as_view(), name="api-schema"),
    *api_monitors,
    *api_alerts,
]

# Pages of security first: some of them stand beside the actions of an instance, which take any name.
ui = [*security_pages, *fleet_pages, *monitors_pages, *loadtest_pages, *signals_pages, *replay_pages, *alerts_pages]
ui += [*costs_pages, *pages.urls]

urlpatterns = [
    route("health", probes.Health.as_view()),
    route("healthz", probes.alive),
    route("readyz", probes.ready),
    route("metrics", probes.Metrics.as_view(), name="metrics"),
    path("api/docs/<name>/", pages.api_document, name="api-docs-of"),
    path("api/", include(api)),
    re_path(r"^/?v1/", include(at_the_root)),  # a client that does not trim its base URL doubles the slash
    path("admin/", admin.site.urls),
    path("", include((ui, "ui"))),
]
