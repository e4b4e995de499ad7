"""What a script changed, kept (contract: load testing §9.1, §15.2)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from loadtest.workspace.environments import locked_globals
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from security.audit.services import record

Changes = Mapping[str, str | None]


@transaction.atomic
def write_back(
    *,
    actor: Principal | None,
    request_id: str | None = None,
    environment_id: str | None = None,
    environment: Changes | None = None,
    collection: Changes | None = None,
    globals: Changes | None = None,
) -> None:
    """Persist the variables that a script changed: a text sets the value, None removes the variable.

    Only the named variables are touched, in the rows of this moment, so that what others write meanwhile is kept. A
    scope that does not exist (no environment, unknown request) is left out.
    """
    if environment and environment_id:
        _merge(Environment.objects.select_for_update().filter(pk=environment_id).first(), environment, actor)
    if collection and request_id:
        saved = SavedRequest.objects.filter(pk=request_id).values("collection_id")
        _merge(Collection.objects.select_for_update().filter(pk__in=saved).first(), collection, actor)
    if globals:
        _merge(locked_globals(), globals, actor)


def _merge(row: Collection | Environment | Globals | None, changes: Changes, actor: Principal | None) -> None:
    if row is None:
        return
    row.variables = merged(row.variables, changes)
    row.save(update_fields=["sealed_variables", "updated_at"])
    kind = f"load_{type(row).__name__.lower()}"
    record(actor=actor, action="UPDATE", resource=kind, resource_id=row.pk, variables=sorted(changes), by="script")


def merged(variables: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The variables after a script: flags are kept, what is new is enabled and not secret."""
    found = dict(variables)
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = {"enabled": True, "secret": False} | found.get(name, {}) | {"value": value}
    return found
