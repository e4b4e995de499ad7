"""A request as a curl command to paste into a shell. Pure."""

import shlex
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from loadtest.composing import auth
from loadtest.composing.bodies import type_of
from loadtest.composing.compose import USER_AGENT, compose
from loadtest.composing.prepared import Prepared
from loadtest.composing.rows import plain, switched_on
from loadtest.composing.variables import Scopes, Variables, substitute

Json = Mapping[str, Any]


def as_curl(
    definition: Json, scopes: Scopes | None = None, inherited_auth: Json | None = None, *, secrets: bool = False
) -> str:
    """The command that sends the request of §9.1, its variables filled in. Raises ComposeError.

    Without `secrets` the values of secret variables and the credentials of auth read `<name>`: what is copied ends up
    in histories and chats.
    """
    scopes = scopes or Scopes()
    if not secrets:
        scopes = without_secrets(scopes)
        own = auth.effective(definition.get("auth"), inherited_auth)
        definition, inherited_auth = {**definition, "auth": without_credentials(own)}, None
    prepared = compose(definition, scopes, inherited_auth)
    body = _body(definition, prepared, scopes)
    words = ["curl", *_method(prepared, bool(body)), *_behaviour(definition, prepared)]
    lines = [shlex.join([*words, prepared.url])]
    lines += [shlex.join(["--header", text]) for text in _headers(definition, prepared)]
    lines += [shlex.join(option) for option in body]
    command = " \\\n  ".join(lines)
    if ["--data-binary", "@-"] in body:
        return f"echo {b64encode(prepared.body).decode()} | base64 --decode | {command}"
    return command


def without_secrets(scopes: Scopes) -> Scopes:
    """The scopes with `<name>` in place of every secret value."""

    def told(variables: Variables) -> dict[str, Any]:
        return {
            name: {**entry, "value": f"<{name}>"}
            if isinstance(entry, Mapping) and entry.get("secret") is True
            else entry
            for name, entry in variables.items()
        }

    collections = tuple(told(variables) for variables in scopes.collections)
    return Scopes(told(scopes.environment), collections, told(scopes.globals), scopes.local)


def without_credentials(found: Json | None) -> dict[str, Any]:
    """An auth with `<token>` and the like for what is written in it; names of variables stay."""
    found = found or {"mode": "none"}
    hidden = {
        part: f"<{part}>"
        for part in ("token", "password", "value")
        if isinstance(found.get(part), str) and found[part] and "{{" not in found[part]
    }
    return {**found, **hidden}


def _method(prepared: Prepared, has_body: bool) -> list[str]:
    if prepared.method == "HEAD":
        return ["--head"]
    implied = "POST" if has_body else "GET"
    return [] if prepared.method == implied else ["--request", prepared.method]


def _behaviour(definition: Json, prepared: Prepared) -> list[str]:
    words = []
    if definition.get("followRedirects") is not False:
        words.append("--location")
    if definition.get("verifySSL") is False:
        words.append("--insecure")
    if isinstance(timeout := definition.get("timeout"), int) and timeout > 0:
        words += ["--max-time", f"{timeout / 1000:g}"]
    if any(mark in prepared.url for mark in "[]{}"):
        words.append("--globoff")
    if any(part in ("/../", "/./") for part in _segments(prepared.url)):
        words.append("--path-as-is")
    return words


def _segments(url: str) -> list[str]:
    return [f"/{part}/" for part in url.partition("?")[0].split("/")]


def _headers(definition: Json, prepared: Prepared) -> list[str]:
    """What curl would not send by itself. It makes the type of a multipart body, with a boundary of its own."""
    multipart = _is_multipart(definition)
    return [
        f"{name}: {value}" if value else f"{name};"
        for name, value in prepared.headers
        if (name, value) != ("User-Agent", USER_AGENT) and not (multipart and name.lower() == "content-type")
    ]


def _is_multipart(definition: Json) -> bool:
    body = definition.get("body")
    if not isinstance(body, Mapping) or type_of(body) != "form-data":
        return False
    return not any(row.get("type") == "file" for _, row in _fields(body))


def _fields(body: Json) -> list[tuple[str, Json]]:
    return list(switched_on(body.get("fields", body.get("content")), "body"))


def _body(definition: Json, prepared: Prepared, scopes: Scopes) -> list[list[str]]:
    """The options that carry the body; `@-` where it is no text that a command line can hold."""
    if _is_multipart(definition):
        pairs = [(key, plain(row.get("value"), key)) for key, row in _fields(definition["body"])]
        return [["--form-string", f"{substitute(key, scopes)}={substitute(value, scopes)}"] for key, value in pairs]
    if not prepared.body:
        return []
    try:
        content = prepared.body.decode()
    except UnicodeDecodeError:
        content = "\0"
    return [["--data-binary", "@-"]] if "\0" in content else [["--data-raw", content]]
