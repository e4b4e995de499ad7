"""Bodies as they go on the wire (contract: load testing §8.2). Pure."""

import json
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from loadtest.composing.errors import ComposeError
from loadtest.composing.rows import plain, rows, switched_on

ALIASES = {
    "formdata": "form-data",
    "multipart": "form-data",
    "form": "x-www-form-urlencoded",
    "urlencoded": "x-www-form-urlencoded",
    "raw": "text",
}
TYPES = ("none", "json", "text", "form-data", "x-www-form-urlencoded", "graphql", "xml", "binary")


@dataclass(frozen=True)
class Text:
    """How texts are substituted: `raw` as they are, `encoded` where the result is percent-encoded afterwards."""

    raw: Callable[[str], str]
    encoded: Callable[[str], str]


@dataclass(frozen=True)
class Body:
    """`content_type` is sent when the caller gave none, or always if `ours`."""

    data: bytes = b""
    content_type: str = ""
    ours: bool = False


def type_of(body: Any, body_type: Any = None) -> str:
    """The type of a body in its usual spelling. Raises ComposeError for an unknown one.

    An object names its own type under `type` or `mode`, an empty one is no body; a text has that of `body_type`, else
    it is plain text.
    """
    if isinstance(body, Mapping):
        named = (body.get("type") or body.get("mode")) if body else "none"
        if named is None:
            raise ComposeError("'body' must name its 'type' or 'mode'")
    else:
        named = body_type or ("text" if body else "none")
    kind = ALIASES.get(named, named) if isinstance(named, str) else named
    if kind not in TYPES:
        raise ComposeError(f"Unknown body type '{named}'")
    return kind


def encode(body: Any, body_type: Any, text: Text) -> Body:
    """The bytes of a body. Raises ComposeError for a content that does not fit its type."""
    if not isinstance(body, str | Mapping | None):
        raise ComposeError("'body' must be text or an object")
    kind = type_of(body, body_type)
    given = body if isinstance(body, Mapping) else {"content": body or ""}
    match kind:
        case "none":
            return Body()
        case "form-data":
            return _multipart(given, text)
        case "x-www-form-urlencoded":
            return Body(_form(given, text), "application/x-www-form-urlencoded")
        case "binary":
            return Body(_binary(given, text), "application/octet-stream")
        case "json":
            return _texted(_json(given.get("content"), text), "application/json")
        case "graphql":
            return _texted(_graphql(given, text), "application/json")
        case "xml":
            return _texted(text.raw(plain(given.get("content"), "body.content")), "application/xml")
        case _:
            return _texted(text.raw(plain(given.get("content"), "body.content")), "text/plain; charset=utf-8")


def _texted(content: str, content_type: str) -> Body:
    return Body(content.encode(errors="replace"), content_type) if content else Body()


def _json(content: Any, text: Text) -> str:
    """A text as it is, an object or array compactly, its texts substituted before they are escaped."""
    if content is None:
        return ""
    if isinstance(content, str):
        return text.raw(content)
    return json.dumps(substituted(content, text.raw), separators=(",", ":"), ensure_ascii=False)


def substituted(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with every text in it changed, names included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(key)): substituted(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, change) for inner in value]
    return value


def _graphql(given: Mapping[str, Any], text: Text) -> str:
    content = given.get("content", {key: given[key] for key in ("query", "variables", "operationName") if key in given})
    if isinstance(content, str):
        document = content.strip()
        if not document:
            return ""
        if document.startswith("{") and '"query"' in document:  # the whole message; a document never quotes a name
            return text.raw(content)
        content = {"query": content}
    return _json(content or None, text)


def _form(given: Mapping[str, Any], text: Text) -> bytes:
    content = given.get("fields", given.get("content"))
    if isinstance(content, str):
        return text.encoded(content).encode(errors="replace")
    pairs = [(text.encoded(key), text.encoded(plain(value, f"body.{key}"))) for key, value in rows(content, "body")]
    return "&".join(f"{percent(key)}={percent(value)}" for key, value in pairs).encode()


def percent(text: str) -> str:
    """The text percent-encoded as a whole; half characters become question marks."""
    return quote(text, safe="", errors="replace")


def _binary(given: Mapping[str, Any], text: Text) -> bytes:
    if (encoded := given.get("contentBase64")) is not None:
        return from_base64(encoded, "body.contentBase64")
    return text.raw(plain(given.get("content"), "body.content")).encode(errors="replace")


def from_base64(value: Any, what: str) -> bytes:
    """The bytes of a base64 text. Raises ComposeError."""
    try:
        return b64decode(value, validate=True)
    except (ValueError, TypeError):
        raise ComposeError(f"'{what}' must be base64") from None


def _multipart(given: Mapping[str, Any], text: Text) -> Body:
    boundary = f"pharos-{secrets.token_hex(16)}"  # long enough never to occur in what it separates
    pieces = []
    for key, row in switched_on(given.get("fields", given.get("content")), "body"):
        data, extra = _part(key, row, text)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(text.raw(key))}"{extra}\r\n\r\n'
        pieces.append(head.encode(errors="replace") + data + b"\r\n")
    data = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    return Body(data, f"multipart/form-data; boundary={boundary}", ours=True)


def _part(key: str, row: Mapping[str, Any], text: Text) -> tuple[bytes, str]:
    """The content of one part, and what its head says beside the name."""
    if row.get("type") != "file":
        return text.raw(plain(row.get("value"), f"body.{key}")).encode(errors="replace"), ""
    if row.get("contentBase64") is None:
        raise ComposeError(f"'body.{key}' is a file: give its content in base64 as 'contentBase64'")
    name = _quoted(text.raw(plain(row.get("fileName"), f"body.{key}.fileName") or "file"))
    kind = plain(row.get("contentType"), f"body.{key}.contentType") or "application/octet-stream"
    if "\r" in kind or "\n" in kind:
        raise ComposeError(f"'body.{key}.contentType' contains a line break")
    return from_base64(
        row["contentBase64"], f"body.{key}.contentBase64"
    ), f'; filename="{name}"\r\nContent-Type: {kind}'


def _quoted(name: str) -> str:
    """A name as forms write it: what would end it is percent-encoded (HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
