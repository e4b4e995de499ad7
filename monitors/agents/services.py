"""Agents: making, looking up, removing, and their tokens (contract: monitors §7)."""

import re
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from config import live
from config.api.authentication import Principal
from config.api.errors import Conflict, Invalid
from monitors.agents.models import DEFAULT, Agent
from monitors.licence.services import check_agents
from monitors.monitors.models import Monitor
from monitors.runs import services as runs
from monitors.runs.models import Run, Status
from security.audit.services import record

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
PREFIX = "pma-"  # tokens of agents; keys of people begin with sk-


def default_agent() -> Agent:
    """The agent that always exists: the platform's own workers."""
    return Agent.objects.get_or_create(pk=DEFAULT, defaults={"name": "Platform workers"})[0]


def get_agent(slug: str) -> Agent | None:
    """The agent of that id; None for one that does not exist or cannot."""
    if slug == DEFAULT:
        return default_agent()
    return Agent.objects.current().filter(pk=slug).first() if SLUG.fullmatch(slug) else None


def agent_of_token(raw: str) -> Agent | None:
    """The agent that a token speaks for."""
    if not raw.startswith(PREFIX):
        return None
    return Agent.objects.current().filter(token_digest=_digest(raw)).first()


@transaction.atomic
def create(
    *, name: str, location: str = "", slug: str | None = None, actor: Principal | None, request: Any = None
) -> tuple[Agent, str]:
    """A new agent and its token, which nobody can read again. Without `slug` the name gives the id.

    Raises Invalid for an id that cannot be or is taken, Forbidden when the licence allows no more agents. The id of
    a removed agent may be used anew; then its old runs are this one's.
    """
    check_agents()
    key = slug if slug is not None else _free_slug(name)
    if not SLUG.fullmatch(key):
        raise _bad_id("An id has 1 to 63 lower-case letters, digits or hyphens and does not start with a hyphen.")
    token = _new_token(key)
    fields = {"name": name, "location": location, "token_digest": _digest(token), "removed_at": None}
    if key == DEFAULT or Agent.objects.current().filter(pk=key).exists():
        raise _bad_id(f"There is an agent '{key}' already.")
    if not Agent.objects.filter(pk=key).exclude(removed_at=None).update(**fields):
        try:
            with transaction.atomic():
                Agent.objects.create(pk=key, **fields)
        except IntegrityError:  # somebody else was faster
            raise _bad_id(f"There is an agent '{key}' already.") from None
    _audit("CREATE", key, actor, request, after={"name": name, "location": location})
    return Agent.objects.get(pk=key), token


@transaction.atomic
def renew_token(*, agent: Agent, actor: Principal | None, request: Any = None) -> str:
    """A new token; the old one is worth nothing from now on. Raises Invalid for `default`, which has none."""
    if agent.pk == DEFAULT:
        raise Invalid("The agent 'default' has no token: it is the platform's own workers")
    token = _new_token(agent.pk)
    Agent.objects.filter(pk=agent.pk).update(token_digest=_digest(token))
    _audit("UPDATE", agent.pk, actor, request, act="renew token")
    return token


@transaction.atomic
def remove(*, agent: Agent, reassign: bool, actor: Principal | None, request: Any = None) -> None:
    """Take an agent away: its token is worth nothing, what it was making ends as an error.

    Monitors pinned to it go to `default` with `reassign`, and runs that waited for it with them; without, they are
    a Conflict that tells how many there are. Raises Invalid for `default`.
    """
    if agent.pk == DEFAULT:
        raise Invalid("The agent 'default' cannot be removed: it is the platform's own workers")
    now = timezone.now()
    pinned = Monitor.objects.filter(agent=agent)
    if not reassign and (count := pinned.count()):
        sentence = f"{count} monitors run on this agent. Move them first, or send ?reassign=default."
        raise Conflict(sentence, facts={"monitors": count})
    pinned.update(agent=default_agent(), updated_at=now)
    Agent.objects.filter(pk=agent.pk).update(token_digest=None, removed_at=now)
    agent.workers.all().delete()
    _settle_runs(agent, now)
    _audit("DELETE", agent.pk, actor, request, before={"name": agent.name, "location": agent.location})


def _settle_runs(agent: Agent, now: datetime) -> None:
    """Runs that waited go to the platform's workers, runs that were being made end."""
    error = ("worker_lost", f"The agent '{agent.pk}' was removed during this run.")
    for run in Run.objects.filter(agent=agent, status=Status.RUNNING):
        runs.finish(run=run, status=Status.ERROR, now=now, error=error)
    waiting = Run.objects.filter(agent=agent, status=Status.QUEUED)
    keys = list(waiting.filter(waiting=False).values_list("pk", flat=True))
    waiting.update(agent=default_agent())
    if keys:
        transaction.on_commit(lambda: runs.dispatch_to_worker(keys))


def _free_slug(name: str) -> str:
    """An id made of a name that no agent has."""
    base = slugify(name)[:55].strip("-_").replace("_", "-") or "agent"
    taken = set(Agent.objects.filter(pk__startswith=base).values_list("pk", flat=True)) | {DEFAULT}
    return next(slug for n in range(1, len(taken) + 2) if (slug := base if n == 1 else f"{base}-{n}") not in taken)


def _bad_id(sentence: str) -> Invalid:
    return Invalid("The agent cannot have this id", details={"id": [sentence]})


def _new_token(key: str) -> str:
    """It names its agent, so that it is all that an agent needs to be told."""
    return f"{PREFIX}{secrets.token_hex(24)}-{key}"


def _digest(raw: str) -> str:
    """SHA-256; a token is random enough to need no salt."""
    return sha256(raw.encode()).hexdigest()


def _audit(action: str, key: str, actor: Principal | None, request: Any, **facts: Any) -> None:
    record(actor=actor, action=action, resource="monitor_agent", resource_id=key, request=request, **facts)
    transaction.on_commit(lambda: live.publish("monitors", {"kind": "agent", "agentId": key}))
