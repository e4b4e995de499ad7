"""Create or update, as every kind of saved thing does it (contract: load testing §4)."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction

from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid
from loadtest.ids import new_id
from loadtest.workspace import values
from loadtest.workspace.models import Collection, Environment, SavedRequest
from loadtest.workspace.opening import refuse_unusable
from security.audit.services import record

Row = TypeVar("Row", Collection, SavedRequest, Environment)
Result = TypeVar("Result")
Body = Mapping[str, Any]
TRIES = 8


class Required:
    """A field that null does not reset."""


class Kept:
    """A field for which null says nothing, as if it were absent."""


@dataclass(frozen=True)
class Field:
    """One member of a body: `check(value, stored)` returns what is stored, null stores `default`."""

    wire: str
    column: str
    check: Callable[[Any, Any], Any]
    default: Any = Required


def plain(check: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A check that does not look at what is stored."""
    return lambda value, stored: check(value)


def text(wire: str, column: str) -> Field:
    return Field(wire, column, plain(lambda value: values.text(wire, value)), "")


def required(body: Body, *names: str) -> None:
    """Raise Invalid for the first of the names that the body gives no text for."""
    for name in names:
        given = body.get(name)
        if not isinstance(given, str) or not given.strip():
            raise Invalid(f"Missing required field: {name}")


def apply(row: models.Model, body: Body, fields: tuple[Field, ...]) -> list[str]:
    """Set what the body names; returns those names. Absent members keep their values. Raises Invalid."""
    named = [field for field in fields if field.wire in body]
    named = [field for field in named if field.default is not Kept or body[field.wire] is not None]
    for field in named:
        value = body[field.wire]
        reset = value is None and field.default is not Required
        fresh = copy(field.default) if reset else field.check(value, getattr(row, field.column))
        setattr(row, field.column, fresh)
    return [field.wire for field in named]


def repeated(act: Callable[[], Result]) -> Result:
    """Do something in a transaction; once more when somebody else took the id or removed what it leans on."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return act()
        except IntegrityError:
            continue
    raise Conflict("Others are changing the same objects. Try again.")


def saved(
    model: type[Row],
    prefix: str,
    body: Body,
    write: Callable[[Row, bool], list[str]],
    actor: Principal,
    first: Callable[[], None] = lambda: None,
) -> Row:
    """The row of `body["id"]`, made if there is none, after `write(row, creating)` has set its fields.

    `write` returns the names of what it set, for the audit log; `first` is called before the row is locked. Raises
    Invalid, Conflict.
    """
    values.storable(body)
    given = values.identifier(body["id"]) if body.get("id") is not None else None

    def act() -> Row:
        first()
        row = model.objects.select_for_update().filter(pk=given).first() if given else None
        creating = row is None
        row = row or model(pk=given or new_id(prefix))
        refuse_unusable(row, body, actor)
        changed = write(row, creating)
        row.save(force_insert=creating)
        audit(row, "CREATE" if creating else "UPDATE", actor, changed=changed)
        return row

    return repeated(act)


def audit(row: Row, action: str, actor: Principal | None, **facts: Any) -> None:
    """Note who wrote what: names only, since any value may be a secret."""
    kind = {Collection: "load_collection", SavedRequest: "load_request", Environment: "load_environment"}[type(row)]
    record(actor=actor, action=action, resource=kind, resource_id=row.pk, name=row.name, **facts)
