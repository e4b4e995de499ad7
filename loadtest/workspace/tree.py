"""Collections as a tree. Walks end also where the stored tree were a loop."""

from collections import defaultdict
from collections.abc import Mapping

from loadtest.workspace.models import Collection

Parents = Mapping[str, str | None]


def parents(*, lock: bool = False) -> dict[str, str | None]:
    """The parent of every collection; None for a root. `lock` holds all of them until the transaction ends."""
    rows = Collection.objects.order_by("pk")
    if lock:
        rows = rows.select_for_update()
    return dict(rows.values_list("pk", "parent_id"))


def upwards(collection_id: str | None, of: Parents) -> list[str]:
    """A collection, its parent, … its root: nearest first."""
    found: dict[str, None] = {}
    while collection_id is not None and collection_id in of and collection_id not in found:
        found[collection_id] = None
        collection_id = of[collection_id]
    return list(found)


def downwards(collection_id: str, of: Parents) -> list[str]:
    """A collection and everything below it; a parent comes before its children."""
    children = defaultdict(list)
    for child, parent in of.items():
        children[parent].append(child)
    found = {collection_id: None}
    queue = [collection_id]
    for current in queue:
        fresh = [child for child in children[current] if child not in found]
        found.update(dict.fromkeys(fresh))
        queue += fresh
    return list(found)
