"""Environments and the globals (contract: load testing §6)."""

from typing import Any

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import NotFound
from loadtest.bodies import unix_ms
from loadtest.workspace import values
from loadtest.workspace.masking import checked_variables, masked_variables
from loadtest.workspace.models import Environment, Globals
from loadtest.workspace.opening import refuse_unusable
from loadtest.workspace.saving import Body, Field, apply, audit, plain, required, saved, text
from security.audit.services import record

FIELDS = (
    Field("name", "name", plain(values.name)),
    text("description", "description"),
    Field("isActive", "is_active", plain(lambda value: values.boolean("isActive", value)), False),
    Field("variables", "variables", checked_variables, {}),
)


def save_environment(*, body: Body, actor: Principal) -> Environment:
    """Create or update an environment; `variables` replace the whole map. Raises Invalid."""

    def write(row: Environment, creating: bool) -> list[str]:
        if creating:
            required(body, "name")
        return apply(row, body, FIELDS)

    return saved(Environment, "env", body, write, actor)


@transaction.atomic
def delete_environment(*, key: str, actor: Principal) -> None:
    """Remove an environment. Raises NotFound."""
    row = Environment.objects.select_for_update().filter(pk=key).first()
    if row is None:
        raise NotFound("Environment not found")
    Environment.objects.filter(pk=key).delete()
    audit(row, "DELETE", actor)


def locked_globals() -> Globals:
    """The one row, made if there is none, held until the transaction ends."""
    Globals.objects.get_or_create(pk=Globals.ID)
    return Globals.objects.select_for_update().get(pk=Globals.ID)


@transaction.atomic
def save_globals(*, body: Body, actor: Principal) -> Globals:
    """Replace the globals' variables; absent means none. Raises Invalid."""
    values.storable(body)
    row = locked_globals()
    refuse_unusable(row, body, actor)
    given = body.get("variables")
    row.variables = checked_variables({} if given is None else given, row.variables)
    row.save()
    record(actor=actor, action="UPDATE", resource="load_globals", resource_id=row.pk, changed=["variables"])
    return row


def shown(row: Environment, *, clear: bool) -> dict[str, Any]:
    """The environment as JSON; secrets only if `clear`."""
    variables = row.variables
    return {
        "id": row.pk,
        "name": row.name,
        "description": row.description,
        "isActive": row.is_active,
        "variables": variables if clear else masked_variables(variables),
        "createdAt": unix_ms(row.created_at),
        "updatedAt": unix_ms(row.updated_at),
    }


def shown_globals(row: Globals | None, *, clear: bool) -> dict[str, Any]:
    """The globals as JSON; before the first write they are empty and were never updated."""
    variables = row.variables if row else {}
    return {
        "id": Globals.ID,
        "variables": variables if clear else masked_variables(variables),
        "updatedAt": unix_ms(row.updated_at if row else None),
    }
