"""The platform as a load generator: whether it is there, how it is set (contract: load testing §1.2, §2, §3)."""

from typing import Any

from rest_framework.response import Response

from config.api.errors import Forbidden
from config.api.permissions import ADMIN, ANYONE, VIEWER
from config.version import VERSION
from loadtest.bodies import json_object
from loadtest.views import LoadtestView, documented
from loadtest.workspace import configuration, settings, shapes


class Health(LoadtestView):
    """Open to everyone; asks no database. `workers` is the configured number of generator processes."""

    roles = {"get": ANYONE}
    rate_class = None
    authentication_classes = ()

    def get(self, request: Any) -> Response:
        return Response({"status": "ok", "version": VERSION, "workers": configuration.remembered("workers")})


class Configuration(LoadtestView):
    """Every setting, described under `entries` and by its key; POST changes some, all or none of them."""

    roles = {"get": VIEWER, "post": ADMIN}

    def get(self, request: Any) -> Response:
        return Response(settings.shown())

    @documented(body=shapes.SETTINGS)
    def post(self, request: Any) -> Response:
        settings.update(body=json_object(request), actor=request.auth)
        return Response(settings.shown() | {"success": True})


class Shutdown(LoadtestView):
    """Always refused: clients stop their own engine with this, and the platform is not one client's."""

    roles = {"post": VIEWER}

    def post(self, request: Any) -> Response:
        raise Forbidden("The platform is not stopped by a client")
