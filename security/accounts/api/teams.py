"""`/api/v1/admin/teams` (contract: fleet console §33.2). camelCase."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework import mixins, serializers
from rest_framework.response import Response

from config.api.errors import NotFound
from config.api.fields import Body, CamelSerializer, FleetSerializer, milliseconds
from config.api.pagination import integer, page_body
from config.api.permissions import ADMIN
from config.api.views import ApiView, FleetViewSet, check_id
from security.accounts import teams
from security.accounts.models import Membership, Role, Team


class TeamSerializer(FleetSerializer):
    description = serializers.SerializerMethodField(method_name="description_of")
    created_by = serializers.CharField(source="created_by_id", read_only=True, allow_null=True)
    member_count = serializers.IntegerField(read_only=True)
    instance_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Team
        fields = (
            "id", "name", "description", "created_by", "created_at", "updated_at", "member_count", "instance_count",
        )  # fmt: skip
        read_only_fields = fields

    def description_of(self, team: Team) -> str | None:
        return team.description or None


class NewTeam(Body, CamelSerializer):
    name = serializers.CharField(max_length=128)
    description = serializers.CharField(max_length=512, required=False, allow_blank=True)


class ChangedTeam(NewTeam):
    name = serializers.CharField(max_length=128, required=False)


class NewMember(Body, CamelSerializer):
    user_id = serializers.CharField(max_length=128)
    role = serializers.ChoiceField(Role.choices, default=Role.DEVELOPER)


class MemberRole(Body, CamelSerializer):
    role = serializers.ChoiceField(Role.choices)


def member_body(one: Membership) -> dict[str, Any]:
    user = {"id": one.user_id, "email": one.user.email, "name": one.user.name or None, "globalRole": one.user.role}
    return {"userId": one.user_id, "role": one.role, "joinedAt": milliseconds(one.joined_at), "user": user}


def valid(serializer: type[serializers.Serializer], request: Any) -> dict[str, Any]:
    wanted = serializer(data=request.data)
    wanted.is_valid(raise_exception=True)
    return wanted.validated_data


def team_of(id: str) -> Team:
    check_id("Team", id)
    team = Team.objects.filter(pk=id).first()
    if team is None:
        raise NotFound(f"Team '{id}' not found")
    return team


def membership_of(id: str, user_id: str) -> Membership:
    check_id("User", user_id)
    membership = team_of(id).memberships.select_related("user", "team").filter(user_id=user_id).first()
    if membership is None:
        raise NotFound(f"User '{user_id}' is not in the team")
    return membership


class TeamFilter(filters.FilterSet):
    search = filters.CharFilter(field_name="name", lookup_expr="icontains", max_length=128)


class TeamViewSet(mixins.ListModelMixin, FleetViewSet):
    """Teams with the numbers of their members and instances."""

    roles = dict.fromkeys(("list", "create", "retrieve", "update", "destroy"), ADMIN)
    noun = "Team"
    list_name = "teams"
    serializer_class = TeamSerializer
    filterset_class = TeamFilter

    def get_queryset(self) -> Any:
        return teams.counted().order_by("-created_at", "-pk")

    def create(self, request: Any) -> Response:
        team = teams.create_team(actor=request.auth, **valid(NewTeam, request))
        return Response(self._body(team.pk), status=201)

    def retrieve(self, request: Any, pk: str) -> Response:
        team = self.get_object()
        members = team.memberships.select_related("user").order_by("joined_at", "pk")
        return Response(self.get_serializer(team).data | {"members": [member_body(one) for one in members]})

    def update(self, request: Any, pk: str) -> Response:
        team = self.get_object()
        teams.update_team(team=team, actor=request.auth, **valid(ChangedTeam, request))
        return Response(self._body(team.pk))

    def destroy(self, request: Any, pk: str) -> Response:
        team = self.get_object()
        teams.delete_team(team=team, actor=request.auth)
        return Response({"message": "Team deleted", "id": pk, "name": team.name})

    def _body(self, pk: str) -> dict[str, Any]:
        return self.get_serializer(teams.counted().get(pk=pk)).data


class Members(ApiView):
    """POST puts a user into the team."""

    roles = {"post": ADMIN}

    def post(self, request: Any, id: str) -> Response:
        membership = teams.add_member(team=team_of(id), actor=request.auth, **valid(NewMember, request))
        return Response({"teamId": id, **member_body(membership)}, status=201)


class Member(ApiView):
    """DELETE takes a user out of the team."""

    roles = {"delete": ADMIN}

    def delete(self, request: Any, id: str, user_id: str) -> Response:
        teams.remove_member(membership=membership_of(id, user_id), actor=request.auth)
        return Response({"message": "Member removed", "teamId": id, "userId": user_id})


class MembersRole(ApiView):
    """PUT gives a member another role in the team."""

    roles = {"put": ADMIN}

    def put(self, request: Any, id: str, user_id: str) -> Response:
        role = valid(MemberRole, request)["role"]
        membership = teams.change_member(membership=membership_of(id, user_id), role=role, actor=request.auth)
        return Response({"teamId": id, **member_body(membership)})


class TeamInstances(ApiView):
    """The instances of a team."""

    roles = {"get": ADMIN}

    def get(self, request: Any, id: str) -> Response:
        rows = team_of(id).instances.order_by("name", "pk")
        size = "pageSize" if "pageSize" in request.query_params else "limit"
        page, limit = integer(request, "page", 1, 1, 1_000_000), integer(request, size, 20, 1, 100)
        shown = rows[(page - 1) * limit : page * limit]
        body = [
            {"id": one.pk, "name": one.name, "provider": one.provider, "region": one.region, "status": one.status}
            for one in shown
        ]
        return Response(page_body("instances", body, page=page, limit=limit, total=rows.count()))


class TeamInstance(ApiView):
    """POST gives the team an instance; DELETE takes it away, and everybody sees it then."""

    roles = {"post": ADMIN, "delete": ADMIN}

    def post(self, request: Any, id: str, instance_id: str) -> Response:
        check_id("Instance", instance_id)
        instance = teams.assign_instance(team=team_of(id), instance_id=instance_id, actor=request.auth)
        body = {"message": "Instance assigned to the team", "instanceId": instance.pk, "teamId": instance.team_id}
        return Response(body)

    def delete(self, request: Any, id: str, instance_id: str) -> Response:
        check_id("Instance", instance_id)
        teams.release_instance(team=team_of(id), instance_id=instance_id, actor=request.auth)
        return Response({"message": "Instance removed from the team", "instanceId": instance_id, "teamId": id})
