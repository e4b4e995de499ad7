"""Tables of variables in forms. The value of a secret never reaches the page; an empty field keeps it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict

from loadtest.workspace.builder import BLANK_ROWS, MOST_ROWS

TYPES = ("string", "number", "boolean", "json")


def variables_of(form: QueryDict, stored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The typed table in the API's words (contract: load testing §6).

    The field of a stored secret that was left empty keeps the value, also under another name.
    """
    on, secret = (set(form.getlist(f"variable-{part}")) for part in ("on", "secret"))
    columns = [form.getlist(f"variable-{part}")[:MOST_ROWS] for part in ("was", "key", "value", "type")]
    found = {}
    for number, (was, key, value, kind) in enumerate(zip(*columns, strict=False)):
        if not key.strip():
            continue
        before, row = stored.get(was, {}), str(number)
        kept = before.get("value", "") if before.get("secret") and not value else value
        entry = {**before, "value": kept, "enabled": row in on, "secret": row in secret}
        found[key.strip()] = entry | ({"type": kind} if kind in TYPES else {})
    return found


def variable_rows(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the table, with blank ones to type into."""
    rows = []
    for key, entry in variables.items():
        secret = bool(entry.get("secret"))
        rows.append(
            {
                "key": key,
                "value": "" if secret else entry.get("value", ""),
                "enabled": entry.get("enabled", True) is not False,
                "secret": secret,
                "type": entry.get("type", "string"),
                "kept": secret,
            }
        )
    return [*rows, *({"enabled": True, "type": "string"} for _ in range(BLANK_ROWS))]


def known(scopes: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """What each name stands for, nearest scope first: `{name: {value, scope}}`; a secret's value stays hidden."""
    found: dict[str, dict[str, Any]] = {}
    for scope, variables in scopes:
        for name, entry in variables.items():
            if name in found or entry.get("enabled", True) is False:
                continue
            found[name] = {"value": "secret" if entry.get("secret") else entry.get("value", ""), "scope": scope}
    return found
