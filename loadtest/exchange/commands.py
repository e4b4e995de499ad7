"""A curl command line as a saved request. Pure; no file is read."""

import re
from base64 import b64decode
from urllib.parse import urlsplit

from config.api.errors import Invalid
from loadtest.composing.compose import method_of
from loadtest.exchange.options import Call, parsed
from loadtest.exchange.shell import words
from loadtest.exchange.tree import Json, Tree

MAX_COMMAND = 1 << 20


def is_command(content: str) -> bool:
    return re.match(r"\s*(?:\$\s+)?(?:\S*/)?curl(?:\.exe)?\s", content) is not None


def read_command(content: str) -> Tree:
    """The request of a command line, alone in a collection. Raises Invalid for what curl or we do not understand."""
    if len(content) > MAX_COMMAND:
        raise Invalid("A command line of more than 1 MB is not read")
    call = parsed(words(re.sub(r"^\s*\$\s+", "", content))[1:])
    if not call.urls:
        raise Invalid("The curl command names no URL")
    tree = Tree(format="curl", name="Imported from curl")
    tree.skip("further URL", len(call.urls) - 1)
    for option in call.skipped:
        tree.skip(f"option {option}")
    made = tree.collection(tree.name)
    made["requests"].append(_request(call, tree))
    tree.collections.append(made)
    return tree


def _request(call: Call, tree: Tree) -> Json:
    url = call.urls[0] if "://" in call.urls[0] or call.urls[0].startswith("{{") else f"http://{call.urls[0]}"
    if call.in_query and call.data:
        url += ("&" if "?" in url else "?") + "&".join(call.data)
    body = None if call.in_query else _body(call)
    implied = "HEAD" if call.head else "POST" if body else "GET"
    method = method_of(call.method or implied)
    headers = _without_auth(call)
    try:
        path = urlsplit(url).path or "/"
    except ValueError:
        path = url
    return tree.request(
        f"{method} {path}"[:200],
        method=method,
        url=url,
        headers=[{"key": name, "value": value, "enabled": True} for name, value in headers],
        auth=call.auth or {"mode": "noauth"},
        **({"body": body} if body else {}),
        **call.options,
    )


def _body(call: Call) -> Json | None:
    if call.form:
        return {"mode": "form-data", "fields": call.form}
    if not call.data:
        return None
    kinds = [value for name, value in call.headers if name.lower() == "content-type"]
    kind = kinds[-1] if kinds else "application/x-www-form-urlencoded"
    mode = "json" if "json" in kind else "xml" if "xml" in kind else "text"
    if kind.startswith("application/x-www-form-urlencoded"):
        mode = "x-www-form-urlencoded"
    return {"mode": mode, "content": "&".join(call.data)}


def _without_auth(call: Call) -> list[tuple[str, str]]:
    """The headers; an Authorization that we keep as auth is stored encrypted and hence moved there."""
    kept = []
    for name, value in call.headers:
        scheme, _, credentials = value.partition(" ")
        if name.lower() != "authorization" or call.auth:
            kept.append((name, value))
        elif scheme.lower() == "bearer":
            call.auth = {"mode": "bearer", "token": credentials.strip()}
        elif scheme.lower() == "basic" and (pair := _decoded(credentials)):
            call.auth = {"mode": "basic", "username": pair[0], "password": pair[1]}
        else:
            kept.append((name, value))
    return kept


def _decoded(credentials: str) -> tuple[str, str] | None:
    try:
        name, colon, password = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None
