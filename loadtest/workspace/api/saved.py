"""Collections, requests, environments, globals (contract: load testing §4-6)."""

from typing import Any

from rest_framework.response import Response

from config.api.errors import Invalid, NotFound
from config.api.permissions import OPERATOR, VIEWER
from loadtest.bodies import json_object
from loadtest.views import LoadtestView, documented
from loadtest.workspace import collections, configuration, environments, requests, shapes
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest


class Collections(LoadtestView):
    """All collections; POST creates one, or updates the one whose `id` it names."""

    roles = {"get": VIEWER, "post": OPERATOR}

    @documented(answer=shapes.listed(shapes.COLLECTION))
    def get(self, request: Any) -> Response:
        rows, clear = Collection.objects.order_by("order", "id"), self.clear(request)
        return Response([collections.shown(row, clear=clear) for row in rows])

    @documented(body=shapes.COLLECTION, answer=shapes.COLLECTION)
    def post(self, request: Any) -> Response:
        row = collections.save_collection(body=json_object(request), actor=request.auth)
        return Response(collections.shown(row, clear=True))


class OneCollection(LoadtestView):
    """DELETE removes the collection with everything below it."""

    roles = {"delete": OPERATOR}

    @documented(answer=shapes.DELETED)
    def delete(self, request: Any, id: str) -> Response:
        collections.delete_collection(key=id, actor=request.auth)
        return Response({"message": "Collection deleted successfully", "id": id})


class Requests(LoadtestView):
    """The requests of the collection in `?collectionId=`; POST creates one, or updates the one of its `id`."""

    roles = {"get": VIEWER, "post": OPERATOR}

    @documented(answer=shapes.listed(shapes.REQUEST), query=("collectionId",))
    def get(self, request: Any) -> Response:
        collection_id = request.query_params.get("collectionId")
        if not collection_id:
            raise Invalid("collectionId required")
        rows = SavedRequest.objects.filter(collection=collection_id).order_by("order", "id")
        clear, largest = self.clear(request), configuration.value("maxJsonFieldSize")
        return Response([requests.listed(row, clear=clear, largest=largest) for row in rows])

    @documented(body=shapes.REQUEST, answer=shapes.REQUEST)
    def post(self, request: Any) -> Response:
        row = requests.save_request(body=json_object(request), actor=request.auth)
        return Response(requests.shown(row, clear=True))


class OneRequest(LoadtestView):
    """One saved request."""

    roles = {"get": VIEWER, "delete": OPERATOR}

    @documented(answer=shapes.REQUEST)
    def get(self, request: Any, id: str) -> Response:
        row = SavedRequest.objects.filter(pk=id).first()
        if row is None:
            raise NotFound("Request not found")
        return Response(requests.shown(row, clear=self.clear(request)))

    @documented(answer=shapes.DELETED)
    def delete(self, request: Any, id: str) -> Response:
        requests.delete_request(key=id, actor=request.auth)
        return Response({"message": "Request deleted successfully", "id": id})


class Environments(LoadtestView):
    """All environments, oldest first; POST creates one, or updates the one of its `id`."""

    roles = {"get": VIEWER, "post": OPERATOR}

    @documented(answer=shapes.listed(shapes.ENVIRONMENT))
    def get(self, request: Any) -> Response:
        rows, clear = Environment.objects.order_by("created_at", "id"), self.clear(request)
        return Response([environments.shown(row, clear=clear) for row in rows])

    @documented(body=shapes.ENVIRONMENT, answer=shapes.ENVIRONMENT)
    def post(self, request: Any) -> Response:
        row = environments.save_environment(body=json_object(request), actor=request.auth)
        return Response(environments.shown(row, clear=True))


class OneEnvironment(LoadtestView):
    """One environment."""

    roles = {"get": VIEWER, "delete": OPERATOR}

    @documented(answer=shapes.ENVIRONMENT)
    def get(self, request: Any, id: str) -> Response:
        row = Environment.objects.filter(pk=id).first()
        if row is None:
            raise NotFound("Environment not found")
        return Response(environments.shown(row, clear=self.clear(request)))

    @documented(answer=shapes.DELETED)
    def delete(self, request: Any, id: str) -> Response:
        environments.delete_environment(key=id, actor=request.auth)
        return Response({"message": "Environment deleted successfully", "id": id, "success": True})


class GlobalVariables(LoadtestView):
    """The variables of every request; POST replaces the whole map."""

    roles = {"get": VIEWER, "post": OPERATOR}

    @documented(answer=shapes.GLOBALS)
    def get(self, request: Any) -> Response:
        return Response(environments.shown_globals(Globals.objects.first(), clear=self.clear(request)))

    @documented(body=shapes.GLOBALS, answer=shapes.GLOBALS)
    def post(self, request: Any) -> Response:
        row = environments.save_globals(body=json_object(request), actor=request.auth)
        return Response(environments.shown_globals(row, clear=True))
