"""Is it alive, is it ready, and its own figures (contract: fleet console §2)."""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.response import Response

from config import health
from config.api.permissions import ANYONE, VIEWER
from config.api.views import ApiView
from config.version import REPLAY_SCHEMAS, REPLAY_SPEC, VERSION


class Health(ApiView):
    """Open to everyone; 503 when a part fails."""

    roles = {"get": ANYONE}
    rate_class = None
    authentication_classes = ()

    def get(self, request: Any) -> Response:
        start = time.perf_counter()
        found = health.checks()
        well = all(check["status"] == "ok" for check in found.values())
        body = {
            "status": "ok" if well else "degraded",
            "version": VERSION,
            "specVersion": REPLAY_SPEC,
            "schemaVersion": REPLAY_SCHEMAS,
            "uptime": round(time.time() - health.STARTED, 3),
            "totalLatencyMs": round((time.perf_counter() - start) * 1000, 2),
            "checks": found,
        }
        return Response(body, status=200 if well else 503)


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about what it leans on."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served: database and cache answer."""
    found = {name: check for name, check in health.checks().items() if name != "worker"}
    well = all(check["status"] == "ok" for check in found.values())
    return JsonResponse({"ready": well, "checks": found}, status=200 if well else 503)


class Metrics(ApiView):
    """The product's own figures in the Prometheus text form."""

    roles = {"get": VIEWER}
    rate_class = None

    def get(self, request: Any) -> HttpResponse:
        return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


for _view in (alive, ready):
    _view.roles = {"get": ANYONE}
