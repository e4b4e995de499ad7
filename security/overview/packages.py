"""Where a package is installed, over all instances that somebody sees."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from config.api.authentication import Principal
from fleet.instances.models import Instance
from security.bom.models import Component, Installed
from security.vulnerabilities.models import Finding, Status

MOST_VERSIONS = 500  # packages in a version each that a search looks at, so that a short text stays quick


@dataclass(frozen=True)
class Spread:
    """A package by name, and on how many instances it is."""

    ecosystem: str
    name: str
    instances: int


def installed(principal: Principal | None, words: str) -> QuerySet[Installed]:
    """Installations of packages with the text in their name, by name, version and instance."""
    found = Component.objects.filter(name__icontains=words).order_by("name", "ecosystem", "version", "pk")
    known = list(found.values_list("pk", flat=True)[:MOST_VERSIONS])
    seen = Instance.objects.visible_to(principal).existing()
    rows = Installed.objects.filter(component__in=known, instance__in=seen).select_related("component", "instance")
    return rows.order_by("component__name", "component__version", "instance__name", "pk")


def spread(principal: Principal | None, words: str, *, most: int) -> list[Spread]:
    """The first packages with the text in their name, by name."""
    rows = installed(principal, words).order_by("component__name", "component__ecosystem")
    counted = rows.values_list("component__ecosystem", "component__name").annotate(Count("instance", distinct=True))
    return [Spread(*row) for row in counted[:most]]


def with_findings(rows: list[Installed]) -> list[tuple[Installed, int]]:
    """Each installation with the number of open findings of its package on its instance. One query."""
    instances, names = {row.instance_id for row in rows}, {row.component.name for row in rows}
    found = Finding.objects.filter(status=Status.OPEN, instance__in=instances, package_name__in=names).order_by()
    counted = found.values_list("instance", "ecosystem", "package_name").annotate(Count("pk")) if rows else ()
    counts = {(instance, ecosystem, name): count for instance, ecosystem, name, count in counted}
    return [(row, counts.get((row.instance_id, row.component.ecosystem, row.component.name), 0)) for row in rows]
