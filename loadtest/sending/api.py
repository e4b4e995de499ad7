"""`/request` (contract: load testing §9)."""

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import OPERATOR
from loadtest.bodies import json_object
from loadtest.views import LoadtestView, documented

from . import services, shapes


class Send(LoadtestView):
    """Send one request and answer with what came of it."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.ASKED, answer=shapes.ANSWER)
    def post(self, request: Request) -> Response:
        return Response(services.send(body=json_object(request), actor=request.auth))
