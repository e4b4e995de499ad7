"""`POST /api/v1/ws/ticket`."""

from typing import Any

from rest_framework.response import Response

from config.api.permissions import VIEWER
from config.api.views import ApiView
from security.tickets import services


class Ticket(ApiView):
    """A ticket for one WebSocket upgrade: `?ticket=`, within 30 s."""

    roles = {"post": VIEWER}

    def post(self, request: Any) -> Response:
        return Response({"ticket": services.issue(request.auth), "expires_in": services.LIFETIME_S})
