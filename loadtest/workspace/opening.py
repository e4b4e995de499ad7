"""What a request reads from the vault by reference: in the variables that it uses, and in its own texts.

Only what is used is read: a variable that nobody mentions may refer to a secret that has gone. The values stand in the
scopes as secret variables, so whatever masks those masks them too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from config.api.authentication import Principal
from loadtest.composing.variables import Scopes, Variables, enabled, names_in, value_of
from loadtest.workspace import queries
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from security.vault import references
from security.vault.references import Use

PARTS = ("url", "params", "headers", "body", "auth")
SCRIPTS = ("preRequestScript", "postRequestScript", "tests")


@dataclass(frozen=True)
class Opened:
    """The scopes of a request with values in place of references; `found` are those values by the secrets' names."""

    scopes: Scopes
    found: Mapping[str, str] = field(default_factory=dict, repr=False)


def scopes_for(
    body: Mapping[str, Any], request_id: str | None, environment_id: str | None, *, actor: Principal | None
) -> Opened:
    """The variables that a body of POST /request or /run sees, ready for use. Raises `references.Unusable`, Forbidden.

    Forbidden is a caller without a name: whoever sends a request chooses where the values go.
    """
    scopes = queries.scopes_for(request_id, environment_id)
    texts = [body.get(part) for part in PARTS]
    texts.append(queries.inherited_auth(request_id) if request_id else None)
    used = _Used(texts, [script for part in SCRIPTS if isinstance(script := body.get(part), str)])
    every = (scopes.environment, *scopes.collections, scopes.globals)
    values = [value_of(entry) for scope in every for name, entry in scope.items() if enabled(entry) and name in used]
    referring = references.texts_in([texts, values])
    if not referring:
        return Opened(scopes)
    references.refuse_nameless(actor)
    found = references.values_of(referring, use=Use.LOAD_TESTS)
    direct = {name: _secret(found[name]) for name in references.names_in(*references.texts_in(texts))}
    return Opened(
        replace(
            scopes,
            environment=_filled(scopes.environment, used, found),
            collections=tuple(_filled(scope, used, found) for scope in scopes.collections),
            globals=_filled(scopes.globals, used, found) | {f"secret:{name}": entry for name, entry in direct.items()},
        ),
        found,
    )


class _Used:
    """The variables that a request mentions, or that one of its scripts may read."""

    def __init__(self, texts: Any, scripts: list[str]) -> None:
        self._names = {name for text in _all_texts(texts) for name in names_in(text)}
        self._scripts = scripts

    def __contains__(self, name: str) -> bool:
        return name in self._names or any(name in script for script in self._scripts)


def _all_texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for pair in value.items() for inner in pair for text in _all_texts(inner)]
    return [text for inner in value for text in _all_texts(inner)] if isinstance(value, list | tuple) else []


def _filled(variables: Variables, used: _Used, found: Mapping[str, str]) -> dict[str, Any]:
    def entry_of(name: str, entry: Any) -> Any:
        text = value_of(entry)
        if name not in used or not references.names_in(text):
            return entry
        flags = entry if isinstance(entry, Mapping) else {}
        return {**flags, **_secret(references.put_in(text, found)), "enabled": enabled(entry)}

    return {name: entry_of(name, entry) for name, entry in variables.items()}


def _secret(value: str) -> dict[str, Any]:
    return {"value": value, "enabled": True, "secret": True}


def refuse_unusable(
    row: Collection | SavedRequest | Environment | Globals, body: Mapping[str, Any], actor: Principal | None
) -> None:
    """Before `body` is written into a row: what it comes to refer to can be used. Raises as `references.check`."""
    if not references.texts_in(body):
        return
    kept = [getattr(row, column, None) for column in ("variables", "auth", "url", "params", "headers", "body")]
    known = set(references.names_in(*references.texts_in(kept)))
    fresh = {
        part: value
        for part, value in body.items()
        if not known.issuperset(references.names_in(*references.texts_in(value)))
    }
    references.check(fresh, use=Use.LOAD_TESTS, principal=actor)
