"""Objects that most tests need, made as the product makes them. Names say what they are, never who."""

from itertools import count
from typing import Any

from security.accounts.models import Membership, Team, User
from security.keys import services as keys
from security.keys.models import ApiKey
from security.vault.models import Secret, SecretVersion

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
