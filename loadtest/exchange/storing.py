"""An imported tree becomes rows, all or none (contract: load testing §16.1)."""

from collections import Counter
from dataclasses import dataclass, field

from config.api.authentication import Principal
from config.api.errors import Invalid
from loadtest.exchange.tree import Json, walk
from loadtest.ids import new_id
from loadtest.workspace import collections, environments, requests, values
from loadtest.workspace.models import Collection, Environment, Globals, SavedRequest
from loadtest.workspace.saving import apply, repeated
from security.audit.services import record
from security.vault import references

AT_ONCE = 200


@dataclass
class Stored:
    """The rows of an import; `ids` maps those of the tree to theirs."""

    ids: dict[str, str] = field(default_factory=dict)
    collections: list[Collection] = field(default_factory=list)
    requests: list[SavedRequest] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    globals: Globals | None = None


def store(*, tree: Json, actor: Principal, collection_id: str | None = None) -> Stored:
    """Write a tree, below a collection if one is named. Raises Invalid; nothing is written then.

    Variables of imported globals are added to those that are there and replace the ones of the same name.
    """
    values.storable(tree)
    if references.texts_in(tree):  # whether there are such secrets here tells who uses what was imported
        references.refuse_nameless(actor)
    return repeated(lambda: _write(tree, actor, collection_id))


def _write(tree: Json, actor: Principal, collection_id: str | None) -> Stored:
    if collection_id is not None and not Collection.objects.filter(pk=collection_id).exists():
        raise Invalid(f"'collectionId' names no collection: {collection_id[:128]}")
    made = Stored()
    if collection_id is not None and tree["meta"]["format"] == "curl":
        _requests(tree["collections"][0], collection_id, requests.next_order(collection_id), made)
    else:
        _collections(tree["collections"], collection_id, made)
    for found in tree["environments"]:
        environment = Environment(pk=_new(found, "env", made))
        apply(environment, found, environments.FIELDS)
        environment.save(force_insert=True)
        made.environments.append(environment)
    Collection.objects.bulk_create(made.collections, AT_ONCE)
    SavedRequest.objects.bulk_create(made.requests, AT_ONCE)
    if tree["globals"]:
        made.globals = environments.locked_globals()
        fresh = {"variables": made.globals.variables | tree["globals"]["variables"]}
        apply(made.globals, fresh, environments.FIELDS)
        made.globals.save()
    _audit(tree["meta"], made, actor)
    return made


def _new(found: Json, prefix: str, made: Stored) -> str:
    made.ids[found["id"]] = new_id(prefix)
    return made.ids[found["id"]]


def _collections(trees: list[Json], below: str | None, made: Stored) -> None:
    """Rows for collections and their requests, parents first, in the order of the tree."""
    parents = {child["id"]: found["id"] for found in walk(trees) for child in found["collections"]}
    last: Counter[str | None] = Counter({below: collections.next_order(below)})
    for found in walk(trees):
        row = Collection(pk=_new(found, "col", made))
        apply(row, found, collections.FIELDS)
        row.parent_id = made.ids[parents[found["id"]]] if found["id"] in parents else below
        row.order = last[row.parent_id]
        last[row.parent_id] += 1
        made.collections.append(row)
        _requests(found, row.pk, 0, made)


def _requests(found: Json, collection_id: str, first: int, made: Stored) -> None:
    for order, inner in enumerate(found["requests"], start=first):
        row = SavedRequest(pk=_new(inner, "req", made), collection_id=collection_id, order=order)
        requests.fill(row, inner)
        made.requests.append(row)


def _audit(meta: Json, made: Stored, actor: Principal) -> None:
    counts = {"collections": len(made.collections), "requests": len(made.requests)}
    environments = [row.pk for row in made.environments]
    roots = [row.pk for row in made.collections[:1]]
    facts = {"format": meta["format"], "name": meta["name"], "environments": environments, **counts}
    record(actor=actor, action="CREATE", resource="load_import", resource_id="".join(roots) or None, **facts)
