"""The tree at the left of the workspace: collections with their requests, bounded whatever there is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet

from loadtest.workspace.models import Collection, SavedRequest

MOST_COLLECTIONS, MOST_REQUESTS = 500, 200
DEEPEST = 12  # what lies deeper is shown at this depth


@dataclass
class Branch:
    """One collection; `more` counts requests that are not listed."""

    collection: Collection
    open: bool = False
    children: list["Branch"] = field(default_factory=list)
    requests: list[SavedRequest] = field(default_factory=list)
    more: int = 0


def tree(*, q: str = "", opened: Sequence[str] = ()) -> dict[str, Any]:
    """`{roots, cut, limit, found}`; small workspaces are shown whole, of large ones the collections in `opened`."""
    rows = list(collections()[: MOST_COLLECTIONS + 1])
    cut, rows = len(rows) > MOST_COLLECTIONS, rows[:MOST_COLLECTIONS]
    branches = {row.pk: Branch(row, open=bool(q) or row.pk in opened) for row in rows}
    asked = SavedRequest.objects.only("id", "name", "method", "collection_id").order_by("order", "pk")
    if q:
        asked = asked.filter(Q(name__icontains=q) | Q(url__icontains=q))
    counts = dict(asked.order_by().values_list("collection_id").annotate(Count("pk")))
    if not q and sum(counts.values()) > MOST_REQUESTS:
        asked = asked.filter(collection_id__in=opened)
    for one in asked[:MOST_REQUESTS]:
        if one.collection_id in branches:
            branches[one.collection_id].requests.append(one)
    for key, branch in branches.items():
        branch.more = counts.get(key, 0) - len(branch.requests)
    if not q and len(branches) <= 20:
        for branch in branches.values():
            branch.open = True
    roots = _grown(branches)
    if q:
        roots = [branch for branch in roots if _holds_any(branch)]
    return {"roots": roots, "cut": cut, "limit": MOST_COLLECTIONS, "found": sum(counts.values())}


def collections() -> QuerySet[Collection]:
    """All collections without what is secret in them, in order."""
    fields = ("id", "name", "parent_id", "order")
    return Collection.objects.only(*fields).order_by("order", "pk")


def choices(roots: list[Branch], before: str = "") -> list[dict[str, str]]:
    """The collections as a list to choose from, each with its way from the root."""
    found = []
    for branch in roots:
        path = f"{before}{branch.collection.name}"
        found.append({"pk": branch.collection.pk, "path": path})
        found += choices(branch.children, f"{path} / ")
    return found


def _grown(branches: dict[str, Branch]) -> list[Branch]:
    """The roots, with their children in them; a collection whose parent is not listed counts as a root."""
    below = defaultdict(list)
    for branch in branches.values():
        parent = branch.collection.parent_id
        below[parent if parent in branches else None].append(branch)
    waiting = [(root, 1, root) for root in below[None]]
    for branch, depth, host in waiting:  # grows while it is walked
        for child in below[branch.collection.pk]:
            host.children.append(child)
            waiting.append((child, depth + 1, child if depth + 1 < DEEPEST else host))
    return below[None]


def _holds_any(branch: Branch) -> bool:
    branch.children = [child for child in branch.children if _holds_any(child)]
    return bool(branch.requests or branch.children)
