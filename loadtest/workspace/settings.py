"""Reading and changing the settings of load testing (contract: load testing §3)."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Invalid
from loadtest.bodies import unix_ms
from loadtest.workspace import configuration
from loadtest.workspace.configuration import text_of, typed
from loadtest.workspace.models import Setting
from loadtest.workspace.registry import ENTRIES, REGISTRY, Entry, Typed
from security.audit.services import record

_INTEGER = re.compile(r"-?[0-9]{1,40}")
MOST_SHOWN = 60


def update(*, body: Mapping[str, Any], actor: Principal) -> None:
    """Change settings, all or none of them. Raises Invalid, naming key, value and bound."""
    wanted = {key: checked(key, value) for key, value in updates_in(body).items()}
    with transaction.atomic():
        before = configuration.values()
        changed = {key: value for key, value in wanted.items() if value != before[key]}
        for key, value in changed.items():
            fresh = {"value": text_of(value), "updated_at": timezone.now()}
            Setting.objects.update_or_create(key=key, defaults=fresh)
        if changed:
            old = {key: before[key] for key in changed}
            record(actor=actor, action="UPDATE", resource="load_config", resource_id=None, before=old, after=changed)
        transaction.on_commit(configuration.remember)


def updates_in(body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a body names, in any of its three shapes. Raises Invalid."""
    if "entries" in body:
        entries = body["entries"]
        if not isinstance(entries, Mapping):
            raise Invalid("'entries' must be an object of keys and values")
        found = dict(entries)
    elif "key" in body:
        if "value" not in body or not isinstance(body["key"], str):
            raise Invalid("An update of one setting needs 'key' and 'value'")
        found = {body["key"]: body["value"]}
    else:
        found = dict(body)
    if not found:
        raise Invalid("No updates provided")
    return found


def checked(key: str, value: Any) -> Typed:
    """The value as its setting holds it. Raises Invalid."""
    entry = REGISTRY.get(key)
    if entry is None:
        raise Invalid(f"Unknown configuration key '{key[:MOST_SHOWN]}'")
    parsed = _boolean(value) if entry.type == "boolean" else _integer(value)
    got = f"(got {_shown(value)})"
    if parsed is None:
        kind = "true or false" if entry.type == "boolean" else "an integer"
        raise Invalid(f"'{key}' must be {kind} {got}")
    if entry.min is not None and parsed < entry.min:
        raise Invalid(f"'{key}' must be at least {entry.min} {got}")
    if entry.max is not None and parsed > entry.max:
        raise Invalid(f"'{key}' must be at most {entry.max} {got}")
    return parsed


def _integer(value: Any) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if math.isfinite(value) and value.is_integer():
            return int(value)
        case str() if _INTEGER.fullmatch(value):
            return int(value)
    return None


def _boolean(value: Any) -> bool | None:
    words = {"true": True, "false": False}
    return value if isinstance(value, bool) else words.get(value) if isinstance(value, str) else None


def _shown(value: Any) -> str:
    text = value if isinstance(value, int) and not isinstance(value, bool) else json.dumps(value)
    return str(text)[:MOST_SHOWN]


def shown() -> dict[str, Any]:
    """Every setting twice: described under `entries`, and by its key with the typed value."""
    stored = {row.key: row for row in Setting.objects.all()}
    return {
        "entries": [_described(entry, stored.get(entry.key)) for entry in ENTRIES],
        **{
            entry.key: typed(entry, stored[entry.key].value) if entry.key in stored else entry.default
            for entry in ENTRIES
        },
    }


def _described(entry: Entry, row: Setting | None) -> dict[str, Any]:
    bounds = {} if entry.type == "boolean" else {"min": str(entry.min), "max": str(entry.max)}
    extra: dict[str, Any] = {"unit": entry.unit} if entry.unit else {}
    if not entry.effective:
        extra["effective"] = False
    return {
        "key": entry.key,
        "value": row.value if row else text_of(entry.default),
        "type": entry.type,
        "label": entry.label,
        "description": entry.description,
        "category": entry.category,
        "default": text_of(entry.default),
        **bounds,
        "updatedAt": unix_ms(row.updated_at if row else None),
        "requiresRestart": entry.requires_restart,
        **extra,
    }
