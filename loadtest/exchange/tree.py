"""What an import finds, whatever it was written in (contract: load testing §16.1). Pure.

A tree is plain JSON: `{"collections", "environments", "globals", "meta"}`. A collection is a body of POST /collections
with `requests` and `collections` in it; a request is a body of POST /requests; every `id` holds within the tree only.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from config.api.errors import Invalid

MAX_THINGS = 5000
MAX_DEPTH = 30
MAX_NAME = 200
Json = dict[str, Any]


@dataclass
class Tree:
    """Filled by a reader. `skip(kind)` counts what cannot be represented here."""

    format: str
    name: str = ""
    collections: list[Json] = field(default_factory=list)
    environments: list[Json] = field(default_factory=list)
    globals: Json | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    things: int = 0

    def new_id(self, prefix: str) -> str:
        """An id within this tree. Raises Invalid when it holds too much."""
        self.things += 1
        if self.things > MAX_THINGS:
            raise Invalid(f"The import holds more than {MAX_THINGS} collections and requests")
        return f"{prefix}_{self.things}"

    def collection(self, name: str, **fields: Any) -> Json:
        """A new collection; who asks puts it where it belongs."""
        return {"id": self.new_id("col"), "name": name[:MAX_NAME], **fields, "requests": [], "collections": []}

    def request(self, name: str, **fields: Any) -> Json:
        """A new request; who asks puts it where it belongs."""
        return {"id": self.new_id("req"), "name": name[:MAX_NAME], **fields}

    def skip(self, kind: str, count: int = 1) -> None:
        if count:
            self.skipped[kind] += count

    def as_json(self, *, environments: bool = True) -> Json:
        """The tree for clients, with what it holds under `meta`."""
        kept = self.environments if environments else []
        shared = self.globals if environments else None
        if not environments:
            self.skip("environment", len(self.environments) + (self.globals is not None))
        every = list(walk(self.collections))
        return {
            "collections": self.collections,
            "environments": kept,
            "globals": shared,
            "meta": {
                "format": self.format,
                "name": self.name,
                "collections": len(every),
                "requests": sum(len(collection["requests"]) for collection in every),
                "environments": len(kept),
                "skipped": [{"kind": kind, "count": count} for kind, count in sorted(self.skipped.items())],
            },
        }


def walk(collections: list[Json]) -> Iterator[Json]:
    """Every collection, a parent before its children."""
    queue = list(collections)
    while queue:
        current = queue.pop(0)
        yield current
        queue[:0] = current["collections"]
