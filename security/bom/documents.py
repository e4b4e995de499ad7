"""Bills of material that people hand in and take away: lists of packages, CycloneDX documents (§22)."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import Invalid
from config.api.permissions import OPERATOR, raised_door, require
from config.version import VERSION
from fleet.instances.models import Instance
from security.audit.services import record
from security.bom import queries, services
from security.bom.cyclonedx import children
from security.bom.cyclonedx.reading import VERSIONS
from security.bom.cyclonedx.writing import Order
from security.bom.models import Source, VexStatement
from security.bom.packages import Package
from security.bom.services import Change

NEWEST = VERSIONS[-1]


class Imported(NamedTuple):
    """What an import did. None: the document does not speak of it."""

    packages: Change | None
    statements: int | None
    notes: list[str]


def put(
    *, instance: Instance, packages: Sequence[Package], actor: Principal | None, now: datetime, request: Any = None
) -> Change:
    """Take these packages for what a person says is installed. Raises Forbidden, Invalid."""
    _permit(actor, instance)

    def note(change: Change) -> None:
        _record(instance, actor, request, form="packages", packages=change._asdict())

    return _replace(instance, packages, (), actor, now, note)


def take(
    *, instance: Instance, document: bytes, actor: Principal | None, now: datetime, request: Any = None
) -> Imported:
    """Take over a CycloneDX document: its components replace what people said before, its VEX statements likewise.

    What the document does not speak of stays as it is. Raises Forbidden, TooLarge, Invalid, Unavailable.
    """
    _permit(actor, instance)
    contents = children.read(document)
    if contents.packages is None and contents.statements is None:
        raise Invalid("The document has neither components nor vulnerabilities")
    statements = None if contents.statements is None else len(contents.statements)

    def note(change: Change | None) -> None:
        if contents.statements is not None and _state(instance, contents.statements, actor, now):
            services.tell_changed(instance.pk)
        facts = {"packages": change and change._asdict(), "statements": statements}
        _record(instance, actor, request, form="CycloneDX", **facts)

    change = None
    if contents.packages is None:
        with transaction.atomic():
            note(None)
    else:
        packages = [Package(*row) for row in contents.packages]  # type: ignore[arg-type]
        change = _replace(instance, packages, contents.notes, actor, now, note)
    return Imported(change, statements, contents.notes)


def told(done: Imported) -> list[str]:
    """What an import did, in words."""
    lines = []
    if done.packages:
        added, removed, total = done.packages
        lines.append(f"Packages: {total:,}, new: {added:,}, gone: {removed:,}.")
    if done.statements is not None:
        lines.append(f"Statements about vulnerabilities: {done.statements:,}.")
    return lines


def order(*, instance: Instance, version: str = NEWEST, now: datetime) -> Order:
    """What `children.write` makes a document of. Raises Invalid for a version that is not written."""
    if version not in VERSIONS:
        sentence = f"version must be one of {', '.join(VERSIONS)}"
        raise Invalid(sentence, details={"version": [sentence]})
    columns = ("name", "version", "ecosystem", "license", "source_name", "source_version")
    packages = [list(row) for row in queries.components(instance).values_list(*columns)]
    said = VexStatement.objects.filter(instance=instance).order_by("vulnerability", "ecosystem", "package", "pk")
    statements = [list(row) for row in said.values_list(*STATED)]
    seals = [one.digest for one in sorted(queries.inventories(instance), key=lambda one: one.source)]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, "/".join([instance.pk, *seals, repr(statements)]))
    return Order(
        version=version, serial=str(serial), instance_id=instance.pk, instance_name=instance.name,
        product_version=VERSION, at=now, packages=packages, statements=statements,
    )  # fmt: skip


STATED = ("vulnerability", "ecosystem", "package", "state", "justification", "detail")


def _state(instance: Instance, rows: list[list[str]], actor: Principal | None, now: datetime) -> bool:
    """Keep these statements instead of the earlier ones; whether that changed anything. Raises Invalid."""
    mine = VexStatement.objects.filter(instance=instance)
    wanted = {tuple(row) for row in rows}
    if any("\x00" in text for row in wanted for text in row) or any(len(row[2]) > 256 for row in wanted):
        raise Invalid("A statement about a vulnerability holds a text that cannot be stored")
    had = set(mine.values_list(*STATED))
    if wanted == had:
        return False
    mine.delete()
    author = actor.user if actor else None
    new = [
        VexStatement(instance=instance, imported_at=now, imported_by=author, **dict(zip(STATED, row, strict=True)))
        for row in sorted(wanted)
    ]
    VexStatement.objects.bulk_create(new, batch_size=1000)
    return True


def _permit(actor: Principal | None, instance: Instance) -> None:
    """The command line has no actor, and may do all."""
    if actor is not None:
        require(actor, raised_door(OPERATOR), team_id=instance.team_id)


def _replace(
    instance: Instance,
    packages: Sequence[Package],
    notes: Sequence[str],
    actor: Principal | None,
    now: datetime,
    within: Callable[[Change], None],
) -> Change:
    name = actor.user.email if actor and actor.user else "the command line"
    return services.replace(
        instance=instance,
        source=Source.UPLOAD,
        packages=packages,
        notes=notes,
        received_from=name,
        now=now,
        within=within,
    )


def _record(instance: Instance, actor: Principal | None, request: Any, **facts: Any) -> None:
    record(
        actor=actor, action="UPDATE", resource="bom", resource_id=instance.pk, request=request,
        team_id=instance.team_id, instance=instance.name, **facts,
    )  # fmt: skip
