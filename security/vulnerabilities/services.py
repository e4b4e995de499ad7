"""Scans: what is installed against the advisories that were imported (contract: fleet console §22)."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Unavailable
from fleet.instances.models import Instance, Status
from security.audit.services import record
from security.bom.models import Component, Installed, Inventory
from security.vulnerabilities.findings import Counts, settle
from security.vulnerabilities.judging import Apart, Judge, NoAnswer, judge
from security.vulnerabilities.matching import match
from security.vulnerabilities.models import FleetMatch
from security.vulnerabilities.telling import tell


class Scan(NamedTuple):
    """ScanResult of the contract."""

    instance_id: str
    instance_name: str
    scanned_at: datetime
    packages_scanned: int
    vulnerabilities_detected: int
    new_vulnerabilities_saved: int


def scan(*, instance: Instance, actor: Principal | None = None, now: datetime) -> Scan:
    """Match what is installed on the instance now. Starts a process: it takes some tenths of a second.

    Raises Conflict when nobody ever told what is installed. With an actor the scan is audited.
    """
    if not Inventory.objects.filter(instance=instance).exists():
        raise Conflict("No package inventory for this instance")
    counts = match_instance(instance_id=instance.pk, now=now)
    if actor is not None:
        record(
            actor=actor, action="EXECUTE", resource="vulnerability_scan", resource_id=instance.pk,
            team_id=instance.team_id, packages=counts.packages, detected=counts.detected, new=counts.new,
        )  # fmt: skip
    return Scan(instance.pk, instance.name, now, counts.packages, counts.detected, counts.new)


def match_instance(*, instance_id: str, now: datetime) -> Counts:
    """Bring the findings of one instance up to date; versions are compared in a process of their own.

    Raises Unavailable when that process does not answer; nothing is changed then.
    """
    mine = Installed.objects.filter(instance_id=instance_id, component=OuterRef("pk"))
    try:
        with Apart() as apart:
            matches = match(Component.objects.filter(Exists(mine)), apart)
    except NoAnswer as fault:
        raise Unavailable(str(fault)) from None
    counts = settle(instance_id=instance_id, matches=matches, now=now)
    if counts.new or counts.reopened or counts.fixed:
        tell()
    return counts


def match_later(instance_id: str) -> None:
    """Have the findings of the instance brought up to date soon; the daily match makes up for a lost message."""
    from security.vulnerabilities.tasks import match_one

    match_one.delay(instance_id)


def match_all(*, now: datetime, judge: Judge = judge, progress: Callable[[int, int], object] | None = None) -> Counts:
    """Bring the findings of every instance with an inventory up to date; for a process that ends afterwards.

    Instances that nobody ever told the packages of keep their findings. `progress` is told instances done and all.
    """
    FleetMatch.objects.update_or_create(pk=1, defaults={"started_at": now})
    used = Installed.objects.filter(component=OuterRef("pk"))
    matches = match(Component.objects.filter(Exists(used)), judge)
    told = Inventory.objects.filter(instance=OuterRef("pk"))
    instances = Instance.objects.filter(Exists(told)).exclude(status=Status.DESTROYED)
    ids = list(instances.order_by("pk").values_list("pk", flat=True))
    total = Counts()
    for done, pk in enumerate(ids, 1):
        try:
            total.add(settle(instance_id=pk, matches=matches, now=now))
        except IntegrityError:
            if Instance.objects.filter(pk=pk).exists():  # else it was deleted meanwhile
                raise
        if progress:
            progress(done, len(ids))
    FleetMatch.objects.filter(pk=1).update(finished_at=timezone.now())
    if total.new or total.reopened or total.fixed:
        tell()
    return total
