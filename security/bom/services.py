"""Keeping the list of what is installed on an instance (contract: fleet console §22, §31.5)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import IntegrityError, transaction

from fleet.instances.models import Instance
from security.bom.models import Component, Installed, Inventory
from security.bom.packages import Key, Package, checked, digest

CHUNK = 2000
MOST_NOTES, LONGEST_NOTE = 50, 500

Listener = Callable[[str], None]
_listeners: list[Listener] = []


class Change(NamedTuple):
    """How a list changed: packages that came, that went, and how many there are now."""

    added: int
    removed: int
    total: int


def on_change(listener: Listener) -> None:
    """Call `listener(instance_id)` after the commit of each list that really changed."""
    if listener not in _listeners:
        _listeners.append(listener)


def replace(
    *,
    instance: Instance,
    source: str,
    packages: Sequence[Package],
    notes: Sequence[str] = (),
    received_from: str = "",
    now: datetime,
    within: Callable[[Change], None] | None = None,
) -> Change:
    """Take these packages for all that `source` knows of the instance; what is gone from the list leaves it.

    A list that is the same as before writes one row. `within` is called in the same transaction. Raises Invalid, with
    nothing stored then.
    """
    found = checked(packages)
    told = {
        "received_at": now,
        "received_from": received_from[:254],
        "notes": [note.replace("\x00", "")[:LONGEST_NOTE] for note in notes[:MOST_NOTES]],
    }
    try:
        return _replaced(instance.pk, source, found, told, within)
    except IntegrityError:  # a component that no instance had was tidied away meanwhile
        return _replaced(instance.pk, source, found, told, within)


def tell_changed(instance_id: str) -> None:
    """Call the listeners after the commit."""
    for listener in _listeners:
        transaction.on_commit(partial(listener, instance_id), robust=True)


@transaction.atomic
def _replaced(
    instance_id: str, source: str, found: dict[Key, Package], told: dict, within: Callable[[Change], None] | None
) -> Change:
    change = _stored(instance_id, source, found, told)
    if within:
        within(change)
    return change


def _stored(instance_id: str, source: str, found: dict[Key, Package], told: dict) -> Change:
    seal = digest(found.values())
    inventory, _ = Inventory.objects.get_or_create(instance_id=instance_id, source=source, defaults=told)
    inventory = Inventory.objects.select_for_update().get(pk=inventory.pk)
    same = inventory.digest == seal
    Inventory.objects.filter(pk=inventory.pk).update(digest=seal, packages=len(found), **told)
    if same:
        return Change(0, 0, len(found))
    wanted = set(_components(found).values())
    mine = Installed.objects.filter(instance_id=instance_id, source=source)
    had = set(mine.values_list("component_id", flat=True))
    gone, come = sorted(had - wanted), sorted(wanted - had)
    for begin in range(0, len(gone), CHUNK):
        mine.filter(component_id__in=gone[begin : begin + CHUNK]).delete()
    rows = [Installed(instance_id=instance_id, component_id=pk, source=source) for pk in come]
    Installed.objects.bulk_create(rows, batch_size=CHUNK)
    if gone or come:
        tell_changed(instance_id)
    return Change(len(come), len(gone), len(found))


def _components(found: dict[Key, Package]) -> dict[Key, int]:
    """The ids of the components, made where they are new; facts that were unknown are filled in."""
    known = _known(found)
    # Always in the same order, so that two lists that meet wait for each other and never cross.
    new = [Component(**_columns(found[key])) for key in sorted(found.keys() - known.keys())]
    if new:
        Component.objects.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)
        known = _known(found)
    filled = []
    for component in sorted(known.values(), key=lambda one: one.pk):
        package = found[(component.ecosystem, component.name, component.version)]
        facts = {name: getattr(package, name) for name in ("license", "source_name", "source_version")}
        if fresh := {name: value for name, value in facts.items() if value and not getattr(component, name)}:
            for name, value in fresh.items():
                setattr(component, name, value)
            filled.append(component)
    if filled:
        Component.objects.bulk_update(filled, ["license", "source_name", "source_version"], batch_size=CHUNK)
    return {key: component.pk for key, component in known.items()}


def _known(found: dict[Key, Package]) -> dict[Key, Component]:
    by_ecosystem: dict[str, list[Key]] = {}
    for key in sorted(found):
        by_ecosystem.setdefault(key[0], []).append(key)
    known = {}
    for ecosystem, wanted in by_ecosystem.items():
        for begin in range(0, len(wanted), CHUNK):
            named, versions = ({key[at] for key in wanted[begin : begin + CHUNK]} for at in (1, 2))
            # Also by version: a name that a large fleet has in a hundred versions would else be read with all of them.
            rows = Component.objects.filter(ecosystem=ecosystem, name__in=named, version__in=versions)
            for row in rows.iterator():
                key = (row.ecosystem, row.name, row.version)
                if key in found:
                    known[key] = row
    return known


def _columns(package: Package) -> dict[str, str | None]:
    return {name: getattr(package, name) for name in Package.__dataclass_fields__}
