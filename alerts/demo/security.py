"""Demo findings, packages, secrets, rotations and SSH keys: made, and removed with everything of theirs."""

from datetime import datetime, timedelta

from alerts.demo.names import Machine, Names, key
from alerts.demo.risks import ADVISORIES, FINDINGS, PACKAGES, REVOKED, ROTATIONS, SECRETS, SSH_KEYS, Found
from alerts.fixes.services import PREFIX
from alerts.incidents.models import Alert
from fleet.instances.models import Instance
from security.bom import services as bom
from security.bom.models import Component, Source
from security.bom.packages import Package
from security.rotations.models import Rotation
from security.ssh_keys.models import SshKey
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities import models as found
from security.vulnerabilities.deadlines import due_at
from security.vulnerabilities.ecosystems import key as ecosystem_key
from security.vulnerabilities.severity import RANKS
from security.vulnerabilities.telling import tell

AUTHOR, WORTHLESS = "Demo", "a demo value that opens nothing"


def make(names: Names, now: datetime) -> None:
    """All of it; making it again changes nothing. Findings come first, so that a match of the packages finds them."""
    by_name = {one.name: one for one in names.machines}
    _advisories(now)
    for place, one in enumerate(FINDINGS):
        _finding(names.seed, place, one, by_name[one.machine], now)
    for machine in names.machines:
        instance = Instance.objects.filter(pk=machine.id).first()
        if instance:
            bom.replace(instance=instance, source=Source.AGENT, packages=packages_of(machine), now=now)
    _secrets(names.seed, by_name, now)
    _rotations(names.seed, by_name, now)
    _ssh_keys(names.seed, by_name, now)
    tell()


def remove(names: Names) -> None:
    """What does not go with the machines; call it after these are gone."""
    Alert.objects.filter(dedupe_key__in=[f"{PREFIX}{pk}" for pk in names.instances]).delete()
    advisories = [advisory_id(place) for place in range(len(ADVISORIES))]
    found.Finding.objects.filter(advisory__in=advisories).delete()  # of others who named a package as we do
    found.Advisory.objects.filter(pk__in=advisories).delete()
    packages = {row[0] for rows in PACKAGES.values() for row in rows}
    Component.objects.filter(name__in=packages, installed=None).delete()
    tell()


def packages_of(machine: Machine) -> list[Package]:
    """What is installed there: that of its role, but for the versions that its findings are about."""
    versions = {}
    for one in FINDINGS:
        advisory = ADVISORIES[one.advisory]
        if one.machine == machine.name and one.status != found.Status.FIXED:
            versions[advisory.package] = advisory.affected[0]
    return [
        Package(name, versions.get(name, version), ecosystem, licence)
        for name, ecosystem, version, licence in PACKAGES[machine.role]
    ]


def advisory_id(place: int) -> str:
    """Also its CVE name: it has no other."""
    return f"DEMO-2026-{place + 1:04d}"


def _advisories(now: datetime) -> None:
    for place, one in enumerate(ADVISORIES):
        row, made = found.Advisory.objects.get_or_create(
            pk=advisory_id(place),
            defaults={
                "cve_id": advisory_id(place), "title": one.title, "severity": one.severity, "cvss_score": one.score,
                "cvss_vector": one.vector, "modified_at": now, "published_at": now - timedelta(days=70),
                "description": "Part of the demo data: neither the package nor this fault of it exists.",
            },
        )  # fmt: skip
        if made:
            found.Affected.objects.create(
                advisory=row, ecosystem=ecosystem_key(one.ecosystem), name=one.package, versions=list(one.affected),
                fix_version=one.fixed,
            )  # fmt: skip


def _finding(seed: int, place: int, one: Found, machine: Machine, now: datetime) -> None:
    advisory, since = ADVISORIES[one.advisory], now - timedelta(days=one.days)
    decided = now - timedelta(days=one.days / 2)
    row, made = found.Finding.objects.get_or_create(
        pk=key(seed, "finding", place),
        defaults={
            "instance_id": machine.id, "advisory_id": advisory_id(one.advisory), "cve_id": advisory_id(one.advisory),
            "package_name": advisory.package, "package_version": advisory.affected[0],
            "ecosystem": advisory.ecosystem, "severity": advisory.severity,
            "rank": RANKS[found.Severity(advisory.severity)], "cvss_score": advisory.score,
            "fix_version": advisory.fixed, "status": one.status, "detected_at": since,
            "due_at": due_at(advisory.severity, since),
            "acknowledged_at": decided if one.status == found.Status.ACKNOWLEDGED else None,
            "fixed_at": decided if one.status == found.Status.FIXED else None,
        },
    )  # fmt: skip
    if made and one.reason:
        found.Decision.objects.create(
            finding=row, author_name=AUTHOR, before=found.Status.OPEN, after=one.status, reason=one.reason, at=decided
        )


def _secrets(seed: int, by_name: dict[str, Machine], now: datetime) -> None:
    for place, one in enumerate(SECRETS):
        expires_at = now + timedelta(days=one.expires) if one.expires is not None else None
        fields = {"name": one.name, "type": one.type, "description": one.about, "expires_at": expires_at}
        secret, made = Secret.objects.get_or_create(
            pk=key(seed, "secret", place), defaults=fields | {"instance_id": by_name[one.machine].id}
        )
        if made:
            version = SecretVersion(pk=key(seed, "secret version", place), secret=secret, number=1)
            version.value = WORTHLESS
            version.save()


def _rotations(seed: int, by_name: dict[str, Machine], now: datetime) -> None:
    for place, (name, kind, machine, every, since) in enumerate(ROTATIONS):
        row = Rotation(
            pk=key(seed, "rotation", place), instance_id=by_name[machine].id, secret_name=name, secret_type=kind,
            rotation_days=every, last_rotated_at=now - timedelta(days=since),
        )  # fmt: skip
        row.set_due()
        Rotation.objects.bulk_create([row], ignore_conflicts=True)


def _ssh_keys(seed: int, by_name: dict[str, Machine], now: datetime) -> None:
    for place, (comment, kind, bits, machine, accounts, known, used, expires) in enumerate(SSH_KEYS):
        pk = key(seed, "ssh key", place)
        row, made = SshKey.objects.get_or_create(
            pk=pk,
            defaults={
                "instance_id": by_name[machine].id, "fingerprint": f"SHA256:demo{pk}", "comment": comment,
                "key_type": kind, "key_bits": bits, "accounts": list(accounts), "seen_at": now,
                "last_used_at": now - timedelta(days=used) if used is not None else None,
                "expires_at": now + timedelta(days=expires) if expires is not None else None,
                "revoked_at": now - timedelta(days=30) if comment == REVOKED else None,
                "gone_at": now - timedelta(days=29) if comment == REVOKED else None,
            },
        )  # fmt: skip
        if made:  # it fills itself in when a row is made
            SshKey.objects.filter(pk=pk).update(created_at=now - timedelta(days=known))
