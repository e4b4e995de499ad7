"""What the views of this base URL have in common (contract: signals §1)."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from config.api.views import ApiView

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


class SignalsView(ApiView):
    """A view below `/api/signals`: `roles` by HTTP method. A role in a team suffices where the service looks."""

    rate_class: str | None = "loadtest"


def documented(
    *,
    body: Any = None,
    answer: Any = None,
    status: int = 200,
    query: tuple[str, ...] = (),
    kinds: tuple[str, ...] = ("application/json",),
) -> Any:
    """Tells the API document what a method takes, with its `?parameters=`, and answers: JSON schemas."""
    return extend_schema(
        request=dict.fromkeys(kinds, body) if body else None,
        responses={status: {"type": "object"} if answer is None else answer},
        parameters=[OpenApiParameter(name) for name in query],
    )


def exposition(text: str) -> HttpResponse:
    return HttpResponse(text, content_type=EXPOSITION)


def texts(query: tuple[str, ...] = ()) -> Any:
    """As `documented`, for answers in the Prometheus text form."""
    return extend_schema(
        responses={(200, "text/plain"): {"type": "string"}}, parameters=[OpenApiParameter(name) for name in query]
    )
