"""Variables in texts: `{{name}}` and what it stands for (contract: load testing §7). Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtest.engine.dynamic import GENERATORS

_TOKEN = re.compile(r"\{\{([^{}]*)\}\}")

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Scopes:
    """Where names are looked up, the first enabled definition wins: local, environment, collections, globals.

    `collections` are those of the request, nearest first. Entries are `{"value", "enabled", ...}`; `local` maps names
    to values that a script set for this execution.
    """

    environment: Variables = field(default_factory=dict)
    collections: Sequence[Variables] = ()
    globals: Variables = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)

    def lookup(self, name: str) -> str | None:
        """The value of a stored name; None when no scope has an enabled definition."""
        if name in self.local:
            return self.local[name]
        for scope in (self.environment, *self.collections, self.globals):
            if name in scope and enabled(scope[name]):
                return value_of(scope[name])
        return None


def enabled(entry: Any) -> bool:
    """Only `false` disables."""
    return not (isinstance(entry, Mapping) and entry.get("enabled") is False)


def value_of(entry: Any) -> str:
    """The text of an entry; what is no text counts as an empty one."""
    value = entry.get("value") if isinstance(entry, Mapping) else entry
    return value if isinstance(value, str) else ""


def draw(name: str) -> str | None:
    """A new value of a dynamic name; None for an unknown one."""
    generate = GENERATORS.get(name) if name.startswith("$") else None
    return generate() if generate else None


def substitute(text: str, scopes: Scopes, dynamic: Callable[[str], str | None] = draw) -> str:
    """The text with every known name replaced, in one pass: inserted text is not looked at again.

    Unknown names stay as they are written. `dynamic` gives what stands for a `$name` that no scope defines.
    """

    def replacement(found: re.Match[str]) -> str:
        name = found[1].strip()
        value = scopes.lookup(name) if name else None
        if value is None:
            value = dynamic(name)
        return found[0] if value is None else value

    return _TOKEN.sub(replacement, text) if "{{" in text else text


def names_in(text: str) -> list[str]:
    """The names that a text mentions, each once, in order."""
    return list(dict.fromkeys(_names(text)))


def _names(text: str) -> Iterator[str]:
    return (name for found in _TOKEN.finditer(text) if (name := found[1].strip()))
