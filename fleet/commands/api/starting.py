"""Starting commands (contract: fleet console §12). What waits for agents does so on the event loop."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpResponseBase, JsonResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.api.envelopes import error_response
from config.api.errors import BadGateway, Invalid
from config.api.permissions import DEVELOPER, OPERATOR
from config.api.views import ApiView
from config.later import finish_later
from config.streams import query
from fleet.commands import bodies, dispatch, services, tasks, wire
from fleet.commands.models import Approval, Batch, Execution

ANSWER_MARGIN_S = 5.5
MOST_ANSWERED_BYTES = 8 * 1024 * 1024  # of output in one answer; beyond it that of long commands is to be asked for
Answer = Callable[[Batch, Any], HttpResponseBase]


class Asking(ApiView):
    """Begins a command. Teams may raise the caller, so the service looks at each instance."""

    body: type[serializers.Serializer]
    least = DEVELOPER
    team_attr, detail = "team_id", True

    def start(self, request: Any, targets: list[str], form: Any, answer: Answer) -> Response:
        """Write it down. What waits for a person, or is asked for with `?async=true`, is answered at once with 202."""
        spec = form.spec()
        instances = services.targets(instance_ids=targets, principal=request.auth, role=self.least)
        with transaction.atomic():
            batch = services.ask(spec=spec, instances=instances, actor=request.auth, request=request)
        if batch.approval == Approval.WAITING:
            return _accepted(answer, batch)
        accepted = _accepted(answer, batch)
        if request.query_params.get("async", "").lower() in ("true", "1"):
            tasks.send.delay(batch.pk)
            return accepted
        return finish_later(request, accepted, partial(_finish, batch, request._request, answer))

    def read(self, request: Any) -> Any:
        if not isinstance(request.data, dict):
            raise Invalid("The body must be an object")
        form = self.body(data=request.data)
        form.is_valid(raise_exception=True)
        return form


class One(Asking):
    """Run a command on one instance and wait for it."""

    body = bodies.Command
    roles = {"post": DEVELOPER}

    @extend_schema(request=bodies.Command, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Any) -> Response:
        form = self.read(request)
        return self.start(request, [form.validated_data["instance_id"]], form, _one)


class Bulk(Asking):
    """Run a command on several instances; each has its own result."""

    body = bodies.BulkCommand
    roles, least = {"post": OPERATOR}, OPERATOR

    @extend_schema(request=bodies.BulkCommand, responses={207: OpenApiTypes.OBJECT})
    def post(self, request: Any) -> Response:
        form = self.read(request)
        return self.start(request, form.validated_data["instance_ids"], form, _several)


class Script(Asking):
    """Run a script on one or more instances."""

    body = bodies.Script
    roles = {"post": DEVELOPER}

    @extend_schema(request=bodies.Script, responses={207: OpenApiTypes.OBJECT})
    def post(self, request: Any) -> Response:
        form = self.read(request)
        return self.start(request, form.validated_data["instance_ids"], form, _several)


def _accepted(answer: Answer, batch: Batch) -> Response:
    rows = list(batch.executions.select_related("batch", "instance").order_by("pk"))
    shown = wire.executions(rows)
    if answer is _one:
        return Response(shown[0], status=202)
    return Response({"results": [_success(one) for one in shown]}, status=202)


def _one(batch: Batch, request: Any) -> HttpResponseBase:
    row = batch.executions.select_related("batch", "instance").get()
    if row.was_run:
        return JsonResponse(wire.execution(row), status=201)
    response = error_response(BadGateway(_fault(row), reason="Command Failed"), request)
    response["Location"] = f"/api/v1/commands/{row.pk}"
    return response


def _several(batch: Batch, request: Any) -> HttpResponseBase:
    rows = list(batch.executions.select_related("batch", "instance").order_by("pk"))
    printed = sum(row.stdout_bytes + row.stderr_bytes for row in rows)
    shown = wire.executions(rows, whole=printed <= MOST_ANSWERED_BYTES)
    results = [
        _success(one)
        if row.was_run
        else {"instanceId": row.instance_id, "success": False, "error": _fault(row), "execution": one}
        for row, one in zip(rows, shown, strict=True)
    ]
    return JsonResponse({"results": results}, status=207)


def _success(shown: dict[str, Any]) -> dict[str, Any]:
    return {"instanceId": shown["instanceId"], "success": True, "execution": shown}


def _fault(row: Execution) -> str:
    return row.fault or "The command has not ended yet"


async def _finish(batch: Batch, request: Any, answer: Answer) -> HttpResponseBase:
    """Send it, wait for it, and tell what came of it."""
    await dispatch.send(batch.pk)
    await dispatch.until_over(batch.pk, most_s=batch.timeout_ms / 1000 + ANSWER_MARGIN_S)
    return await query(answer, batch, request)
