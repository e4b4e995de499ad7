"""The texts in a request that nobody may read afterwards. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from loadtest.composing.addresses import legal
from loadtest.composing.auth import Auth, basic, mode_of
from loadtest.composing.bodies import percent
from loadtest.composing.variables import Scopes, substitute, value_of

CREDENTIALS = ("token", "password", "value")


def secrets_in(scopes: Scopes, *auths: Any) -> list[str]:
    """The values of secret variables and the credentials of auths, as they are and as they look once encoded.

    An address holds them percent-encoded as a whole or where it must, a JSON body escaped, basic auth in base64.
    """
    found = [*_variables(scopes)]
    for auth in auths:
        if isinstance(auth, Mapping):
            found += _credentials(auth, scopes)
    return list(dict.fromkeys(form for value in found if value for form in _forms(value)))


def _variables(scopes: Scopes) -> Iterator[str]:
    for scope in (scopes.environment, *scopes.collections, scopes.globals):
        yield from (
            value_of(entry) for entry in scope.values() if isinstance(entry, Mapping) and entry.get("secret") is True
        )


def _credentials(auth: Auth, scopes: Scopes) -> Iterator[str]:
    texts = {name: substitute(auth[name], scopes) for name in ("username", *CREDENTIALS) if _is_text(auth.get(name))}
    yield from (texts[name] for name in CREDENTIALS if name in texts)
    if mode_of(auth) == "basic" and texts.get("password"):
        yield basic(texts.get("username", ""), texts["password"]).partition(" ")[2]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _forms(value: str) -> tuple[str, ...]:
    return value, percent(value), legal(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
