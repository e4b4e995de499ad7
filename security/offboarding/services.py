"""Off-boarding a person: every door closes, and what they know is marked (J10). One audit entry for each act."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from config.api.authentication import Principal
from config.api.errors import ApiError, Conflict, NotFound
from security.accounts import services as accounts
from security.accounts import teams
from security.accounts.models import Session, User
from security.audit.services import record
from security.keys import services as keys
from security.offboarding import duties
from security.offboarding.plan import Plan, opening, plan
from security.ssh_keys import services as ssh_keys
from security.vault.marking import ask_for_rotation
from security.vault.models import Secret

WORDS = (
    ("api_keys", "API key", "revoked"), ("sessions", "session", "ended"), ("ssh_keys", "SSH key", "revoked"),
    ("teams", "team", "left"), ("duties", "rotation", "left"), ("secrets", "secret", "marked for rotation"),
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """What to do. None as a list of ids stands for what the plan recommends."""

    revoke_keys: bool = True
    end_sessions: bool = True
    leave_teams: bool = True
    leave_duties: bool = True
    deactivate: bool = True
    ssh_key_ids: list[str] | None = None
    secret_ids: list[str] | None = None


@dataclass
class Done:
    """How many of each were dealt with."""

    api_keys: int = 0
    sessions: int = 0
    ssh_keys: int = 0
    teams: int = 0
    duties: int = 0
    secrets: int = 0
    deactivated: bool = False


@transaction.atomic
def off_board(*, user: User, choice: Choice, actor: Principal | None, now: datetime) -> Done:
    """Do what was chosen, all of it or nothing. Open streams of the person close within 5 s.

    Raises ApiError for oneself, Conflict for a service and for the last administrator, NotFound for a key or secret
    that is not there. Again is harmless: what is done already is not done twice.
    """
    found = plan(user=user, actor=actor, now=now)
    if found.obstacle:
        raise (ApiError if actor and actor.user.pk == user.pk else Conflict)(found.obstacle)
    ssh_ids = found.certain_ssh_ids if choice.ssh_key_ids is None else choice.ssh_key_ids
    secret_ids = found.known_secret_ids if choice.secret_ids is None else choice.secret_ids
    record(actor=actor, action="EXECUTE", resource="user", resource_id=user.pk, event="off_board", user=user.email)
    done = Done(ssh_keys=_revoke_ssh(ssh_ids, actor, now), secrets=_mark(secret_ids, user, actor, now))
    _close_doors(found, choice, actor, done)
    return done


def _close_doors(found: Plan, choice: Choice, actor: Principal | None, done: Done) -> None:
    """Keys, sessions, teams, duties, and last the person."""
    user = found.user
    if choice.revoke_keys:
        for key in keys.keys_of(user):
            keys.revoke(key=key, actor=actor)
            done.api_keys += 1
    if choice.end_sessions:
        for session in Session.objects.filter(user=user):
            accounts.end_session(session=session, actor=actor)
            done.sessions += 1
    if choice.leave_teams:
        for membership in found.teams:
            teams.remove_member(membership=membership, actor=actor)
            done.teams += 1
    if choice.leave_duties:
        done.duties = duties.release(user, actor)
    if choice.deactivate and user.is_active:
        accounts.update_user(user=user, actor=actor, is_active=False)
        done.deactivated = True


def _revoke_ssh(ids: Iterable[str], actor: Principal | None, now: datetime) -> int:
    wanted = set(ids)
    rows = {key.pk: key for key in opening(now).filter(pk__in=wanted)}
    if missing := sorted(wanted - set(rows)):
        raise NotFound(f"SSH key '{missing[0]}' not found, or it opens nothing any more")
    for key in rows.values():
        ssh_keys.revoke(key=key, actor=actor, now=now)
    return len(rows)


def _mark(ids: Iterable[str], user: User, actor: Principal | None, now: datetime) -> int:
    wanted = set(ids)
    rows = {secret.pk: secret for secret in Secret.objects.filter(pk__in=wanted).select_related("instance")}
    if missing := sorted(wanted - set(rows)):
        raise NotFound(f"Secret '{missing[0]}' not found")
    for secret in rows.values():
        ask_for_rotation(secret=secret, because=f"{user.email} left", actor=actor, now=now)
    return len(rows)


def told(user: User, done: Done) -> str:
    """What was done, in a sentence for people."""
    parts = []
    for name, noun, verb in WORDS:
        if number := getattr(done, name):
            parts.append(f"{number} {noun}{'' if number == 1 else 's'} {verb}")
    if done.deactivated:
        parts.append("signing in switched off")
    return f"{user} is off-boarded: {', '.join(parts) or 'there was nothing left to do'}."
