"""Routes of the app: `/api/v1`, `/api/auth` and pages."""

from django.urls import include, path

from config.api.routers import ApiRouter, route
from security.accounts.api import me, sessions, teams, users
from security.audit.api import AuditViewSet, Verification
from security.keys import api as keys
from security.tickets.api import Ticket

router = ApiRouter()
router.register("admin/users", users.UserViewSet, basename="admin-users")
router.register("admin/teams", teams.TeamViewSet, basename="admin-teams")
router.register("admin/api-keys", keys.KeyViewSet, basename="admin-api-keys")
router.register("audit", AuditViewSet, basename="audit")

api_v1 = [
    route("me", me.Me.as_view()),
    route("me/password", me.MyPassword.as_view()),
    route("me/sessions", me.MySessions.as_view()),
    route("me/sessions/<id>", me.MySession.as_view()),
    route("me/api-keys", keys.MyKeys.as_view()),
    route("me/api-keys/<id>", keys.MyKey.as_view()),
    route("me/api-keys/<id>/rotate", keys.RotateMyKey.as_view()),
    route("ws/ticket", Ticket.as_view()),
    route("audit/verify", Verification.as_view()),
    route("admin/teams/<id>/members", teams.Members.as_view()),
    route("admin/teams/<id>/members/<user_id>", teams.Member.as_view()),
    route("admin/teams/<id>/members/<user_id>/role", teams.MembersRole.as_view()),
    route("admin/teams/<id>/instances", teams.TeamInstances.as_view()),
    route("admin/teams/<id>/instances/<instance_id>", teams.TeamInstance.as_view()),
    path("", include(router.urls)),
]
api_auth = [
    route("get-session", sessions.GetSession.as_view()),
    route("sign-out", sessions.SignOut.as_view()),
]
pages: list = []
