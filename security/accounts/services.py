"""People: who exists, what they may do, how they get in (contract: fleet console §1.3, §33.2)."""

import hmac
import zoneinfo
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from config.api.authentication import Principal
from config.api.errors import ApiError, Conflict, Forbidden, Invalid
from security.accounts import passwords
from security.accounts.models import Role, Session, User
from security.audit.services import record

THEMES = ("system", "light", "dark")


def facts(user: User) -> dict[str, Any]:
    """What the audit log notes about a user."""
    return {"email": user.email, "name": user.name, "role": user.role, "is_active": user.is_active}


# --- first start ----------------------------------------------------------------------------------------------


def someone_exists() -> bool:
    """Whether a person can sign in. Service users do not count."""
    return User.objects.filter(kind=User.Kind.PERSON).exists()


def is_set_up() -> bool:
    """Whether a person administers the product. Others may exist before, made by a script with a key."""
    return User.objects.filter(kind=User.Kind.PERSON, role=Role.ADMIN).exists()


def setup_link() -> str | None:
    """The address under which the first administrator is made; None once there is one.

    The token in it follows from the product's secret: it is the same in every process and after each restart, needs
    no row, and opens nothing as soon as there is an administrator.
    """
    if is_set_up():
        return None
    return f"{settings.BASE_URL}{reverse('ui:setup')}?token={_setup_token()}"


def is_setup_token(token: str) -> bool:
    """Whether the token is the one of `setup_link`."""
    return hmac.compare_digest(token.encode(), _setup_token().encode())


def _setup_token() -> str:
    return salted_hmac("pharos.setup", "first administrator", algorithm="sha256").hexdigest()[:40]


def set_up(*, token: str, email: str, password: str, name: str = "", time_zone: str = "") -> User:
    """Make the first administrator; raises Forbidden for a wrong token, Conflict once there is one."""
    if not is_setup_token(token):
        raise Forbidden("This is not the setup link that was printed at the start")
    if not cache.add("setup", True, 60):
        raise Conflict("The setup is being done in another window")
    try:
        with transaction.atomic():
            if is_set_up():
                raise Conflict("The setup has been done already")
            _check_zone(time_zone)
            return create_user(
                email=email, password=password, name=name, role=Role.ADMIN, time_zone=time_zone, actor=None
            )
    finally:
        cache.delete("setup")


# --- users ----------------------------------------------------------------------------------------------------


@transaction.atomic
def create_user(
    *,
    email: str,
    password: str,
    actor: Principal | None,
    name: str = "",
    role: str = Role.VIEWER,
    time_zone: str = "",
    least: int = passwords.LEAST,
) -> User:
    """A person who can sign in.

    Raises Invalid for a weak password, or one of fewer than `least` characters, Conflict when the e-mail address is
    taken.
    """
    user = User(email=email, name=name)
    passwords.check(password, user=user, least=least)
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name, role=role, time_zone=time_zone)
    except IntegrityError:
        raise Conflict(f"A user with the e-mail address {email} exists already") from None
    record(actor=actor, action="CREATE", resource="user", resource_id=user.pk, after=facts(user))
    return user


@transaction.atomic
def update_user(
    *,
    user: User,
    actor: Principal | None,
    password: str | None = None,
    least: int = passwords.LEAST,
    **changes: Any,
) -> User:
    """Change e-mail, name, role or `is_active`, and set a new password.

    Whoever is deactivated or gets a new password is signed out everywhere. Raises Conflict for a taken address, for
    a service user's password, and when no active administrator would be left.
    """
    before = facts(user)
    if password is not None and not user.is_person:
        raise Conflict("A service user has no password: it comes in with its keys only")
    if user.role == Role.ADMIN and (changes.get("role", Role.ADMIN) != Role.ADMIN or changes.get("is_active") is False):
        _keep_an_administrator(without=user)
    for name, value in changes.items():
        setattr(user, name, value)
    user.email = user.email.lower()
    if password is not None:
        passwords.check(password, user=user, least=least)
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict(f"A user with the e-mail address {user.email} exists already") from None
    if password is not None or not user.is_active:
        user.sessions.all().delete()
    after = facts(user)
    if after != before or password is not None:
        action = "PERMISSION_CHANGE" if after["role"] != before["role"] else "UPDATE"
        record(
            actor=actor, action=action, resource="user", resource_id=user.pk, before=before, after=after,
            password_changed=(password is not None) or None,
        )  # fmt: skip
    return user


@transaction.atomic
def delete_user(*, user: User, actor: Principal | None) -> None:
    """Remove a user with its keys, sessions and memberships. Raises ApiError for oneself and the last administrator."""
    if actor and actor.user.pk == user.pk:
        raise ApiError("You cannot delete yourself")
    if user.role == Role.ADMIN:
        _keep_an_administrator(without=user)
    user_id, before = user.pk, facts(user)
    user.delete()
    record(actor=actor, action="DELETE", resource="user", resource_id=user_id, before=before)


def _keep_an_administrator(*, without: User) -> None:
    """Raise Conflict if `without` is the last active administrator who can sign in.

    Locks all of them, so that two who demote each other at the same moment wait in line.
    """
    people = User.objects.select_for_update().filter(kind=User.Kind.PERSON, role=Role.ADMIN, is_active=True)
    administrators = [user.pk for user in people.order_by("pk")]
    if without.pk in administrators and len(administrators) == 1:
        raise Conflict("This is the last active administrator. Give somebody else the role first.")


# --- one's own account ----------------------------------------------------------------------------------------


@transaction.atomic
def change_own_password(*, actor: Principal, current: str, new: str) -> User:
    """Set a new password for oneself; every other session of the person ends. Raises Invalid."""
    user = actor.user
    if not user.check_password(current):
        raise Invalid("The current password is wrong", details={"current_password": ["This is not your password."]})
    passwords.check(new, user=user, field="new_password")
    user.set_password(new)
    user.save(update_fields=["password", "updated_at"])
    user.sessions.exclude(public_id=actor.session_id or "").delete()
    record(actor=actor, action="UPDATE", resource="user", resource_id=user.pk, password_changed=True)
    return user


@transaction.atomic
def set_preferences(*, actor: Principal, **changes: Any) -> User:
    """Set `name`, `time_zone` ("" for the product's own) or `theme` for oneself. Raises Invalid."""
    user = actor.user
    if "time_zone" in changes:
        _check_zone(changes["time_zone"])
    if changes.get("theme", "system") not in THEMES:
        raise Invalid("Unknown theme", details={"theme": [f"Choose one of {', '.join(THEMES)}."]})
    before = {name: getattr(user, name) for name in changes}
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=[*changes, "updated_at"])
    if before != changes:
        record(actor=actor, action="UPDATE", resource="user", resource_id=user.pk, before=before, after=changes)
    return user


def _check_zone(name: str) -> None:
    if name and name not in zoneinfo.available_timezones():
        raise Invalid("Unknown time zone", details={"time_zone": [f"{name} is no IANA time zone."]})


@transaction.atomic
def end_session(*, session: Session, actor: Principal | None) -> None:
    """Sign a browser out; its open sockets close within seconds."""
    session.delete()
    record(
        actor=actor, action="LOGOUT", resource="session", resource_id=session.public_id,
        user=session.user.email if session.user else None,
    )  # fmt: skip


@transaction.atomic
def end_other_sessions(*, actor: Principal) -> int:
    """Sign out every browser of one's own but the one that asks; returns how many."""
    others = list(actor.user.sessions.alive(timezone.now()).exclude(public_id=actor.session_id or ""))
    for session in others:
        end_session(session=session, actor=actor)
    return len(others)
