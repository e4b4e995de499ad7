"""Settings of load testing as the code reads them: typed, of this moment (contract: load testing §3)."""

from typing import Any

from django.core.cache import cache

from loadtest.workspace.models import Setting
from loadtest.workspace.registry import ENTRIES, REGISTRY, Entry, Typed

_REMEMBERED = "loadtest.configuration"


def value(key: str) -> Any:
    """The value of one setting now: `value("workers")` is an int. Raises KeyError for an unknown key."""
    entry = REGISTRY[key]
    text = Setting.objects.filter(pk=key).values_list("value", flat=True).first()
    return entry.default if text is None else typed(entry, text)


def values() -> dict[str, Any]:
    """Every setting, typed, in the order of the registry, with one query."""
    stored = dict(Setting.objects.values_list("key", "value"))
    return {entry.key: typed(entry, stored[entry.key]) if entry.key in stored else entry.default for entry in ENTRIES}


def typed(entry: Entry, text: str) -> Typed:
    """A stored text as what it means."""
    return text == "true" if entry.type == "boolean" else int(text)


def text_of(setting: Typed) -> str:
    """A value as it is stored and listed."""
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def remember() -> None:
    """Keep the settings where they can be read without the database, which need not be there to say so."""
    cache.set(_REMEMBERED, values(), timeout=None)


def remembered(key: str) -> Any:
    """The setting as it was last written or remembered; the default before that. Never asks the database."""
    return (cache.get(_REMEMBERED) or {}).get(key, REGISTRY[key].default)
