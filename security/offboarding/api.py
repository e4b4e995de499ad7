"""`/api/v1/admin/users/:id/off-board` (ours): the plan, and doing it."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import Body, CamelSerializer, camel
from config.api.permissions import ADMIN
from config.api.views import ApiView, check_id
from security.accounts.models import User
from security.offboarding import services
from security.offboarding.plan import MOST, plan
from security.offboarding.wire import as_body

Ids = serializers.ListField


class ChoiceSerializer(Body, CamelSerializer):
    """A list that is not sent stands for what the plan recommends; an empty one for none."""

    revoke_keys = serializers.BooleanField(required=False)
    end_sessions = serializers.BooleanField(required=False)
    leave_teams = serializers.BooleanField(required=False)
    leave_duties = serializers.BooleanField(required=False)
    deactivate = serializers.BooleanField(required=False)
    ssh_key_ids = Ids(child=serializers.CharField(max_length=128), max_length=MOST, required=False)
    secret_ids = Ids(child=serializers.CharField(max_length=128), max_length=MOST, required=False)


class OffBoard(ApiView):
    """What a person who leaves has in hand; POST closes it."""

    roles = {"get": ADMIN, "post": ADMIN}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Any, id: str) -> Response:
        """The plan: keys, sessions, SSH keys, secrets they know, teams, duties. It changes nothing."""
        return Response(as_body(plan(user=user_of(id), actor=request.auth, now=timezone.now())))

    @extend_schema(request=ChoiceSerializer, responses=OpenApiTypes.OBJECT)
    def post(self, request: Any, id: str) -> Response:
        """Do it, all or nothing. Without a body everything that the plan recommends."""
        user = user_of(id)
        wanted = ChoiceSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        choice = services.Choice(**wanted.validated_data)
        done = services.off_board(user=user, choice=choice, actor=request.auth, now=timezone.now())
        return Response({camel(name): value for name, value in asdict(done).items()})


def user_of(id: str) -> User:
    check_id("User", id)
    found = User.objects.filter(pk=id).first()
    if found is None:
        raise NotFound(f"User '{id}' not found")
    return found
