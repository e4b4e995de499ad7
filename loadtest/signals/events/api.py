"""`POST /events` (contract: signals §10)."""

import asyncio
from functools import partial

from django.http import HttpResponseBase, JsonResponse
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.envelopes import error_response
from config.api.errors import ApiError
from config.api.permissions import OPERATOR
from config.later import can_wait, finish_later
from config.streams import query
from loadtest.bodies import json_object
from loadtest.signals.events import services
from loadtest.signals.running import shapes
from loadtest.signals.scenario.entry import Entry
from loadtest.signals.scenario.sinks import Platform
from loadtest.signals.views import SignalsView, documented


class Events(SignalsView):
    """Send one event, and answer when its sink has it."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.EVENT, answer=shapes.SENT)
    def post(self, request: Request) -> Response:
        entry = services.read(json_object(request), actor=request.auth)
        if can_wait(request):
            return finish_later(request, Response(), partial(_sent, entry, request))
        return Response(_answer(entry, services.send(entry)))


async def _sent(entry: Entry, request: Request) -> HttpResponseBase:
    """Only the platform's own sink needs the threads that have a connection to the database."""
    try:
        if isinstance(entry.sink, Platform):
            took_ms = await query(services.send, entry)
        else:
            took_ms = await asyncio.to_thread(services.send, entry)
    except ApiError as error:
        return error_response(error, request._request)
    return JsonResponse(_answer(entry, took_ms))


def _answer(entry: Entry, took_ms: int) -> dict[str, object]:
    return {"sent": True, "signal_type": entry.signal_type, "latency_ms": took_ms}
