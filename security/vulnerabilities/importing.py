"""Taking advisories into the database: in batches, one transaction each, only what is newer than what is there.

An import that ends half-way leaves whole advisories; the next one adds what is missing, since the archive counts as
taken only when its last batch is stored.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Q

from security.vulnerabilities import archives, ecosystems
from security.vulnerabilities.archives import Source
from security.vulnerabilities.models import Advisory, Affected, Archive
from security.vulnerabilities.osv import Parsed, Unreadable, parse

BATCH = 500  # advisories
MOST_NAMED = 10  # faults that are told in full
REPLACED = [
    "cve_id", "title", "description", "severity", "cvss_vector", "cvss_score", "aliases", "references", "published_at",
    "modified_at", "withdrawn_at",
]  # fmt: skip
Progress = Callable[[int, int], object]


@dataclass(slots=True)
class Taken:
    """What an import did. `same`: the archive was taken before as it is, and not read again."""

    source: str
    same: bool = False
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    faults: int = 0
    named: list[str] = field(default_factory=list)
    spelled: Counter[str] = field(default_factory=Counter)
    newest_at: datetime | None = None

    @property
    def stored(self) -> bool:
        return bool(self.new or self.changed)

    def fault(self, name: str, text: str) -> None:
        """Count an entry that cannot be taken; the first few are named."""
        self.faults += 1
        if len(self.named) < MOST_NAMED:
            shown = "".join(sign if sign.isprintable() else "?" for sign in name)[:120]
            self.named.append(f"{shown}: {text}")


def take_in(source: Source, *, again: bool, now: datetime, progress: Progress | None = None) -> Taken:
    """Import a source. With `again` everything is stored anew, whatever is there. Raises archives.Refused."""
    taken, seal = Taken(source.name), archives.digest(source)
    if not again and Archive.objects.filter(digest=seal).exists():
        taken.same = True
        return taken
    documents = _documents(source, taken, progress)
    while batch := list(islice(documents, BATCH)):
        _store(batch, again, taken)
    if taken.spelled:
        _note(taken, seal, now)
    return taken


def _documents(source: Source, taken: Taken, progress: Progress | None) -> Iterator[Parsed]:
    for total, entry in archives.entries(source):
        taken.read += 1
        if progress:
            progress(taken.read, total)
        if entry.fault:
            taken.fault(entry.name, entry.fault)
            continue
        try:
            found = parse(entry.data)
        except Unreadable as fault:
            taken.fault(entry.name, str(fault))
            continue
        taken.spelled.update(found.ecosystems)
        modified = found.advisory.modified_at
        taken.newest_at = max(taken.newest_at or modified, modified)
        yield found


@transaction.atomic
def _store(batch: Iterable[Parsed], again: bool, taken: Taken) -> None:
    newest: dict[str, Parsed] = {}
    for one in batch:
        if (other := newest.get(one.advisory.pk)) is None or other.advisory.modified_at <= one.advisory.modified_at:
            newest[one.advisory.pk] = one
    known = dict(Advisory.objects.filter(pk__in=newest).values_list("pk", "modified_at"))
    fresh = [
        one for pk, one in newest.items() if again or pk not in known or known[pk] < one.advisory.modified_at
    ]  # fmt: skip
    # Always in the same order, and the advisories first: two imports that meet wait for each other.
    fresh.sort(key=lambda one: one.advisory.pk)
    Advisory.objects.bulk_create(
        [one.advisory for one in fresh], update_conflicts=True, unique_fields=["id"], update_fields=REPLACED
    )
    Affected.objects.filter(advisory_id__in=[one.advisory.pk for one in fresh]).delete()
    Affected.objects.bulk_create((row for one in fresh for row in one.affected), batch_size=BATCH)
    new = sum(one.advisory.pk not in known for one in fresh)
    taken.new += new
    taken.changed += len(fresh) - new
    taken.unchanged += len(newest) - len(fresh)
    taken.withdrawn += sum(one.advisory.withdrawn_at is not None for one in fresh)


def _note(taken: Taken, seal: str, now: datetime) -> None:
    """Remember the archive under the ecosystem that most of its advisories speak of."""
    family = taken.spelled.most_common(1)[0][0]
    mine = Affected.objects.filter(Q(ecosystem=family) | Q(ecosystem__startswith=f"{family}:"))
    known = Archive.objects.filter(name=ecosystems.spelled(family)).first()
    newest = max(one for one in (taken.newest_at, known.newest_at if known else None) if one)
    Archive.objects.update_or_create(
        name=ecosystems.spelled(family),
        defaults={
            "digest": seal,
            "entries": mine.values("advisory_id").distinct().count(),
            "newest_at": newest,
            "imported_at": now,
        },
    )
