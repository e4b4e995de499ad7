"""Objects that most tests need, made as the product makes them. Names say what they are, never who."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from security.accounts.models import Membership, Team, User
from security.keys import services as keys
from security.keys.models import ApiKey
from security.vault.models import Secret, SecretVersion
from security.vulnerabilities.models import Advisory, Finding

FOUND_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_user(*, role: str = "VIEWER", password: str | None = None, **fields: Any) -> User:
    """A person; `password=PASSWORD` for one who signs in."""
    number = next(_numbers)
    fields = {"email": f"user{number}@example.org", "name": f"User {number}"} | fields
    return User.objects.create_user(password=password, role=role, **fields)


def make_team(*, name: str | None = None, members: dict[User, str] | None = None, **fields: Any) -> Team:
    """A team; `members` maps users to their roles in it."""
    team = Team.objects.create(name=name or f"Team {next(_numbers)}", **fields)
    for user, role in (members or {}).items():
        Membership.objects.create(team=team, user=user, role=role)
    return team


def make_key(*, user: User | None = None, role: str = "VIEWER", **fields: Any) -> tuple[ApiKey, str]:
    """A key and its raw text; without `user` a new one with `role` holds it."""
    fields = {"name": f"key {next(_numbers)}"} | fields
    return keys.create_key(user=user or make_user(role=role), **fields)


def make_secret(name: str, value: str, *, scope: tuple[str, ...] = (), **fields: Any) -> Secret:
    """A secret with one version."""
    secret = Secret.objects.create(name=name, scope=list(scope), **fields)
    version = SecretVersion(secret=secret, number=1)
    version.value = value
    version.save(force_insert=True)
    return secret


RANKS = {"CRITICAL": 0, "HIGH": 1, "MEDIUM": 2, "LOW": 3, "UNKNOWN": 4}


def make_finding(instance: Any, cve_id: str = "", *, severity: str = "HIGH", **fields: Any) -> Finding:
    """An open finding; `advisory` holds fields of its advisory, which findings with the same CVE id share."""
    cve_id = cve_id or f"CVE-2026-{next(_numbers):05d}"
    about = {"title": f"A hole called {cve_id}", "cve_id": cve_id, "severity": severity, "modified_at": FOUND_AT}
    about |= fields.pop("advisory", {})
    advisory, _ = Advisory.objects.get_or_create(pk=f"OSV-{cve_id}", defaults=about)
    fields = {
        "package_name": "openssl", "package_version": "3.0.1", "ecosystem": "Debian:12", "detected_at": FOUND_AT,
    } | fields  # fmt: skip
    return Finding.objects.create(
        instance=instance, advisory=advisory, cve_id=cve_id, severity=severity, rank=RANKS[severity], **fields
    )
