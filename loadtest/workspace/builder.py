"""The request builder: what its form sends becomes a request of the API, and a request becomes what the form shows.

Secrets never reach the page. A stored one is shown as an empty field with a note, and an empty field keeps it; text
that holds a variable, such as `{{token}}`, tells no secret and is shown.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from django.http import QueryDict

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
BODY_MODES = {
    "none": "No body",
    "json": "JSON",
    "text": "Text",
    "xml": "XML",
    "graphql": "GraphQL",
    "x-www-form-urlencoded": "Form (URL-encoded)",
    "form-data": "Form (multipart)",
    "binary": "Binary",
}
FIELD_MODES = ("x-www-form-urlencoded", "form-data")
AUTH_MODES = {
    "inherit": "As its collection",
    "noauth": "None",
    "bearer": "Bearer token",
    "basic": "User name and password",
    "apikey": "API key",
}
# The parts of each way to authenticate; a secret one never reaches the page.
AUTH_FIELDS = {
    "bearer": ("token",),
    "basic": ("username", "password"),
    "apikey": ("key", "value", "in"),
}
SECRET_FIELDS = ("token", "password", "value")
BLANK_ROWS = 2
AUTH_ALIASES = {"": "inherit", "none": "noauth", "api-key": "apikey"}
BODY_ALIASES = {"formdata": "form-data", "form": "x-www-form-urlencoded"}
MOST_ROWS = 500

Definition = dict[str, Any]


def definition_of(form: QueryDict, stored: Mapping[str, Any] | None = None) -> Definition:
    """The request in the API's words (contract: load testing §5).

    What the form does not show comes from `stored`: secrets that were left empty, what else a row says.
    """
    stored = stored or {}
    timeout, body = form.get("timeout", "").strip()[:12], body_of(form, stored.get("body"))
    return {
        "id": form.get("id", ""),
        "collectionId": form.get("collectionId", ""),
        "name": form.get("name", "").strip(),
        "description": form.get("description", "").strip(),
        "method": form.get("method", "GET"),
        "url": form.get("url", "").strip(),
        "params": rows_of(form, "param", stored.get("params")),
        "headers": rows_of(form, "header", stored.get("headers")),
        "body": body,
        "bodyType": body["mode"],
        "auth": auth_of(form, stored.get("auth")),
        "preRequestScript": form.get("pre_script", "").replace("\r\n", "\n"),
        "postRequestScript": form.get("post_script", "").replace("\r\n", "\n"),
        "followRedirects": "follow_redirects" in form,
        "maxRedirects": stored.get("maxRedirects"),
        "verifySSL": "verify_ssl" in form,
        "timeout": int(timeout) if timeout.isdecimal() else None,
    }


def sendable(definition: Mapping[str, Any], environment_id: str | None) -> Definition:
    """The request as a body of POST /request or POST /run (contract: load testing §9.1)."""
    wanted = (
        *("method", "url", "params", "headers", "body", "auth"),
        *("followRedirects", "maxRedirects", "verifySSL"),
    )
    made = {name: definition[name] for name in (*wanted, "timeout") if definition.get(name) is not None}
    if isinstance(made.get("body"), str):
        made["body"] = {"mode": definition.get("bodyType") or "text", "content": made["body"]}
    links = {"requestId": definition.get("id") or None, "environmentId": environment_id or None}
    return made | {name: value for name, value in links.items() if value}


def body_of(form: QueryDict, stored: Any) -> dict[str, Any]:
    """The body that is typed; binary content as base64, GraphQL as a document or as JSON with its variables."""
    mode, text = form.get("body_mode", "none"), form.get("body_text", "").replace("\r\n", "\n")
    if mode in FIELD_MODES:
        before = stored if isinstance(stored, Mapping) else {}
        return {"mode": mode, "fields": rows_of(form, "field", before.get("fields"))}
    if mode == "none":
        return {"mode": mode}
    if mode == "binary":
        return {"mode": mode, "contentBase64": "".join(text.split())}
    if mode == "graphql" and text.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            content = json.loads(text)
            return {"mode": mode, "content": content if "query" in content else text}
    return {"mode": mode, "content": text}


def rows_of(form: QueryDict, kind: str, stored: Any = None) -> list[dict[str, Any]]:
    """The rows of one table of names and values; wholly empty ones are left out, what else a row says is kept."""
    ticked = set(form.getlist(f"{kind}-on"))
    known = {row.get("key"): row for row in stored if isinstance(row, Mapping)} if isinstance(stored, list) else {}
    pairs = zip(form.getlist(f"{kind}-key")[:MOST_ROWS], form.getlist(f"{kind}-value"), strict=False)
    return [
        {**known.get(key.strip(), {}), "key": key.strip(), "value": value, "enabled": str(number) in ticked}
        for number, (key, value) in enumerate(pairs)
        if key.strip() or value.strip()
    ]


def auth_of(form: QueryDict, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    mode = form.get("auth_mode", "inherit")
    if stored and mode == "kept":
        return dict(stored)
    made: dict[str, Any] = {"mode": mode}
    before = stored if stored and mode_of(stored) == mode else {}
    for name in AUTH_FIELDS.get(mode, ()):
        value = form.get(f"auth_{mode}_{name}", "")
        made[name] = before.get(name, "") if name in SECRET_FIELDS and not value else value
    return made


def mode_of(auth: Mapping[str, Any] | None) -> str:
    mode = str((auth or {}).get("mode") or (auth or {}).get("type") or "")
    return AUTH_ALIASES.get(mode, mode)


def shown(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What the form's template reads."""
    body = definition.get("body")
    body = body if isinstance(body, Mapping) else {"mode": definition.get("bodyType") or "none", "content": body or ""}
    mode = str(body.get("mode") or body.get("type") or "none")
    content = body.get("content", "")
    fields = body.get("fields") or (content if mode in (*FIELD_MODES, *BODY_ALIASES) else None)
    return {
        **{name: definition.get(name) or "" for name in ("id", "name", "description", "url", "collectionId")},
        "method": definition.get("method") or "GET",
        "params": table(definition.get("params")),
        "headers": table(definition.get("headers")),
        "body_mode": BODY_ALIASES.get(mode, mode),
        "body_text": body_text(mode, body),
        "fields": table(fields if not isinstance(fields, str) else dict(parse_qsl(fields, keep_blank_values=True))),
        "auth": shown_auth(definition.get("auth")),
        "pre_script": definition.get("preRequestScript") or "",
        "post_script": definition.get("postRequestScript") or "",
        "timeout": definition.get("timeout") or "",
        "follow_redirects": definition.get("followRedirects", True) is not False,
        "verify_ssl": definition.get("verifySSL", True) is not False,
    }


def body_text(mode: str, body: Mapping[str, Any]) -> str:
    """The body as it can be typed."""
    content = body.get("content", "")
    if mode == "binary":
        return body.get("contentBase64") or b64encode(str(content).encode()).decode()
    return content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False)


def table(rows: Any) -> list[dict[str, Any]]:
    """Rows of either shape as `{key, value, enabled}`, with blank ones to type into."""
    if isinstance(rows, Mapping):
        rows = [{"key": key, "value": value} for key, value in rows.items()]
    found = [
        {"key": row.get("key", ""), "value": row.get("value", ""), "enabled": row.get("enabled", True) is not False}
        for row in rows or []
    ]
    return [*found, *({"key": "", "value": "", "enabled": True} for _ in range(BLANK_ROWS))]


def shown_auth(auth: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of each way to authenticate; `kept` names the secrets that are stored and not shown."""
    mode = mode_of(auth)
    ways = {}
    for way, names in AUTH_FIELDS.items():
        held = auth if auth and way == mode else {}
        ways[way] = {
            name: {
                "value": "" if name in SECRET_FIELDS and "{{" not in str(held.get(name, "")) else held.get(name, ""),
                "kept": bool(name in SECRET_FIELDS and held.get(name) and "{{" not in str(held[name])),
            }
            for name in names
        }
    return {"mode": mode, "other": mode not in AUTH_MODES, **ways}
