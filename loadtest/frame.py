"""What every page of load testing shows around its content."""

from typing import Any

from django.http import HttpRequest

from config.api.permissions import ADMIN, OPERATOR


def frame(request: HttpRequest, place: str) -> dict[str, Any]:
    """`place` names the tab that is marked; the rest is what this person may do."""
    principal = request.principal  # type: ignore[attr-defined]
    return {"place": place, "may_operate": principal.may(OPERATOR), "is_admin": principal.may(ADMIN)}
