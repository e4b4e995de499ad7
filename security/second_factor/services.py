"""Setting up, proving and turning off a second factor."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.api.authentication import Principal
from config.api.errors import Conflict, Forbidden, Invalid, TooMany
from config.api.throttling import count
from security.accounts.models import User
from security.audit.services import record
from security.second_factor import codes, policy
from security.second_factor.models import CodeGenerator, RecoveryCode
from security.vault import crypto

TRIES_A_MINUTE = 10
FAILURES, LOCKED_S = 5, 300
WRONG = "This is not the code of now, or it was used already."


def context_of(user: User) -> str:
    """What the sealed secret is bound to."""
    return f"security.second_factor:{user.pk}"


def draft(user: User) -> str | None:
    """The secret that the person has begun to set up; None without one."""
    row = CodeGenerator.objects.filter(user=user, confirmed_at=None).first()
    return crypto.decrypt(row.sealed_secret, context=context_of(user)) if row else None


def begin(*, actor: Principal) -> None:
    """Start over with a new secret, which counts once it is confirmed. Raises Conflict while another one counts."""
    user = _person(actor)
    sealed = crypto.encrypt(codes.new_secret(), context=context_of(user))
    if CodeGenerator.objects.filter(user=user, confirmed_at=None).update(sealed_secret=sealed):
        return
    try:
        with transaction.atomic():
            CodeGenerator.objects.create(user=user, sealed_secret=sealed)
    except IntegrityError:
        raise Conflict("You have a second factor already. Turn it off first.") from None


def forget_draft(*, actor: Principal) -> None:
    """Drop what was begun and not confirmed."""
    CodeGenerator.objects.filter(user=actor.user, confirmed_at=None).delete()


def confirm(*, actor: Principal, code: str, now: datetime | None = None) -> list[str]:
    """Make the second factor count, proved by a code; returns the recovery codes, which are shown this one time.

    Raises Invalid for a wrong code, Conflict when nothing was begun, TooMany after too many tries.
    """
    user, now = _person(actor), now or timezone.now()
    secret = draft(user)
    if secret is None:
        raise Conflict("There is nothing to confirm. Start again.")
    _count_try(user)
    step = codes.step_of(secret, _digits(code), now=now)
    if step is None:
        _failed(user)
        raise Invalid("The code is wrong", details={"code": [WRONG]})
    with transaction.atomic():
        begun = CodeGenerator.objects.filter(user=user, confirmed_at=None)
        if not begun.update(confirmed_at=now, last_step=step):
            raise Conflict("The second factor was set up in another window")
        record(actor=actor, action="CREATE", resource="second_factor", resource_id=user.pk, user=user.email)
        return _make_codes(user)


def prove(*, user: User, code: str, now: datetime | None = None) -> str | None:
    """Use up a code: "code" or "recovery code" for what it was, None when it is wrong. Raises TooMany.

    The row's condition decides, so that two requests at once cannot both use one code.
    """
    now = now or timezone.now()
    _count_try(user)
    generator = CodeGenerator.objects.filter(user=user).exclude(confirmed_at=None).first()
    if generator is not None:
        secret = crypto.decrypt(generator.sealed_secret, context=context_of(user))
        step = codes.step_of(secret, _digits(code), now=now)
        same = CodeGenerator.objects.filter(user=user, confirmed_at=generator.confirmed_at)
        if step is not None and same.filter(last_step__lt=step).update(last_step=step):
            return _proved(user, "code")
        unused = RecoveryCode.objects.filter(user=user, used_at=None)
        if unused.filter(digest=codes.digest_of(code, user_id=user.pk)).update(used_at=now):
            return _proved(user, "recovery code")
    _failed(user)
    return None


@transaction.atomic
def renew_codes(*, actor: Principal, code: str) -> list[str]:
    """Ten new recovery codes in place of the old ones, proved by a code. Raises Invalid."""
    _require_proof(actor.user, code)
    record(actor=actor, action="UPDATE", resource="second_factor", resource_id=actor.user.pk, recovery_codes="renewed")
    return _make_codes(actor.user)


@transaction.atomic
def turn_off(*, actor: Principal, password: str, code: str) -> None:
    """Go without a second factor again, proved by password and code. Raises Invalid."""
    user = actor.user
    _count_try(user)
    if not user.check_password(password):
        _failed(user)
        raise Invalid("The password is wrong", details={"password": ["This is not your password."]})
    _require_proof(user, code)
    _remove(user)
    record(actor=actor, action="DELETE", resource="second_factor", resource_id=user.pk, user=user.email)


@transaction.atomic
def reset(*, user: User, actor: Principal | None) -> None:
    """Remove the second factor of somebody who lost it. Raises Conflict without one, Forbidden for oneself."""
    if actor and actor.user.pk == user.pk:
        raise Forbidden("Turn off your own second factor on your account page")
    if not policy.has(user):
        raise Conflict(f"{user} has no second factor")
    _remove(user)
    record(
        actor=actor, action="DELETE", resource="second_factor", resource_id=user.pk, user=user.email, reset=True
    )  # fmt: skip


def state_of(user: User) -> dict[str, Any]:
    """`since` when the second factor counts, else None, and how many recovery codes are left."""
    generator = CodeGenerator.objects.filter(user=user).exclude(confirmed_at=None).first()
    left = RecoveryCode.objects.filter(user=user, used_at=None).count()
    return {"since": generator.confirmed_at if generator else None, "codes_left": left}


def _person(actor: Principal) -> User:
    if not actor.session_id:
        raise Forbidden("A second factor is for people who are signed in")
    return actor.user


def _make_codes(user: User) -> list[str]:
    fresh = codes.new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=codes.digest_of(code, user_id=user.pk)) for code in fresh]
    )
    return fresh


def _remove(user: User) -> None:
    CodeGenerator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()


def _require_proof(user: User, code: str) -> None:
    if not prove(user=user, code=code):
        raise Invalid("The code is wrong", details={"code": [WRONG]})


def _digits(code: str) -> str:
    return "".join(code.split())[:16]


def _count_try(user: User) -> None:
    """Raise TooMany when tries come too fast, or after five failures within five minutes, wherever they come from."""
    count("second-factor", f"user:{user.pk}", TRIES_A_MINUTE)
    if (cache.get(_failures(user)) or 0) >= FAILURES:
        raise TooMany("Too many wrong codes. Wait five minutes and try again.", retry_after=LOCKED_S)


def _failed(user: User) -> None:
    cache.add(_failures(user), 0, LOCKED_S)
    with suppress(ValueError):  # the entry was evicted between the two calls
        cache.incr(_failures(user))


def _proved(user: User, by: str) -> str:
    cache.delete(_failures(user))
    return by


def _failures(user: User) -> str:
    return f"second-factor-failures:{user.pk}"
