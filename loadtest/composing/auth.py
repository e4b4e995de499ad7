"""Who a request says it is (contract: load testing §8.1). Pure."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loadtest.composing.errors import ComposeError

Auth = Mapping[str, Any]
Pairs = list[tuple[str, str]]
Text = Callable[[Any], str]

MODES = ("none", "inherit", "noauth", "bearer", "basic", "apikey", "oauth2", "digest", "aws", "ntlm")
SECRETS = ("token", "password", "value", "config")
UNSUPPORTED = frozenset({"oauth2", "digest", "aws", "ntlm"})


def mode_of(auth: Auth | None) -> str:
    """The mode in its usual spelling; "" for an empty or absent auth."""
    mode = (auth or {}).get("mode") or (auth or {}).get("type") or ""
    return "apikey" if mode == "api-key" else str(mode)


def nearest(auths: Sequence[Auth | None]) -> Auth | None:
    """The first auth, nearest collection first, that is neither empty nor `none`; `noauth` ends the search."""
    for auth in auths:
        match mode_of(auth):
            case "" | "none" | "inherit":
                continue
            case "noauth":
                return None
            case _:
                return auth
    return None


def effective(own: Auth | None, inherited: Auth | None) -> Auth | None:
    """What holds for a request: its own auth, or the inherited one where it has none of its own."""
    return inherited if mode_of(own) in ("", "inherit") else own


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for a name and a password."""
    return f"Basic {b64encode(f'{user}:{password}'.encode(errors='replace')).decode()}"


def headers_and_params(auth: Auth | None, text: Text, once: Text) -> tuple[Pairs, Pairs]:
    """The headers and the query parameters that an auth adds. Raises ComposeError for a mode that is not supported.

    `text` substitutes variables; `once` does so too, for what is encoded and hence the same in every request.
    """
    auth = auth or {}
    match mode_of(auth):
        case "bearer":
            return [("Authorization", f"Bearer {text(auth.get('token'))}")], []
        case "basic":
            return [("Authorization", basic(once(auth.get("username")), once(auth.get("password"))))], []
        case "apikey":
            key, value = text(auth.get("key")), text(auth.get("value"))
            if not key:
                return [], []
            in_query = (auth.get("in") or auth.get("addTo") or "header") == "query"
            return ([], [(key, value)]) if in_query else ([(key, value)], [])
        case "" | "none" | "noauth" | "inherit":
            return [], []
        case mode if mode in UNSUPPORTED:
            raise ComposeError(f"Unsupported auth mode '{mode}'")
        case mode:
            raise ComposeError(f"Unknown auth mode '{mode}'")
