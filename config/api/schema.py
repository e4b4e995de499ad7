"""OpenAPI: one document for each base URL, and pages that show it without the internet."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from config.api.permissions import ANYONE, needed_role

DOCUMENTS = {
    "v1": ("Fleet console", "/api/v1/"),
    "monitors": ("Scheduled monitors", "/api/(monitors|runs|alerts|agents|settings)"),
}


class ApiSchema(AutoSchema):
    """Tells in each operation which role it needs."""

    def get_description(self) -> str:
        role = needed_role(self.view, self.method)
        text = super().get_description() or ""
        return text if role in (None, ANYONE) else f"{text}\n\nNeeds the role {role}.".strip()

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.split(".")[-2]]


class Document(SpectacularJSONAPIView):
    """The OpenAPI document of one base URL, `/api/schema/<name>`."""

    roles = {"get": "VIEWER"}

    def get(self, request: Any, *args: Any, name: str, **kwargs: Any) -> Any:
        from config.api.errors import NotFound

        if name not in DOCUMENTS:
            raise NotFound(f"No API document '{name}'")
        title, prefix = DOCUMENTS[name]
        self.custom_settings = {
            "TITLE": f"Pharos: {title}",
            "PREPROCESSING_HOOKS": [f"config.api.schema.only_{name}"],
        }
        return super().get(request, *args, **kwargs)


def _only(prefix: str, endpoints: list[Any]) -> list[Any]:
    import re

    return [endpoint for endpoint in endpoints if re.match(prefix, endpoint[0])]


def only_v1(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["v1"][1], endpoints)


def only_monitors(endpoints: list[Any]) -> list[Any]:
    return _only(DOCUMENTS["monitors"][1], endpoints)


class Docs(SpectacularSwaggerSplitView):
    """Interactive description of one API, offline."""

    roles = {"get": "VIEWER"}
