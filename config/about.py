"""What a frontend must know before anybody signs in (contract: fleet console §2)."""

import os
from typing import Any

from django.conf import settings
from rest_framework.response import Response

from config.api.permissions import ANYONE
from config.api.views import ApiView


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
