"""Variables and auth as they are written and shown: who may write sees secrets, others see that there are some.

Contract: load testing §6, §8.1. What a masked object leaves out is filled in again from what is stored.
"""

import json
from collections.abc import Mapping
from typing import Any

from config.api.errors import Invalid
from loadtest.composing.auth import MODES, SECRETS, mode_of

MAX_VARIABLES = 5000
TYPES = ("string", "number", "boolean", "json")
TEXTS = ("token", "username", "password", "key", "value", "in", "addTo")

Json = dict[str, Any]


def checked_variables(value: Any, stored: Mapping[str, Any]) -> Json:
    """A map of variables as it is stored; an entry with `masked` keeps its stored value. Raises Invalid."""
    if not isinstance(value, Mapping):
        raise Invalid("'variables' must be an object")
    if len(value) > MAX_VARIABLES:
        raise Invalid(f"'variables' must hold at most {MAX_VARIABLES} entries")
    return {key: _variable(key, entry, stored.get(key, {})) for key, entry in value.items()}


def _variable(key: str, entry: Any, stored: Mapping[str, Any]) -> Json:
    if isinstance(entry, str | bool | int | float):
        return {"value": entry if isinstance(entry, str) else json.dumps(entry), "enabled": True, "secret": False}
    if not isinstance(entry, Mapping):
        raise Invalid(f"'variables.{key}' must be an object or text")
    if not isinstance(entry.get("secret", False), bool):
        raise Invalid(f"'variables.{key}.secret' must be true or false")
    if entry.get("type", "string") not in TYPES:
        raise Invalid(f"'variables.{key}.type' must be one of {', '.join(TYPES)}")
    kept = {part: inner for part, inner in entry.items() if part != "masked"}
    if entry.get("masked"):
        kept["value"] = stored.get("value", "")
    return {"value": "", "enabled": True, "secret": False} | kept


def masked_variables(variables: Mapping[str, Json]) -> Json:
    """The variables as a viewer sees them."""
    return {
        key: entry | {"value": "", "masked": True} if entry.get("secret") is True else entry
        for key, entry in variables.items()
    }


def checked_auth(value: Any, stored: Mapping[str, Any]) -> Json:
    """An auth as it is stored; with `masked` it keeps the stored credentials. Raises Invalid."""
    if not isinstance(value, Mapping):
        raise Invalid("'auth' must be an object")
    mode = value.get("mode", value.get("type", ""))
    if not isinstance(mode, str | None) or mode_of(value) not in ("", *MODES):
        raise Invalid(f"Unknown auth mode '{str(mode)[:50]}'")
    for part in TEXTS:
        if not isinstance(value.get(part), str | None):
            raise Invalid(f"'auth.{part}' must be text")
    if value.get("in") not in (None, "", "header", "query"):
        raise Invalid("'auth.in' must be 'header' or 'query'")
    if not isinstance(value.get("config"), Mapping | None):
        raise Invalid("'auth.config' must be an object")
    kept = {part: inner for part, inner in value.items() if part != "masked"}
    if value.get("masked"):
        kept |= {part: stored[part] for part in SECRETS if part in kept and part in stored}
    return kept


def masked_auth(auth: Mapping[str, Any]) -> Json:
    """An auth as a viewer sees it: its mode and user, no credential."""
    hidden: Json = {part: {} if part == "config" else "" for part in SECRETS if auth.get(part)}
    return {**auth, **hidden, "masked": True} if hidden else dict(auth)
