"""Importing, fetching what to import, and copying out (contract: load testing §1.2, §16.1)."""

from collections.abc import Mapping
from typing import Any

from config import outbound
from config.api.errors import BadGateway, Invalid, NotFound
from loadtest.exchange.curl import as_curl
from loadtest.exchange.reading import parse
from loadtest.exchange.tree import Json
from loadtest.workspace import queries, requests
from loadtest.workspace.models import SavedRequest

MAX_BYTES = 4 << 20
FETCH_TIMEOUT_S = 20.0


def tree_of(body: Mapping[str, Any]) -> Json:
    """The tree of `{content, importEnvironments, importScripts, sourceUrl}`. Raises Invalid."""
    content = body.get("content")
    if not isinstance(content, str):
        raise Invalid("Missing required field: content")
    flags = {}
    for name in ("importEnvironments", "importScripts"):
        given = body.get(name)
        if not isinstance(given, bool | None):
            raise Invalid(f"'{name}' must be true or false")
        flags[name] = given is not False
    source_url = body.get("sourceUrl")
    if not isinstance(source_url, str | None):
        raise Invalid("'sourceUrl' must be text")
    tree = parse(content, scripts=flags["importScripts"], source_url=source_url or "")
    return tree.as_json(environments=flags["importEnvironments"])


def fetch(*, url: Any, max_bytes: Any = None) -> dict[str, str]:
    """The text at an address: `{"content", "contentType"}`. Raises Invalid for a bad address, BadGateway."""
    if not isinstance(url, str):
        raise Invalid("Invalid URL")
    if max_bytes is not None and (not isinstance(max_bytes, int) or isinstance(max_bytes, bool) or max_bytes < 1):
        raise Invalid("'maxBytes' must be a positive integer")
    most = min(max_bytes or MAX_BYTES, MAX_BYTES)
    try:
        reply = outbound.request("GET", url, timeout_s=FETCH_TIMEOUT_S, max_bytes=most, follow_redirects=True)
    except outbound.BadUrl:
        raise Invalid("Invalid URL") from None
    except outbound.OutboundError as fault:
        raise BadGateway(f"Failed to fetch: {fault}") from None
    if not 200 <= reply.status < 300:
        raise BadGateway(f"Failed to fetch: the server answered with status {reply.status}")
    kind = reply.headers.get("content-type", "")
    return {"content": _decoded(reply.body, kind), "contentType": kind}


def _decoded(data: bytes, content_type: str) -> str:
    charset = content_type.lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    encoding = charset if charset in ("utf-8", "iso-8859-1", "latin-1", "us-ascii", "windows-1252") else "utf-8"
    return data.decode(encoding, errors="replace").replace("\0", "\ufffd")


def command_of(request_id: str, *, environment_id: str | None = None, secrets: bool = False) -> str:
    """A saved request as a curl command. Raises NotFound, ComposeError."""
    row = SavedRequest.objects.filter(pk=request_id).first()
    if row is None:
        raise NotFound("Request not found")
    definition = requests.shown(row, clear=True)
    return command_for(definition | {"requestId": row.pk, "environmentId": environment_id}, secrets=secrets)


def command_for(body: Mapping[str, Any], *, secrets: bool = False) -> str:
    """A body of POST /request as a curl command, its variables filled in. Raises ComposeError."""
    request_id, environment_id = body.get("requestId"), body.get("environmentId")
    scopes = queries.scopes_for(request_id, environment_id)
    return as_curl(body, scopes, queries.inherited_auth(request_id), secrets=secrets)
