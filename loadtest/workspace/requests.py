"""Making, changing and deleting saved requests (contract: load testing §5)."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max

from config.api.authentication import Principal
from config.api.errors import Invalid, NotFound
from loadtest.bodies import unix_ms
from loadtest.composing.bodies import type_of
from loadtest.workspace import values
from loadtest.workspace.masking import checked_auth, masked_auth
from loadtest.workspace.models import Collection, SavedRequest
from loadtest.workspace.saving import Body, Field, Kept, apply, audit, plain, required, saved, text

MAX_TIMEOUT_MS = 86_400_000
MAX_REDIRECTS = 100


def _integer(wire: str, column: str, low: int, high: int, **default: Any) -> Field:
    return Field(wire, column, plain(lambda value: values.integer(wire, value, low, high)), **default)


def _boolean(wire: str, column: str) -> Field:
    return Field(wire, column, plain(lambda value: values.boolean(wire, value)), None)


FIELDS = (
    Field("name", "name", plain(values.name)),
    Field("method", "method", plain(values.method)),
    Field("url", "url", plain(values.url)),
    Field("params", "params", plain(lambda value: values.pairs("params", value)), {}),
    Field("headers", "headers", plain(lambda value: values.pairs("headers", value)), {}),
    Field("body", "body", plain(values.body), ""),
    Field("bodyType", "body_type", plain(values.body_type), "none"),
    Field("auth", "auth", checked_auth, {}),
    text("preRequestScript", "pre_request_script"),
    text("postRequestScript", "post_request_script"),
    text("description", "description"),
    _integer("order", "order", -values.MAX_ORDER, values.MAX_ORDER, default=Kept),
    _boolean("followRedirects", "follow_redirects"),
    _integer("maxRedirects", "max_redirects", 0, MAX_REDIRECTS, default=None),
    _boolean("verifySSL", "verify_ssl"),
    _integer("timeout", "timeout_ms", 1, MAX_TIMEOUT_MS, default=None),
)


def save_request(*, body: Body, actor: Principal) -> SavedRequest:
    """Create or update a saved request. Raises Invalid; nothing is written then."""

    def write(row: SavedRequest, creating: bool) -> list[str]:
        if creating:
            required(body, "collectionId", "name", "method", "url")
        moved = "collectionId" in body
        if moved:
            row.collection_id = _collection(body["collectionId"])
        changed = fill(row, body)
        if creating and body.get("order") is None:
            row.order = next_order(row.collection_id)
        return [*changed, "collectionId"] if moved else changed

    return saved(SavedRequest, "req", body, write, actor)


def _collection(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("'collectionId' must be text")
    if not Collection.objects.filter(pk=value).exists():
        raise Invalid(f"'collectionId' names no collection: {value[:128]}")
    return value


def fill(row: SavedRequest, body: Body) -> list[str]:
    """Set what the body names; an object as body says itself of which type it is. Raises Invalid."""
    changed = apply(row, body, FIELDS)
    if isinstance(row.body, Mapping):
        row.body_type = type_of(row.body)
    return changed


def next_order(collection_id: str) -> int:
    """Where a new request comes in its collection: behind all others."""
    last = SavedRequest.objects.filter(collection=collection_id).aggregate(last=Max("order"))["last"]
    return 0 if last is None else min(last + 1, values.MAX_ORDER)


@transaction.atomic
def delete_request(*, key: str, actor: Principal) -> None:
    """Remove a saved request. Raises NotFound."""
    row = SavedRequest.objects.select_for_update().filter(pk=key).first()
    if row is None:
        raise NotFound("Request not found")
    SavedRequest.objects.filter(pk=key).delete()
    audit(row, "DELETE", actor)


def listed(row: SavedRequest, *, clear: bool, largest: int) -> dict[str, Any]:
    """The request as lists show it: what is larger than `largest` characters of JSON reads as empty."""
    made = shown(row, clear=clear)
    for name in ("params", "headers", "body"):
        if len(json.dumps(made[name], ensure_ascii=False)) > largest:
            made[name] = type(made[name])()
    return made


def shown(row: SavedRequest, *, clear: bool) -> dict[str, Any]:
    """The request as JSON; secrets only if `clear`. Options appear where they are set."""
    options = {
        "followRedirects": row.follow_redirects,
        "maxRedirects": row.max_redirects,
        "verifySSL": row.verify_ssl,
        "timeout": row.timeout_ms,
    }
    auth = row.auth
    return {
        "id": row.pk,
        "collectionId": row.collection_id,
        "name": row.name,
        "description": row.description,
        "method": row.method,
        "url": row.url,
        "params": row.params,
        "headers": row.headers,
        "body": row.body,
        "bodyType": row.body_type,
        "auth": auth if clear else masked_auth(auth),
        "preRequestScript": row.pre_request_script,
        "postRequestScript": row.post_request_script,
        "order": row.order,
        "createdAt": unix_ms(row.created_at),
        "updatedAt": unix_ms(row.updated_at),
        **{name: value for name, value in options.items() if value is not None},
    }
