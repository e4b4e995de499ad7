"""Which version this is, and what a frontend must know before anybody signs in (contract: fleet console §2)."""

import os
from typing import Any

from django.conf import settings
from rest_framework.response import Response

from config.api.permissions import ANYONE, VIEWER
from config.api.views import ApiView
from config.version import VERSION


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
