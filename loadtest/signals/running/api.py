"""`/scenarios` (contract: signals §2 to §6). Thin: each calls one service or query."""

from functools import partial
from typing import Any

from django.http import HttpResponseBase, JsonResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.envelopes import error_response
from config.api.errors import ApiError, Malformed
from config.api.permissions import ANYONE, OPERATOR, VIEWER, require
from config.later import can_wait, finish_later
from config.streams import query
from loadtest.signals.running import queries, services, shapes
from loadtest.signals.running.waiting import until_settled
from loadtest.signals.views import SignalsView, documented

KINDS = ("application/yaml", "application/json")
TRUE, FALSE = ("true", "1"), ("false", "0", "")


class Health(SignalsView):
    """Whether the service answers."""

    roles = {"get": ANYONE}
    authentication_classes = ()  # a bad key is no reason to look ill

    @documented()
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Scenarios(SignalsView):
    """All scenarios, and starting new ones."""

    roles = {"get": VIEWER, "post": OPERATOR}
    team_attr, detail = "team_id", True  # a team may raise the caller; the service looks

    @documented(answer=shapes.LIST)
    def get(self, request: Request) -> Response:
        now = timezone.now()
        return Response({"scenarios": [queries.summary(row, now) for row in queries.listed(request.auth)]})

    @documented(body=shapes.SCENARIO, answer=shapes.STARTED, status=201, query=("team",), kinds=KINDS)
    def post(self, request: Request) -> Response:
        rows, document = services.start(
            body=request._request.body,
            content_type=request._request.META.get("CONTENT_TYPE"),
            actor=request.auth,
            team_id=request.query_params.get("team"),
            request=request,
        )
        told = {"warnings": document.warnings} if document.warnings else {}
        made = [queries.created(row) for row in rows]
        if document.flat and len(made) == 1:
            return Response(made[0] | told, status=201)
        return Response({"scenarios": made} | told, status=201)


class OneScenario(SignalsView):
    """One scenario."""

    roles = {"get": VIEWER, "delete": OPERATOR}
    team_attr, detail = "team_id", True

    @documented(answer=shapes.DETAIL)
    def get(self, request: Request, id: str) -> Response:
        row = queries.get_visible(scenario_id=id, principal=request.auth)
        return Response(queries.detail(row, timezone.now()))

    @documented(answer=shapes.DELETED, query=("purge",))
    def delete(self, request: Request, id: str) -> Response:
        word = request.query_params.get("purge", "").lower()
        if word not in (*TRUE, *FALSE):
            raise Malformed("purge must be true or false")
        row = queries.get_visible(scenario_id=id, principal=request.auth)
        require(request.auth, OPERATOR, team_id=row.team_id)
        remove = partial(services.remove, scenario_id=row.pk, purge=word in TRUE, actor=request.auth, request=request)
        if not services.ask_to_stop(scenario=row):
            return Response(remove())
        if can_wait(request):
            return finish_later(request, Response(), partial(_deleted, row.pk, remove, request))
        services.await_end(row.pk)
        return Response(remove())


async def _deleted(scenario_id: str, remove: Any, request: Any) -> HttpResponseBase:
    await until_settled(scenario_id, most_s=services.SETTLES_WITHIN_S)
    return await query(_answered, remove, request)


def _answered(remove: Any, request: Any) -> HttpResponseBase:
    try:
        return JsonResponse(remove())
    except ApiError as error:
        return error_response(error, request._request)


class Stats(SignalsView):
    """What a scenario counted."""

    roles = {"get": VIEWER}

    @documented(answer=shapes.STATS)
    def get(self, request: Request, id: str) -> Response:
        row = queries.get_visible(scenario_id=id, principal=request.auth)
        return Response(queries.stats(row, timezone.now()))
