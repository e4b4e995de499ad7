"""`/api/auth`: the browser's session (contract: fleet console §33.3)."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.response import Response

from config.api.errors import Forbidden
from config.api.fields import milliseconds
from config.api.permissions import ANYONE
from config.api.views import ApiView
from security.accounts import signing_in
from security.accounts.models import Session
from security.keys.services import session_principal


class GetSession(ApiView):
    """The session of the cookie, or null. A key header plays no part."""

    roles = {"get": ANYONE}
    authentication_classes = ()

    def get(self, request: Any) -> HttpResponse:
        try:
            principal = session_principal(request._request)
        except Forbidden:  # a second factor is to be set up first
            principal = None
        session = Session.objects.filter(public_id=principal.session_id).first() if principal else None
        if session is None:
            return JsonResponse(None, safe=False)  # DRF would send an empty body
        user = principal.user
        return Response(
            {
                "session": {
                    "id": session.public_id,
                    "userId": user.pk,
                    "expiresAt": milliseconds(session.expire_date),
                    "createdAt": milliseconds(session.started_at),
                    "updatedAt": milliseconds(session.seen_at),
                },
                "user": {
                    "id": user.pk,
                    "email": user.email,
                    "name": user.name or user.email,
                    "image": None,
                    "emailVerified": False,
                    "role": user.role,
                    "createdAt": milliseconds(user.created_at),
                    "updatedAt": milliseconds(user.updated_at),
                },
            }
        )


class SignOut(ApiView):
    """End the session of the cookie; harmless without one."""

    roles = {"post": ANYONE}

    def post(self, request: Any) -> Response:
        signing_in.sign_out(request._request)
        return Response({"success": True})
