"""Parts of a Postman document in our terms: variables, auth, bodies, addresses, scripts. Pure.

Format: Postman Collection v2.0.0 and v2.1.0, whose lists of attributes and plain objects are both read.
"""

import json
import re
from typing import Any

from loadtest.exchange.documents import listed, mapping, text
from loadtest.exchange.tree import Json, Tree

LANGUAGES = {"json": "json", "xml": "xml"}
MODES = {"bearer": "bearer", "basic": "basic", "apikey": "apikey", "noauth": "noauth"}
STORED = {"oauth2": "oauth2", "digest": "digest", "awsv4": "aws", "ntlm": "ntlm"}

_PATH_VARIABLE = re.compile(r"/:([\w.-]+)(?=/|$)")


def variables(rows: Any) -> Json:
    """`[{key, value, disabled, type}]` as a map of variables; the last of a name counts."""
    return {
        text(row.get("key") or row.get("id")): {
            "value": text(row.get("value")),
            "enabled": row.get("enabled", True) is not False and row.get("disabled") is not True,
            "secret": row.get("type") == "secret" or row.get("secret") is True,
        }
        for row in listed(rows)
        if row.get("key") or row.get("id")
    }


def rows(value: Any) -> list[Json]:
    """Headers, query parameters and form fields as rows; headers may also be one text with a line each."""
    if isinstance(value, str):
        lines = [line.partition(":") for line in value.splitlines() if line.strip()]
        return [{"key": key.strip(), "value": inner.strip(), "enabled": True} for key, _, inner in lines]
    return [
        {"key": text(row.get("key")), "value": text(row.get("value")), "enabled": row.get("disabled") is not True}
        | ({"description": about} if (about := description(row.get("description"))) else {})
        for row in listed(value)
        if row.get("key")
    ]


def description(value: Any) -> str:
    return text(mapping(value).get("content")) if isinstance(value, dict) else text(value)


def auth(value: Any, tree: Tree) -> Json:
    """An auth; `{}` where none is set, so that it is inherited."""
    found = mapping(value)
    kind = text(found.get("type"))
    if not kind:
        return {}
    given = _attributes(found.get(kind))
    match kind:
        case "noauth":
            return {"mode": "noauth"}
        case "bearer":
            return {"mode": "bearer", "token": text(given.get("token"))}
        case "basic":
            return {"mode": kind, "username": text(given.get("username")), "password": text(given.get("password"))}
        case "apikey":
            place = "query" if given.get("in") == "query" else "header"
            return {"mode": kind, "key": text(given.get("key")), "value": text(given.get("value")), "in": place}
        case _ if kind in STORED:
            return {"mode": STORED[kind], "config": given}
    tree.skip(f"auth {kind}"[:60])
    return {}


def _attributes(value: Any) -> Json:
    """`[{key, value}]` of v2.1, or the object of v2.0."""
    return {text(row.get("key")): row.get("value") for row in listed(value)} or mapping(value)


def body(value: Any, tree: Tree) -> Json | None:
    """A body that names its type; None for none."""
    found = mapping(value)
    if not found or found.get("disabled") is True:
        return None
    match found.get("mode"):
        case "raw":
            language = mapping(mapping(found.get("options")).get("raw")).get("language")
            content = text(found.get("raw"))
            return {"mode": LANGUAGES.get(text(language), _guessed(content)), "content": content} if content else None
        case "urlencoded":
            return {"mode": "x-www-form-urlencoded", "fields": rows(found.get("urlencoded"))}
        case "formdata":
            fields = listed(found.get("formdata"))
            files = [row for row in fields if row.get("type") == "file"]
            tree.skip("file in a form", len(files))
            return {"mode": "form-data", "fields": rows([row for row in fields if row.get("type") != "file"])}
        case "graphql":
            return {"mode": "graphql", "content": _graphql(mapping(found.get("graphql")))}
        case "file":
            tree.skip("file as body")
    return None


def _guessed(content: str) -> str:
    return "json" if content.lstrip()[:1] in ("{", "[") else "text"


def _graphql(found: Json) -> Json:
    """The message; variables written as text are read where they are JSON without our tokens."""
    given = found.get("variables")
    if isinstance(given, str):
        try:
            given = json.loads(given) if given.strip() else None
        except ValueError:
            given = None
    return {"query": text(found.get("query"))} | ({"variables": given} if given else {})


def address(value: Any) -> tuple[str, list[Json]]:
    """The URL without its query, and the query as rows. Path variables (`/:id`) become their values or `{{id}}`."""
    found = mapping(value) if isinstance(value, dict) else {"raw": text(value)}
    raw = text(found.get("raw")) or _joined(found)
    query = rows(found.get("query"))
    if query:
        raw = raw.partition("#")[0].partition("?")[0]
    known = {text(row.get("key") or row.get("id")): text(row.get("value")) for row in listed(found.get("variable"))}
    start, gap, rest = raw.partition("?")
    if known:
        start = _PATH_VARIABLE.sub(lambda hit: f"/{known.get(hit[1]) or f'{{{{{hit[1]}}}}}'}", start)
    return start + gap + rest, query


def _joined(found: Json) -> str:
    """An address that is given in parts only."""

    def part(name: str, gap: str) -> str:
        value = found.get(name)
        return (
            gap.join(text(mapping(one).get("value") if isinstance(one, dict) else one) for one in value)
            if isinstance(value, list)
            else text(value)
        )

    host, path, port = part("host", "."), part("path", "/"), part("port", "")
    start = f"{text(found.get('protocol'))}://" if found.get("protocol") else ""
    return f"{start}{host}{f':{port}' if port else ''}{'/' if path and not path.startswith('/') else ''}{path}"


def scripts(events: Any) -> Json:
    """`preRequestScript` and `postRequestScript`."""
    names = {"prerequest": "preRequestScript", "test": "postRequestScript"}
    found: dict[str, list[str]] = {}
    for event in listed(events):
        source = mapping(event.get("script")).get("exec", event.get("script"))
        lines = source if isinstance(source, list) else [source] if isinstance(source, str) else []
        written = "\n".join(text(line) for line in lines)
        if event.get("listen") in names and event.get("disabled") is not True and written.strip():
            found.setdefault(names[event["listen"]], []).append(written)
    return {name: "\n".join(parts) for name, parts in found.items()}
