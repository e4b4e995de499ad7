"""What a request is put together from (contract: load testing §6-8)."""

from collections.abc import Mapping
from typing import Any

from loadtest.composing.auth import nearest
from loadtest.composing.variables import Scopes
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from loadtest.workspace.tree import parents, upwards


def chain(collection_id: str | None) -> list[Collection]:
    """The collection, its parent, … the root; empty for an unknown one."""
    ids = upwards(collection_id, parents()) if collection_id else []
    rows = Collection.objects.in_bulk(ids)
    return [rows[found] for found in ids if found in rows]


def chain_of(request_id: str | None) -> list[Collection]:
    """The collections that a request lies in, nearest first; empty for an unknown one."""
    if not request_id:
        return []
    return chain(SavedRequest.objects.filter(pk=request_id).values_list("collection_id", flat=True).first())


def scopes_for(request_id: str | None, environment_id: str | None) -> Scopes:
    """The variables that a request sees; an unknown request or environment has none."""
    environment = Environment.objects.filter(pk=environment_id).first() if environment_id else None
    shared = Globals.objects.first()
    return Scopes(
        environment=environment.variables if environment else {},
        collections=tuple(collection.variables for collection in chain_of(request_id)),
        globals=shared.variables if shared else {},
    )


def inherited_auth(request_id: str | None) -> Mapping[str, Any] | None:
    """The auth that a request gets from its collections; None when none of them sets any."""
    return nearest([collection.auth for collection in chain_of(request_id)])
