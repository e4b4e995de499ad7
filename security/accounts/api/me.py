"""`/api/v1/me`: the caller itself (contract: fleet console §33.1). snake_case."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.response import Response

from config.api.authentication import Principal
from config.api.errors import Forbidden, NotFound
from config.api.fields import Body, milliseconds
from config.api.permissions import VIEWER
from config.api.views import ApiView, check_id
from security.accounts import services
from security.accounts.models import Session, User


def profile(principal: Principal) -> dict[str, Any]:
    user: User = principal.user
    memberships = user.memberships.select_related("team").order_by("team__name", "team_id")
    password = {"id": user.pk, "provider_id": "credential", "created_at": milliseconds(user.created_at)}
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name or None,
        "role": principal.role,
        "is_active": user.is_active,
        "email_verified": False,
        "image": None,
        "last_login_at": milliseconds(user.last_login),
        "created_at": milliseconds(user.created_at),
        "team_memberships": [
            {"role": one.role, "team": {"id": one.team.pk, "name": one.team.name}} for one in memberships
        ],
        "accounts": [password] if user.has_usable_password() else [],
        "time_zone": user.time_zone or None,
        "theme": user.theme,
    }


class Preferences(Body):
    name = serializers.CharField(max_length=128, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    theme = serializers.ChoiceField(services.THEMES, required=False)


class Me(ApiView):
    """The caller; PATCH sets name, time zone and theme."""

    roles = {"get": VIEWER, "patch": VIEWER}

    def get(self, request: Any) -> Response:
        return Response(profile(request.auth))

    def patch(self, request: Any) -> Response:
        wanted = Preferences(data=request.data)
        wanted.is_valid(raise_exception=True)
        services.set_preferences(actor=own(request), **wanted.validated_data)
        return Response(profile(request.auth))


class NewPassword(Body):
    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)


class MyPassword(ApiView):
    """Change one's own password. Every session ends but the one that asks."""

    roles = {"post": VIEWER}

    def post(self, request: Any) -> Response:
        wanted = NewPassword(data=request.data)
        wanted.is_valid(raise_exception=True)
        services.change_own_password(
            actor=own(request),
            current=wanted.validated_data["current_password"],
            new=wanted.validated_data["new_password"],
        )
        return Response({"message": "Password changed"})


class MySessions(ApiView):
    """The caller's signed-in browsers, newest first; DELETE signs out all but the one that asks."""

    roles = {"get": VIEWER, "delete": VIEWER}

    def get(self, request: Any) -> Response:
        alive = Session.objects.alive(timezone.now()).filter(user=request.auth.user)
        rows = [
            {
                "id": session.public_id,
                "current": session.public_id == request.auth.session_id,
                "ip_address": session.ip_address or None,
                "user_agent": session.user_agent or None,
                "created_at": milliseconds(session.started_at),
                "last_seen_at": milliseconds(session.seen_at),
                "expires_at": milliseconds(session.expire_date),
            }
            for session in alive.order_by("-started_at", "public_id")[:100]
        ]
        return Response({"data": rows, "total": len(rows)})

    def delete(self, request: Any) -> Response:
        ended = services.end_other_sessions(actor=own(request))
        return Response({"message": "Sessions ended", "ended": ended})


class MySession(ApiView):
    """DELETE signs the browser out."""

    roles = {"delete": VIEWER}

    def delete(self, request: Any, id: str) -> Response:
        check_id("Session", id)
        session = Session.objects.filter(user=request.auth.user, public_id=id).first()
        if session is None:
            raise NotFound(f"Session '{id}' not found")
        services.end_session(session=session, actor=own(request))
        return Response({"message": "Session ended"})


def own(request: Any) -> Principal:
    """The caller, if it is a person or a script; an agent has no account to change."""
    if request.auth.is_agent:
        raise Forbidden("An agent's key cannot change an account")
    return request.auth
