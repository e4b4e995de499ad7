"""The OpenAPI documents, one for each base URL. The page that shows them is in `config.pages`."""

from typing import Any

from drf_spectacular.views import SpectacularJSONAPIView

from config.api.errors import NotFound
from config.api.schema import DOCUMENTS


class Document(SpectacularJSONAPIView):
    """The OpenAPI document of one base URL, `/api/schema/<name>`."""

    roles = {"get": "VIEWER"}

    def get(self, request: Any, *args: Any, name: str, **kwargs: Any) -> Any:
        if name not in DOCUMENTS:
            raise NotFound(f"No API document '{name}'")
        title, prefix = DOCUMENTS[name]
        self.custom_settings = {
            "TITLE": f"Pharos: {title}",
            "PREPROCESSING_HOOKS": [f"config.api.schema.only_{name}"],
        }
        return super().get(request, *args, **kwargs)
