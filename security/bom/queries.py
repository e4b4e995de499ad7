"""Reads of what is installed (contract: fleet console §22)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet

from config.api.authentication import Principal
from config.api.fields import milliseconds
from fleet.instances.models import Instance
from security.bom import names
from security.bom.models import Component, Installed, Inventory, Source


def components(instance: Instance, ecosystem: str = "") -> QuerySet[Component]:
    """What any source lists on the instance, each once, in order."""
    listed = Installed.objects.filter(instance=instance).values("component_id")
    found = Component.objects.filter(pk__in=listed).order_by("ecosystem", "name", "version", "pk")
    return found.filter(ecosystem__iexact=names.ecosystem(ecosystem)) if ecosystem else found


def inventories(instance: Instance) -> Sequence[Inventory]:
    """The newest list of each source, the newest first."""
    return list(Inventory.objects.filter(instance=instance).order_by("-received_at", "pk"))


def by_ecosystem(found: QuerySet[Component]) -> dict[str, int]:
    rows = found.order_by("ecosystem").values("ecosystem").annotate(n=Count("pk")).values_list("ecosystem", "n")
    return dict(rows)


def of_instance(instance: Instance, ecosystem: str = "") -> dict[str, Any]:
    """The bill of material of one instance, as the API gives it."""
    found = components(instance, ecosystem)
    lists, counts = inventories(instance), by_ecosystem(found)
    packages = [
        {"name": name, "version": version, "ecosystem": family} | ({"license": license} if license else {})
        for name, version, family, license in found.values_list("name", "version", "ecosystem", "license")
    ]
    return {
        "instanceId": instance.pk,
        "packages": packages,
        "summary": {
            "total": len(packages),
            "byEcosystem": counts,
            "lastScanned": milliseconds(lists[0].received_at) if lists else None,
        },
    }


def of_fleet(principal: Principal | None, ecosystem: str = "") -> dict[str, Any]:
    """How many packages there are on the instances that the caller sees; one that two sources list counts once."""
    mine = Instance.objects.visible_to(principal).existing()
    twin = Installed.objects.filter(
        instance_id=OuterRef("instance_id"), component_id=OuterRef("component_id"), source=Source.AGENT
    )
    found = Installed.objects.filter(instance__in=mine).exclude(Exists(twin), source=Source.UPLOAD)
    if ecosystem:
        found = found.filter(component__ecosystem__iexact=names.ecosystem(ecosystem))
    rows = found.order_by("component__ecosystem").values("component__ecosystem").annotate(n=Count("pk"))
    counts = dict(rows.values_list("component__ecosystem", "n"))
    return {"totalPackages": sum(counts.values()), "byEcosystem": counts}
