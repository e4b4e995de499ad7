"""Making, changing and deleting collections (contract: load testing §4)."""

from typing import Any

from django.db.models import Max

from config.api.authentication import Principal
from config.api.errors import Invalid, NotFound
from loadtest.bodies import unix_ms
from loadtest.composing.auth import mode_of
from loadtest.workspace import values
from loadtest.workspace.masking import checked_auth, checked_variables, masked_auth, masked_variables
from loadtest.workspace.models import Collection, SavedRequest
from loadtest.workspace.saving import Body, Field, Kept, apply, audit, plain, repeated, required, saved, text
from loadtest.workspace.tree import downwards, parents

NO_AUTH = {"mode": "none"}
AT_ONCE = 500


def _own_auth(value: Any, stored: Any) -> dict[str, Any]:
    """A collection's auth is never inherited: to say so means to set none."""
    auth = checked_auth(value, stored)
    return {} if mode_of(auth) in ("", "none", "inherit") else auth


FIELDS = (
    Field("name", "name", plain(values.name)),
    text("description", "description"),
    Field(
        "order", "order", plain(lambda value: values.integer("order", value, -values.MAX_ORDER, values.MAX_ORDER)), Kept
    ),
    Field("variables", "variables", checked_variables, {}),
    Field("auth", "auth", _own_auth, {}),
    text("preRequestScript", "pre_request_script"),
    text("postRequestScript", "post_request_script"),
)


def save_collection(*, body: Body, actor: Principal) -> Collection:
    """Create or update a collection. Raises Invalid; nothing is written then."""

    moved = "parentId" in body

    def write(row: Collection, creating: bool) -> list[str]:
        if creating:
            required(body, "name")
        if moved:
            row.parent_id = _parent(row.pk, body["parentId"], creating=creating)
        changed = apply(row, body, FIELDS)
        if creating and body.get("order") is None:
            row.order = next_order(row.parent_id)
        return [*changed, "parentId"] if moved else changed

    def whole_tree() -> None:
        """Two moves at once could make a loop. All take the same rows in the same order, so none waits in a circle."""
        if moved and "id" in body:
            parents(lock=True)

    return saved(Collection, "col", body, write, actor, first=whole_tree)


def _parent(key: str, value: Any, *, creating: bool) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid("'parentId' must be text or null")
    if value == key:
        raise Invalid("'parentId' must not be the collection itself")
    known = parents()
    if value not in known:
        raise Invalid(f"'parentId' names no collection: {value[:128]}")
    if not creating and value in downwards(key, known):
        raise Invalid("'parentId' must not lie below the collection itself")
    return value


def next_order(parent_id: str | None) -> int:
    """Where a new collection comes among its siblings: behind all of them."""
    last = Collection.objects.filter(parent=parent_id).aggregate(last=Max("order"))["last"]
    return 0 if last is None else min(last + 1, values.MAX_ORDER)


def delete_collection(*, key: str, actor: Principal) -> None:
    """Remove a collection with everything below it. Runs keep the ids of their requests. Raises NotFound."""

    def act() -> Collection:
        known = parents(lock=True)
        row = Collection.objects.filter(pk=key).first() if key in known else None
        if row is None:
            raise NotFound("Collection not found")
        below = downwards(key, known)
        requests = 0
        for start in range(0, len(below), AT_ONCE):
            some = below[::-1][start : start + AT_ONCE]
            requests += SavedRequest.objects.filter(collection__in=some).delete()[0]
            Collection.objects.filter(pk__in=some).delete()
        audit(row, "DELETE", actor, collections=len(below), requests=requests)
        return row

    repeated(act)


def shown(row: Collection, *, clear: bool) -> dict[str, Any]:
    """The collection as JSON; secrets only if `clear`."""
    variables, auth = row.variables, row.auth or NO_AUTH
    return {
        "id": row.pk,
        "name": row.name,
        "description": row.description,
        "parentId": row.parent_id,
        "order": row.order,
        "variables": variables if clear else masked_variables(variables),
        "auth": auth if clear else masked_auth(auth),
        "preRequestScript": row.pre_request_script,
        "postRequestScript": row.post_request_script,
        "createdAt": unix_ms(row.created_at),
        "updatedAt": unix_ms(row.updated_at),
    }
