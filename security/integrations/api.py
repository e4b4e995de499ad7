"""`/api/v1/integrations` (contract: fleet console §28): what is configured, never with which value."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.permissions import VIEWER
from config.api.views import ApiView, check_id
from security.integrations.known import CREDENTIALS, Category, CredentialSpec
from security.integrations.queries import State, states


class IntegrationOut(serializers.Serializer):
    """`envVarNames` is there when more than one variable is needed."""

    id = serializers.CharField(source="integration.id")
    name = serializers.CharField(source="integration.name")
    description = serializers.CharField(source="integration.description")
    setupUrl = serializers.CharField(source="integration.setup_url")  # noqa: N815 - the wire's name
    enabledFeatures = serializers.ListField(  # noqa: N815
        source="integration.features", child=serializers.CharField()
    )
    envVarName = serializers.SerializerMethodField()  # noqa: N815
    envVarNames = serializers.ListField(  # noqa: N815
        source="integration.variables", child=serializers.CharField(), required=False
    )
    category = serializers.ChoiceField(source="integration.category", choices=[(one, one) for one in Category])
    required = serializers.BooleanField(source="integration.required")  # type: ignore[assignment]  # a field
    configured = serializers.BooleanField()

    def get_envVarName(self, state: State) -> str:  # noqa: N802
        return state.integration.variables[0]

    def to_representation(self, state: State) -> dict[str, Any]:
        told = super().to_representation(state)
        if len(state.integration.variables) == 1:
            del told["envVarNames"]
        return told


class CredentialSpecOut(serializers.Serializer):
    providerId = serializers.CharField(source="provider_id")  # noqa: N815
    name = serializers.CharField()
    description = serializers.CharField()
    setupUrl = serializers.CharField(source="setup_url")  # noqa: N815
    requiredEnvVars = serializers.ListField(source="required", child=serializers.CharField())  # noqa: N815
    optionalEnvVars = serializers.ListField(  # noqa: N815
        source="optional", child=serializers.CharField(), required=False
    )
    notes = serializers.CharField(required=False)

    def to_representation(self, spec: CredentialSpec) -> dict[str, Any]:
        told = super().to_representation(spec)
        return {name: value for name, value in told.items() if value or name not in ("optionalEnvVars", "notes")}


class IntegrationsOut(serializers.Serializer):
    data = IntegrationOut(many=True)  # type: ignore[assignment]  # a field
    total = serializers.IntegerField()


class CredentialSpecsOut(serializers.Serializer):
    data = CredentialSpecOut(many=True)  # type: ignore[assignment]  # a field
    total = serializers.IntegerField()


class Integrations(ApiView):
    """All integrations, always in the same order."""

    roles = {"get": VIEWER}

    @extend_schema(responses=IntegrationsOut)
    def get(self, request: Request) -> Response:
        found = states()
        return Response({"data": IntegrationOut(found, many=True).data, "total": len(found)})


class OneIntegration(ApiView):
    """One integration."""

    roles = {"get": VIEWER}

    @extend_schema(responses=IntegrationOut)
    def get(self, request: Request, id: str) -> Response:
        check_id("Integration", id)
        found = next((state for state in states() if state.integration.id == id), None)
        if found is None:
            raise NotFound(f"Integration '{id}' not found")
        return Response(IntegrationOut(found).data)


class CredentialSpecs(ApiView):
    """What deployments to each provider need."""

    roles = {"get": VIEWER}

    @extend_schema(responses=CredentialSpecsOut)
    def get(self, request: Request) -> Response:
        specs = list(CREDENTIALS.values())
        return Response({"data": CredentialSpecOut(specs, many=True).data, "total": len(specs)})


class OneCredentialSpec(ApiView):
    """What deployments to one provider need."""

    roles = {"get": VIEWER}

    @extend_schema(responses=CredentialSpecOut)
    def get(self, request: Request, id: str) -> Response:
        check_id("Provider", id)
        if id not in CREDENTIALS:
            raise NotFound(f"Provider '{id}' not found")
        return Response(CredentialSpecOut(CREDENTIALS[id]).data)
