"""Which type bodies and answers have."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation


class OneLanguage(BaseContentNegotiation):
    """Answers are what the view speaks, whatever the request asks for; so are bodies, as with a bare `curl --data`."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class TypedBodies(DefaultContentNegotiation):
    """For bodies of several types, of which the content type tells which; answers as above."""

    select_renderer = OneLanguage.select_renderer
