"""Actions on instances over HTTP (contract: fleet console §5.3)."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import Invalid
from config.api.fields import milliseconds
from config.api.permissions import OPERATOR, VIEWER
from config.api.views import FleetViewSet
from fleet.deployments import services as deployments
from fleet.deployments.configuration import configuration_of
from fleet.instances import queries as instances
from fleet.instances.models import Instance
from fleet.lifecycle import bodies, destroying, queries, services, wire
from fleet.lifecycle.states import available_actions


class LifecycleViewSet(FleetViewSet):
    """What may be done with an instance, and doing it."""

    queryset = Instance.objects.all()
    noun, team_attr = "Instance", "team_id"
    roles = {
        "suspend": OPERATOR, "resume": OPERATOR, "teardown": OPERATOR, "backup": OPERATOR, "lifecycle": VIEWER,
        "config": VIEWER, "clone": OPERATOR, "redeploy": OPERATOR, "backups": VIEWER,
    }  # fmt: skip

    def get_object(self) -> Instance:
        instance = instances.get_visible(instance_id=self.kwargs["pk"], principal=self.request.auth)
        self.check_object_permissions(self.request, instance)
        return instance

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        instance = services.suspend(instance=self.get_object(), actor=request.auth, request=request)
        return Response(wire.moved("Instance suspended", instance))

    @extend_schema(request=None, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        instance = services.resume(instance=self.get_object(), actor=request.auth, request=request)
        return Response(wire.moved("Instance resumed", instance))

    @extend_schema(request=bodies.DestroySerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], url_path="destroy")
    def teardown(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        return Response(destroying.destroy(instance, request.data, actor=request.auth, request=request))

    @extend_schema(request=bodies.BackupSerializer, responses={202: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def backup(self, request: Request, pk: str) -> Response:
        """Ask for a backup; a worker makes it."""
        instance, body = self.get_object(), bodies.read(bodies.BackupSerializer, request.data)
        backup = services.back_up(
            instance=instance,
            actor=request.auth,
            request=request,
            label=body.get("label") or "",
            compression=body["compression"],
        )
        return Response({"message": "Backup started", **wire.shown(backup)}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def backups(self, request: Request, pk: str) -> Response:
        """The newest 100 backups."""
        return Response({"backups": [wire.shown(one) | wire.made(one) for one in queries.backups(self.get_object())]})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def lifecycle(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        offered = available_actions(instance)
        return Response({"instanceId": instance.pk, "status": instance.status, "availableActions": offered})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True)
    def config(self, request: Request, pk: str) -> Response:
        instance = self.get_object()
        return Response(
            {
                "instanceId": instance.pk,
                "name": instance.name,
                "config": configuration_of(instance),
                "configHash": instance.config_hash,
                "updatedAt": milliseconds(instance.updated_at),
            }
        )

    @extend_schema(request=bodies.CloneSerializer, responses={201: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """A new instance like this one; a worker deploys it."""
        instance, body = self.get_object(), bodies.read(bodies.CloneSerializer, request.data)
        made, _ = deployments.clone(instance=instance, actor=request.auth, request=request, **body)
        return Response(wire.cloned(made, instance), status=status.HTTP_201_CREATED)

    @extend_schema(request=bodies.RedeploySerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def redeploy(self, request: Request, pk: str) -> Response:
        """Deploy again; a worker does it."""
        instance, body = self.get_object(), bodies.read(bodies.RedeploySerializer, request.data)
        try:
            deployment = deployments.redeploy(instance=instance, actor=request.auth, request=request, **body)
        except Invalid as error:
            deployments.note_refusal(error, instance=instance, actor=request.auth, request=request)
            raise
        return Response(wire.redeploying(instance, deployment.pk))
