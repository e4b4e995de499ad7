"""Dependencies over HTTP: `/api/v1/alerts/dependencies`."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from alerts.dependencies import queries, services
from alerts.dependencies.models import Dependency
from alerts.labels.viewsets import HandlingViewSet
from config.api.fields import FleetSerializer


class DependencySerializer(FleetSerializer):
    """One parent and one child, each an instance or a monitor; the names are for reading."""

    parent_instance_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    parent_monitor_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    child_instance_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    child_monitor_id = serializers.CharField(required=False, allow_null=True, max_length=128)
    parent_name = serializers.CharField(source="parent.name", read_only=True)
    child_name = serializers.CharField(source="child.name", read_only=True)

    class Meta:
        model = Dependency
        fields = (
            "id", "parent_instance_id", "parent_monitor_id", "parent_name", "child_instance_id", "child_monitor_id",
            "child_name", "created_at",
        )  # fmt: skip

    def create(self, validated_data: dict[str, Any]) -> Dependency:
        return services.make(actor=self.context["request"].auth, **validated_data)


class DependencyViewSet(HandlingViewSet):
    """When the parent is down, nobody is told of the child. To change one, delete it and make another."""

    queryset = Dependency.objects.all()
    serializer_class = DependencySerializer
    list_name, noun, resource = "dependencies", "Dependency", "alert_dependency"

    def get_queryset(self) -> QuerySet[Dependency]:
        return queries.visible(self.request.auth)

    def update(self, request: Any, pk: str) -> Any:
        return self.http_method_not_allowed(request)
