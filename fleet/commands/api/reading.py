"""Commands that were given: their history, what became of them, and a person's word on them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.api.pagination import PagePagination
from config.api.permissions import DEVELOPER, OPERATOR, VIEWER
from config.api.views import ApiView
from fleet.commands import bodies, queries, services, tasks, wire
from fleet.commands.models import Execution, Status


class HistoryFilters(serializers.Serializer):
    instanceId = serializers.CharField(required=False)  # noqa: N815 - the wire's name
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class History(ApiView):
    """Commands of the instances that the caller may see, newest first; of long output the beginning."""

    roles = {"get": VIEWER}
    list_name = "executions"

    @extend_schema(parameters=[HistoryFilters], responses=OpenApiTypes.OBJECT)
    def get(self, request: Any) -> Response:
        given = {name: request.query_params[name] for name in HistoryFilters().fields if request.query_params.get(name)}
        form = HistoryFilters(data=given)
        form.is_valid(raise_exception=True)
        named = form.validated_data
        rows = queries.history(request.auth, instance_id=named.get("instanceId", ""), status=named.get("status", ""))
        pages = PagePagination()
        page = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response(wire.executions(page))


class Command(ApiView):
    """One execution, with all that it printed."""

    roles = {"get": VIEWER}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Any, id: str) -> Response:
        return Response(wire.execution(queries.get_visible(execution_id=id, principal=request.auth)))


class Act(ApiView):
    """Something done to an execution. Teams may raise the caller, so the service looks at its instances."""

    team_attr, detail = "team_id", True

    def found(self, request: Any, id: str) -> Execution:
        return queries.get_visible(execution_id=id, principal=request.auth)


class Cancel(Act):
    """Call it off. Running, it is killed by its agent, whose word comes a moment later."""

    roles = {"post": DEVELOPER}

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    def post(self, request: Any, id: str) -> Response:
        execution = services.cancel(execution=self.found(request, id), actor=request.auth, request=request)
        return Response(wire.execution(execution))


class Decide(Act):
    """A second person's word on the whole batch of this execution."""

    roles = {"post": OPERATOR}
    approve = True

    @extend_schema(request=bodies.Decision, responses=OpenApiTypes.OBJECT)
    def post(self, request: Any, id: str) -> Response:
        form = bodies.Decision(data=request.data)
        form.is_valid(raise_exception=True)
        execution = self.found(request, id)
        batch = services.decide(
            batch=execution.batch, approve=self.approve, note=form.validated_data["note"], actor=request.auth,
            request=request,
        )  # fmt: skip
        if self.approve:
            tasks.send.delay(batch.pk)
        return Response(wire.execution(self.found(request, id)))
