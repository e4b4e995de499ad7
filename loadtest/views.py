"""What the views of this base URL have in common."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema

from config.api.permissions import OPERATOR
from config.api.views import ApiView

Schema = dict[str, Any]


class LoadtestView(ApiView):
    """A view below `/api/loadtest`: `roles` by HTTP method, requests counted in a class of their own."""

    rate_class: str | None = "loadtest"

    def clear(self, request: Any) -> bool:
        """Whether the caller reads secrets: those who may write must get back what they wrote."""
        return request.auth.may(OPERATOR)


def documented(*, body: Schema | None = None, answer: Schema | None = None, query: tuple[str, ...] = ()) -> Any:
    """Tells the API document what a method takes, with its `?parameters=`, and answers: JSON schemas."""
    return extend_schema(
        request={"application/json": body} if body else None,
        responses={200: {"type": "object"} if answer is None else answer},
        parameters=[OpenApiParameter(name) for name in query],
    )
