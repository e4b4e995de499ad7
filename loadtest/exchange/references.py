"""References within a document (`{"$ref": "#/components/…"}`, RFC 6901). Pure; nothing outside of it is read."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from loadtest.exchange.documents import mapping
from loadtest.exchange.tree import Json

MAX_HOPS = 20


@dataclass
class References:
    """Follows references of one document and counts those that lead elsewhere or nowhere."""

    document: Json
    lost: set[str] = field(default_factory=set)

    def object(self, value: Any) -> Json:
        """The object that a value is or refers to; an empty one when that cannot be told."""
        for _ in range(MAX_HOPS):
            found = mapping(value)
            pointer = found.get("$ref")
            if not isinstance(pointer, str):
                return found
            value = self._at(pointer)
        return {}

    def _at(self, pointer: str) -> Any:
        value: Any = self.document
        start, *names = pointer.split("/")
        for name in names if start == "#" else [""]:
            key = unquote(name).replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, dict) and key in value:
                value = value[key]
            else:
                self.lost.add(pointer[:200])
                return {}
        return value
