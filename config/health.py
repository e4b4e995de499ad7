"""Is it alive, is it ready, which version, and its own figures (contract: fleet console §2)."""

import os
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.response import Response

from config.api.permissions import ANYONE, VIEWER
from config.api.views import ApiView
from config.tasks import PULSE
from config.version import VERSION

STARTED = time.time()
WORKER_SILENT_S = 180


def _timed(check: Any) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever a driver raises means the same here
        return {"status": "error", "error": type(error).__name__}
    return {"status": "ok", "latencyMs": round((time.perf_counter() - start) * 1000, 2)}


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_cache() -> None:
    cache.get("health")


def worker_age_s() -> float | None:
    """Seconds since a worker last did a scheduled tick; None when that never happened."""
    pulse = cache.get(PULSE)
    return None if pulse is None else max(0.0, time.time() - pulse)


def checks() -> dict[str, dict[str, Any]]:
    """The state of each part that the product leans on."""
    found = {"database": _timed(check_database)}
    if settings.REDIS_URL:
        found["redis"] = _timed(check_cache)
    else:
        found["redis"] = {"status": "ok", "latencyMs": 0.0, "mode": "embedded"}
    age = worker_age_s()
    fresh = (time.time() - STARTED if age is None else age) < WORKER_SILENT_S
    found["worker"] = {
        "status": "ok" if fresh else "error",
        "lastBeatAgeSeconds": None if age is None else round(age, 1),
    }
    return found


class Health(ApiView):
    """Open to everyone; 503 when a part fails."""

    roles = {"get": ANYONE}
    rate_class = None
    authentication_classes = ()

    def get(self, request: Any) -> Response:
        start = time.perf_counter()
        found = checks()
        well = all(check["status"] == "ok" for check in found.values())
        body = {
            "status": "ok" if well else "degraded",
            "version": VERSION,
            "uptime": round(time.time() - STARTED, 3),
            "totalLatencyMs": round((time.perf_counter() - start) * 1000, 2),
            "checks": found,
        }
        return Response(body, status=200 if well else 503)


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about what it leans on."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served: database and cache answer."""
    found = {name: check for name, check in checks().items() if name != "worker"}
    well = all(check["status"] == "ok" for check in found.values())
    return JsonResponse({"ready": well, "checks": found}, status=200 if well else 503)


class Metrics(ApiView):
    """The product's own figures in the Prometheus text form."""

    roles = {"get": VIEWER}
    rate_class = None

    def get(self, request: Any) -> HttpResponse:
        return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


class Version(ApiView):
    """`/api/v1/version`; no Sindri command line is part of this product, so its fields are null."""

    roles = {"get": VIEWER}

    def get(self, request: Any) -> Response:
        cli = dict.fromkeys(("sindri_cli", "cli_target", "cli_commit", "cli_build_date", "min_instance_version"))
        return Response({"console_api": VERSION, **cli, "cli_available": False})


class RuntimeConfig(ApiView):
    """`/api/config`: what the console's frontend reads first."""

    roles = {"get": ANYONE}
    authentication_classes = ()

    def get(self, request: Any) -> Response:
        return Response(
            {
                "authBypass": False,
                "nodeEnv": "development" if settings.DEBUG else "production",
                "sindriDefaultImage": "",
                "sindriImageRegistry": "",
                "sindriImageVersion": "",
                "editorFsRoot": "",
                "sindriSupportedDistros": ["ubuntu", "fedora", "opensuse"],
                "sindriDefaultDistro": "ubuntu",
                "dockerHostDefault": os.environ.get("DOCKER_HOST", ""),
            }
        )


for _view in (alive, ready):
    _view.roles = {"get": ANYONE}
