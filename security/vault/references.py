"""Values read from the vault by reference: `{{secret:NAME}}` in a text stands for the value of that secret.

What is saved holds the reference; the value is read when it is used and kept nowhere. A secret can be used only where
its `scope` names the use, so that nobody who may edit something else gets it by writing its name.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Forbidden, Invalid
from config.api.permissions import OPERATOR
from security.keys.anonymous import USER_ID
from security.vault.crypto import Unreadable
from security.vault.models import Secret, SecretVersion
from security.vault.syntax import is_name, is_reference, names_in, put_in, taken_out, texts_in, written

__all__ = [
    "Unusable", "Use", "check", "filled", "help_text", "is_reference", "masks_of", "names_in", "put_in",
    "refuse_nameless", "taken_out", "texts_in", "values_of",
]  # fmt: skip
READ_AGAIN = timedelta(minutes=1)  # how exact `last_read_at` is; a check each second need not write each second
SHOWN = 100
LOOKED_AT, NAMED = 1000, 10  # secrets that a form looks at, and names


class Use(StrEnum):
    """What may use secrets by reference; the words of a secret's `scope`."""

    MONITORS = "monitors"
    LOAD_TESTS = "load-tests"
    CHANNELS = "channels"
    DEPLOYMENTS = "deployments"


USED_BY = {
    Use.MONITORS: "monitors",
    Use.LOAD_TESTS: "load tests",
    Use.CHANNELS: "notification channels",
    Use.DEPLOYMENTS: "deployments",
}


class Unusable(Invalid):
    """A reference that cannot be followed. The sentence names the secret and holds nothing of its value."""


def check(texts: Mapping[str, Any], *, use: Use, principal: Principal | None, instance: Any = None) -> None:
    """Before a reference is saved: every secret exists, may be used there and can be read.

    `texts` are JSON values by the path that an error names. Raises Invalid; raises Forbidden when the person is no
    OPERATOR, who could otherwise have a secret sent to a place of their own (None is the platform itself).
    """
    if texts_in(texts):
        refuse_nameless(principal)
    faults: dict[str, list[str]] = {}
    for path, value in texts.items():
        for name in names_in(*texts_in(value)):
            try:
                secret = _usable(name, use=use, instance=instance)
                _opened(secret)
            except Unusable as fault:
                faults.setdefault(path, []).append(fault.message)
            else:
                _refuse_below_operator(principal, secret)
    if faults:
        raise Invalid(next(iter(faults.values()))[0], details=faults)


def refuse_nameless(principal: Principal | None) -> None:
    """Raise Forbidden for a caller whom only its address vouches for: nobody could tell later who had a secret sent."""
    if principal is not None and principal.user.pk == USER_ID:
        raise Forbidden("Secrets of the vault are used with a key or a session only")


def values_of(texts: Iterable[str], *, use: Use, instance: Any = None) -> dict[str, str]:
    """The values of the secrets that texts refer to, by name. Raises Unusable."""
    secrets = {name: _usable(name, use=use, instance=instance) for name in names_in(*texts)}
    values = {name: _opened(secret) for name, secret in secrets.items()}
    if secrets:
        now = timezone.now()
        read = Secret.objects.filter(pk__in=[secret.pk for secret in secrets.values()])
        read.filter(Q(last_read_at=None) | Q(last_read_at__lt=now - READ_AGAIN)).update(last_read_at=now)
    return values


def filled(value: Any, *, use: Use, instance: Any = None) -> Any:
    """The text, or JSON value, with the secrets that it refers to. Raises Unusable."""
    return put_in(value, values_of(texts_in(value), use=use, instance=instance))


def masks_of(texts: Iterable[str], *, instance: Any = None) -> list[str]:
    """Every value that the secrets have or had, to be hidden in what comes later; what cannot be read is left out."""
    found = []
    for name in names_in(*texts):
        if secret := _named(name, instance):
            found += [value for version in secret.versions.all() if (value := _readable(version)) is not None]
    return found


def help_text(use: Use) -> str:
    """How a field of a form takes a value from the vault, with the global secrets that its use may read."""
    scopes = Secret.objects.filter(instance=None).order_by("name", "pk").values_list("name", "scope")
    names = [name for name, scope in scopes[:LOOKED_AT] if use in scope]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    usable = f"Usable here: {', '.join(names[:NAMED])}{more}." if names else f"No secret has '{use}' in its scope yet."
    return f" {written('NAME')} stands for a secret of the vault. {usable}"


def _named(name: str, instance: Any) -> Secret | None:
    """The instance's own secret of that name, else the global one."""
    own = Q(instance=None) if instance is None else Q(instance=None) | Q(instance=instance)
    return Secret.objects.filter(own, name=name).order_by(F("instance").asc(nulls_last=True)).first()


def _usable(name: str, *, use: Use, instance: Any) -> Secret:
    if not is_name(name):
        raise Unusable(f"'{name[:SHOWN]}' is no name of a secret")
    secret = _named(name, instance)
    if secret is None:
        raise Unusable(f"There is no secret '{name[:SHOWN]}'")
    if use not in secret.scope:
        raise Unusable(f"The secret '{name[:SHOWN]}' is not for {USED_BY[use]}: its scope does not name '{use}'")
    return secret


def _opened(secret: Secret) -> str:
    version = secret.versions.filter(number=secret.version).first()
    value = _readable(version) if version else None
    if value is None:
        raise Unusable(f"The secret '{secret.name[:SHOWN]}' cannot be read with the keys of this installation")
    return value


def _readable(version: SecretVersion) -> str | None:
    try:
        return version.value
    except Unreadable:
        return None


def _refuse_below_operator(principal: Principal | None, secret: Secret) -> None:
    """A global secret needs the role everywhere, an instance's own in its team."""
    team_id = secret.instance.team_id if secret.instance else None
    if principal is not None and not principal.may(OPERATOR, team_id=team_id):
        raise Forbidden(f"Using the secret '{secret.name[:SHOWN]}' needs the OPERATOR role")
