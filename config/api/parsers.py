"""Bodies that a view decodes by itself."""

from typing import Any

from rest_framework.parsers import BaseParser

from config.api.errors import TooLarge


def raw(limit: int) -> type[BaseParser]:
    """A parser that hands over the bytes as they came, at most `limit` of them (else TooLarge)."""

    class Raw(BaseParser):
        media_type = "*/*"

        def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> bytes:
            body = stream.read(limit + 1)
            if len(body) > limit:
                raise TooLarge(f"The body is larger than {limit} bytes")
            return body

    return Raw
