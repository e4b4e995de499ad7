"""A value that fits a JSON schema, for a body to begin with (OpenAPI 3.0 and 3.1). Pure."""

from typing import Any

from loadtest.exchange.documents import listed, mapping
from loadtest.exchange.references import References
from loadtest.exchange.tree import Json

MAX_DEPTH = 6
MAX_NODES = 400

FORMATS = {
    "date-time": "2030-01-01T00:00:00Z",
    "date": "2030-01-01",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "",
    "binary": "",
}


class Samples:
    """Makes values from the schemas of one document, each within a budget of nodes."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = 0

    def of(self, schema: Any) -> Any:
        """A value that fits; None where the schema says nothing or is nested too deeply."""
        self._left = MAX_NODES
        return self._value(schema, 0)

    def of_media(self, media: Json) -> Any:
        """The example of a media type or parameter, else a value that fits its schema."""
        if "example" in media:
            return media["example"]
        for example in mapping(media.get("examples")).values():
            found = self._references.object(example)
            if "value" in found:
                return found["value"]
        return self.of(media.get("schema"))

    def _value(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            return None
        found = self._references.object(schema)
        for name in ("example", "default", "const"):
            if name in found:
                return found[name]
        for name in ("examples", "enum"):
            if isinstance(found.get(name), list) and found[name]:
                return found[name][0]
        for name in ("oneOf", "anyOf"):
            if options := listed(found.get(name)):
                return self._value(options[0], depth + 1)
        return self._typed(found, depth)

    def _typed(self, found: Json, depth: int) -> Any:
        kind = found.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), None)
        if kind == "object" or "properties" in found or "allOf" in found:
            return self._object(found, depth)
        match kind:
            case "array":
                item = self._value(found.get("items"), depth + 1)
                return [] if item is None else [item]
            case "string":
                return FORMATS.get(str(found.get("format")), "string")
            case "integer" | "number":
                low = found.get("minimum")
                return low if isinstance(low, int | float) else 0
            case "boolean":
                return True
        return None

    def _object(self, found: Json, depth: int) -> Json:
        made: Json = {}
        for part in listed(found.get("allOf")):
            value = self._value(part, depth + 1)
            made |= value if isinstance(value, dict) else {}
        for name, inner in mapping(found.get("properties")).items():
            if self._references.object(inner).get("readOnly") is True:
                continue
            made[name] = self._value(inner, depth + 1)
            if self._left < 0:
                break
        return made
