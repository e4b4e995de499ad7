"""Where the things live that entries tell of. The rooms above register theirs; this one knows only its own."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.urls import reverse

from security.audit.models import AuditEntry


@dataclass(frozen=True)
class Home:
    """The model ("app.Model") and the named page of one thing, which takes its primary key."""

    model: str
    page: str


_homes: dict[str, Home] = {}


def register(**homes: tuple[str, str]) -> None:
    """Say where resources live: `register(instance=("fleet.Instance", "ui:instance"))`."""
    _homes.update({resource: Home(*home) for resource, home in homes.items()})


def homes() -> dict[str, Home]:
    """All that is registered, by resource."""
    return dict(_homes)


def links(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], str]:
    """The pages of those things that still exist, by resource and id; one query for each kind of thing."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.resource in _homes and entry.resource_id:
            wanted[entry.resource].add(entry.resource_id)
    found = {}
    for resource, ids in wanted.items():
        home = _homes[resource]
        model = apps.get_model(home.model)
        alive = model._default_manager.filter(pk__in=list(_keys(model, ids)))
        for key in alive.values_list("pk", flat=True):
            found[resource, str(key)] = reverse(home.page, args=[key])
    return found


def _keys(model: type[Model], ids: Iterable[str]) -> Iterable[object]:
    """Those texts that can be keys of the model at all: a log may hold any text."""
    for text in ids:
        try:
            yield model._meta.pk.to_python(text)
        except ValidationError:
            continue
