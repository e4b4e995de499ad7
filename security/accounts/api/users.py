"""`/api/v1/admin/users` (contract: fleet console §33.2). camelCase."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from config.api.fields import Body, CamelSerializer, FleetSerializer, MillisecondsField, milliseconds
from config.api.permissions import ADMIN
from config.api.views import FleetViewSet
from security.accounts import services
from security.accounts.models import Role, User
from security.accounts.passwords import API_LEAST, MOST


class UserSerializer(FleetSerializer):
    name = serializers.SerializerMethodField(method_name="name_of")
    last_login_at = MillisecondsField(source="last_login", read_only=True)

    class Meta:
        model = User
        fields = ("id", "email", "name", "role", "is_active", "last_login_at", "created_at", "updated_at", "kind")
        read_only_fields = fields

    def name_of(self, user: User) -> str | None:
        return user.name or None


class NewUser(Body, CamelSerializer):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=128, required=False, allow_blank=True)
    password = serializers.CharField(min_length=API_LEAST, max_length=MOST, trim_whitespace=False)
    role = serializers.ChoiceField(Role.choices, required=False)


class ChangedUser(Body, CamelSerializer):
    email = serializers.EmailField(max_length=254, required=False)
    name = serializers.CharField(max_length=128, required=False, allow_blank=True)
    password = serializers.CharField(min_length=API_LEAST, max_length=MOST, required=False, trim_whitespace=False)
    role = serializers.ChoiceField(Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        """The compatible product writes `is_active` here, in a body that is camelCase otherwise."""
        if isinstance(data, dict) and "is_active" in data:
            data = {"isActive": data["is_active"], **data}
        return super().to_internal_value(data)


class UserFilter(filters.FilterSet):
    role = filters.ChoiceFilter(choices=Role.choices)
    is_active = filters.ChoiceFilter(choices=[("true", "true"), ("false", "false")], method="switched")
    search = filters.CharFilter(method="find", max_length=128)

    def switched(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return rows.filter(is_active=value == "true")

    def find(self, rows: QuerySet, name: str, text: str) -> QuerySet:
        return rows.filter(Q(email__icontains=text) | Q(name__icontains=text))


class UserViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, FleetViewSet):
    """People and service users."""

    roles = dict.fromkeys(("list", "create", "retrieve", "update", "destroy", "teams"), ADMIN)
    noun = "User"
    list_name = "users"
    queryset = User.objects.order_by("-created_at", "-pk")
    serializer_class = UserSerializer
    filterset_class = UserFilter

    def create(self, request: Any) -> Response:
        wanted = NewUser(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = services.create_user(actor=request.auth, least=API_LEAST, **wanted.validated_data)
        return Response(self.get_serializer(user).data, status=201)

    def update(self, request: Any, pk: str) -> Response:
        user = self.get_object()
        wanted = ChangedUser(data=request.data)
        wanted.is_valid(raise_exception=True)
        user = services.update_user(user=user, actor=request.auth, least=API_LEAST, **wanted.validated_data)
        return Response(self.get_serializer(user).data)

    def destroy(self, request: Any, pk: str) -> Response:
        user = self.get_object()
        services.delete_user(user=user, actor=request.auth)
        return Response({"message": "User deleted", "id": pk, "email": user.email})

    @action(detail=True)
    def teams(self, request: Any, pk: str) -> Response:
        rows = self.get_object().memberships.select_related("team").order_by("team__name", "team_id")
        teams = [
            {
                "teamId": one.team_id,
                "teamName": one.team.name,
                "role": one.role,
                "joinedAt": milliseconds(one.joined_at),
            }
            for one in rows
        ]
        return Response({"teams": teams, "data": teams, "total": len(teams)})
