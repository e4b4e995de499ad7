"""An audit entry for people: what changed field by field, the other facts, the program, and the way to the thing."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from security.accounts.models import program
from security.audit.links import links
from security.audit.models import AuditEntry

CHANGED, ADDED, REMOVED, SAME = "changed", "added", "removed", "same"


@dataclass(frozen=True)
class Change:
    """One field before and after. `kind` tells in a word what became of it; a missing side is None."""

    name: str
    before: str | None
    after: str | None
    kind: str


def present(entries: Iterable[AuditEntry]) -> None:
    """Give each entry what its row shows: `changes`, `facts`, `program`, `link`."""
    shown: list[Any] = list(entries)
    pages = links(shown)
    for entry in shown:
        metadata = dict(entry.metadata or {})
        before, after = metadata.pop("before", None), metadata.pop("after", None)
        entry.changes = compared(before, after)
        entry.changed = sum(one.kind != SAME for one in entry.changes) if before and after else 0
        entry.facts = [(name.replace("_", " "), written(value)) for name, value in metadata.items()]
        entry.program = program(entry.user_agent or "")
        entry.link = pages.get((entry.resource, entry.resource_id or ""))


def compared(before: Any, after: Any) -> list[Change]:
    """The fields of both sides, those that differ first, in the order in which they were noted."""
    left, right = _fields(before), _fields(after)
    found = []
    for name in {**left, **right}:
        old, new = left.get(name), right.get(name)
        if name not in left:
            kind = ADDED
        elif name not in right:
            kind = REMOVED
        else:
            kind = SAME if old == new else CHANGED
        before_it, after_it = (written(side[name]) if name in side else None for side in (left, right))
        found.append(Change(name.replace("_", " "), before_it, after_it, kind))
    return sorted(found, key=lambda change: change.kind == SAME)


def _fields(side: Any) -> dict[str, Any]:
    if side is None:
        return {}
    return side if isinstance(side, dict) else {"value": side}


def written(value: Any) -> str:
    """A value of the metadata as text: plain text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
