"""Import and copy-as-curl over HTTP (contract: load testing §1.2, §16.1)."""

from typing import Any

from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.permissions import OPERATOR, VIEWER, require
from loadtest.bodies import json_object
from loadtest.exchange import services
from loadtest.exchange.storing import store
from loadtest.views import LoadtestView, documented
from loadtest.workspace import collections, environments, requests, shapes


class Parse(LoadtestView):
    """What a document holds, without storing it."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.IMPORT)
    def post(self, request: Any) -> Response:
        return Response(services.tree_of(json_object(request)))


class Import(LoadtestView):
    """Store what a document holds, all or nothing; below the collection in `collectionId`, if one is named."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.IMPORT)
    def post(self, request: Any) -> Response:
        body = json_object(request)
        below = body.get("collectionId")
        if not isinstance(below, str | None):
            raise Invalid("'collectionId' must be text")
        tree = services.tree_of(body)
        made = store(tree=tree, actor=request.auth, collection_id=below)
        return Response(
            {
                "idMap": made.ids,
                "meta": tree["meta"],
                "collections": [collections.shown(row, clear=True) for row in made.collections],
                "requests": [requests.shown(row, clear=True) for row in made.requests],
                "environments": [environments.shown(row, clear=True) for row in made.environments],
                "globals": environments.shown_globals(made.globals, clear=True) if made.globals else None,
            }
        )


class Fetch(LoadtestView):
    """The text at an address, fetched by the platform under its rules for outgoing calls."""

    roles = {"post": OPERATOR}

    @documented(body=shapes.ADDRESS, answer=shapes.record(content=shapes.TEXT, contentType=shapes.TEXT))
    def post(self, request: Any) -> Response:
        body = json_object(request)
        return Response(services.fetch(url=body.get("url"), max_bytes=body.get("maxBytes")))


class Command(LoadtestView):
    """A saved request as a curl command, with the variables of `?environmentId=`; with `?secrets=true` all of it."""

    roles = {"get": VIEWER}

    @documented(answer=shapes.record(command=shapes.TEXT), query=("environmentId", "secrets"))
    def get(self, request: Any, id: str) -> Response:
        secrets = request.query_params.get("secrets") == "true"
        if secrets:
            require(request.auth, OPERATOR)
        environment_id = request.query_params.get("environmentId")
        return Response({"command": services.command_of(id, environment_id=environment_id, secrets=secrets)})
