"""Routes that answer with and without a trailing slash and never redirect a write."""

import re
from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, re_path
from rest_framework.routers import SimpleRouter

_PARAMETER = re.compile(r"<(\w+)>")


def route(path: str, view: Callable[..., Any], name: str | None = None) -> URLPattern:
    """`route("instances/<id>/metrics", view)`: a parameter is one path segment; the trailing slash is optional."""
    pattern = _PARAMETER.sub(r"(?P<\1>[^/]+)", re.sub(r"\.(?![^<]*>)", r"\\.", path))
    return re_path(f"^{pattern}/?$", view, name=name)


class ApiRouter(SimpleRouter):
    """DRF's router with an optional slash. Register literal neighbours of `<id>` first."""

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"
