"""POST: validate, save the sample, touch the instance, answer."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.response import Response

from benchmarks._naive.models import NaiveSample
from config.api.permissions import OPERATOR
from config.api.views import ApiView
from fleet.instances.queries import get_visible


class NaiveSerializer(serializers.ModelSerializer):
    class Meta:
        model = NaiveSample
        exclude = ("instance",)


class NaiveHeartbeats(ApiView):
    """What a first version would do, with the product's own keys, roles and middleware around it."""

    roles = {"post": OPERATOR}
    rate_class = None

    @transaction.atomic
    def post(self, request: Any, id: str) -> Response:
        instance = get_visible(instance_id=id, principal=request.principal)
        serializer = NaiveSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(instance=instance)
        instance.last_seen_at = timezone.now()
        instance.last_sample = serializer.data
        instance.save(update_fields=["last_seen_at", "last_sample"])
        return Response(serializer.data, status=201)
