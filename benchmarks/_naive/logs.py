"""The plain way to take in a batch of log lines: a DRF serializer, bulk_create, one commit."""

from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.response import Response

from benchmarks._naive.models import NaiveLog
from config.api.permissions import VIEWER
from config.api.views import ApiView
from fleet.instances.queries import get_visible


class NaiveLogSerializer(serializers.ModelSerializer):
    instanceId = serializers.CharField(source="instance_id", max_length=128)  # noqa: N815 - the wire's name

    class Meta:
        model = NaiveLog
        fields = ("instanceId", "level", "source", "message", "metadata", "timestamp")


class NaiveLogs(ApiView):
    """Each instance is looked up once, so that the yardstick is not one of queries."""

    roles = {"post": VIEWER}
    rate_class = None

    @transaction.atomic
    def post(self, request: Any) -> Response:
        serializer = NaiveLogSerializer(data=request.data["entries"], many=True)
        serializer.is_valid(raise_exception=True)
        for one in {row["instance_id"] for row in serializer.validated_data}:
            get_visible(instance_id=one, principal=request.principal)
        made = NaiveLog.objects.bulk_create(NaiveLog(**row) for row in serializer.validated_data)
        return Response({"count": len(made)}, status=201)
